// The page of a calibration in a real browser, on a desk and on a phone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "browser/browser.h"
#include "support/program.h"

namespace edgejoule {
namespace {

using test::Browser;
using testing::HasSubstr;
using testing::IsEmpty;

class CalibrationPage : public testing::Test {
 protected:
  void SetUp() override {
    program_ = test::find_browser();
    if (program_.empty()) GTEST_SKIP() << "no Chromium in PATH (set EDGEJOULE_BROWSER to another)";
    const test::Outcome outcome =
        test::run_program(std::string(EDGE_CALIBRATE) + " run --emulate orin-nano --budget 60s -o " +
                          folder_.file("t.ejt") + " --report " + page_);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }

  test::TemporaryFolder folder_;
  std::string page_ = folder_.file("page.html");
  std::string program_;
};

TEST_F(CalibrationPage, DrawsARunAndLoadsNothing) {
  Browser browser(program_);
  browser.open(page_);
  EXPECT_EQ(
      browser.ask("[...document.querySelectorAll('h2')].map(h => h.textContent).join('/')"),
      "Power over time/Predicted against measured/What to measure next/Coefficients/Every block/How it was measured");
  EXPECT_EQ(browser.ask("document.querySelectorAll('figure > svg').length"), "3");
  EXPECT_EQ(browser.ask("[...document.querySelectorAll('figure > svg')].every(s => s.getAttribute('aria-label'))"),
            "true");
  EXPECT_GT(std::stoi(browser.ask("document.querySelectorAll('.shade').length")), 10);
  EXPECT_THAT(browser.ask("document.querySelector('circle title').textContent"), HasSubstr(" W, idle "));
  EXPECT_EQ(browser.ask("performance.getEntriesByType('resource').length"), "0");
  EXPECT_THAT(browser.complaints(), IsEmpty());
}

// The heading of a row is long, and its table wider than the screen: it stays in sight all the same.
TEST_F(CalibrationPage, APhoneShowsWhatACoefficientCosts) {
  Browser browser(program_);
  browser.open(page_, 390, 800);
  EXPECT_EQ(browser.ask("document.documentElement.scrollWidth <= 390"), "true");
  EXPECT_EQ(browser.ask("[...document.querySelectorAll('.over span')].length > 2 && "
                        "[...document.querySelectorAll('.over span')].every(s => "
                        "s.getBoundingClientRect().right <= 390)"),
            "true");
  EXPECT_EQ(browser.ask("[...document.querySelectorAll('.over')][0].closest('tr').nextSibling.cells[2]."
                        "getBoundingClientRect().right <= 390"),
            "true")
      << "the uncertainty is in sight";
  EXPECT_EQ(browser.ask("document.querySelector('table').rows[1].cells[3].getBoundingClientRect().right <= 390"),
            "true")
      << "how far off a network is, too";
}

}  // namespace
}  // namespace edgejoule
