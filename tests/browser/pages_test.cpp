// The pages as a person uses them, in a real browser: a tree to click through, on a desk and on a phone, with nothing
// loaded from elsewhere and nothing run that a model's names brought along.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "browser/browser.h"
#include "edge-predict/compare_page.h"
#include "edge-predict/what_if.h"
#include "files/io.h"
#include "files/json.h"
#include "support/graph_fixture.h"
#include "support/table_fixture.h"

namespace edgejoule {
namespace {

using predict::Comparison;
using predict::Request;
using test::Browser;
using testing::HasSubstr;
using testing::IsEmpty;

class Pages : public testing::Test {
 protected:
  void SetUp() override {
    program_ = test::find_browser();
    if (program_.empty()) GTEST_SKIP() << "no Chromium in PATH (set EDGEJOULE_BROWSER to another)";
    files::save(table_, test::pack(test::sound_table()).span(), files::FileKind::kTable);
  }

  [[nodiscard]] Request request(const std::string& model) const {
    Request out;
    out.model = model;
    out.table = table_;
    return out;
  }
  std::string page(const std::string& html) {
    const std::string path = folder_.file("page.html");
    files::write_file(path, html);
    return path;
  }
  std::string bert_page() {
    Request longer = request("zoo:bert-tiny");
    longer.settings = {{"seq", "64"}};
    return page(compare_html(Comparison(request("zoo:bert-tiny"), longer)));
  }
  // The bar of a node by its name, the first one drawn.
  static std::string bar(const std::string& name) { return ".bars button[title^=\"" + name + "\"]"; }

  test::TemporaryFolder folder_;
  std::string table_ = folder_.file("t.ejt");
  std::string program_;
};

// The names from the root to the chosen node; a page follows its address one task after the click that changed it.
void expect_trail(Browser& browser, const std::string& wanted) {
  EXPECT_EQ(browser.until("[...document.querySelectorAll('.trail button')].map(b => b.textContent).join('/')", wanted),
            wanted);
}

TEST_F(Pages, ATreeIsClickedThroughAndOutAgain) {
  Browser browser(program_);
  browser.open(bert_page());
  expect_trail(browser, "bert-tiny");
  const int all = std::stoi(browser.ask("document.querySelectorAll('.bars button').length"));
  EXPECT_GT(all, 10);
  browser.click(bar("encoder"));
  expect_trail(browser, "bert-tiny/encoder");
  browser.click(bar("layer.1"));
  expect_trail(browser, "bert-tiny/encoder/layer.1");
  EXPECT_THAT(browser.ask("document.querySelector('.details').textContent"), HasSubstr("B - A"));
  EXPECT_EQ(browser.ask("document.querySelector('.bars button').style.width"), "100%");
  browser.press_escape();
  expect_trail(browser, "bert-tiny/encoder");
  browser.click(".trail button");
  expect_trail(browser, "bert-tiny");
  EXPECT_EQ(std::stoi(browser.ask("document.querySelectorAll('.bars button').length")), all);
  EXPECT_THAT(browser.complaints(), IsEmpty());
}

TEST_F(Pages, WidthsStandForWhatIsChosen) {
  Browser browser(program_);
  browser.open(bert_page());
  const std::string widths = "[...document.querySelectorAll('.bars button')].map(b => b.style.width).join(' ')";
  const std::string of_b = browser.ask(widths);
  browser.click(".views button:nth-child(3)");
  const std::string pressed = "document.querySelector('.views button:nth-child(3)').getAttribute('aria-pressed')";
  EXPECT_EQ(browser.until(pressed, "true"), "true");
  EXPECT_NE(browser.ask(widths), of_b);
  browser.click(".views button:nth-child(1)");
  EXPECT_EQ(browser.until(widths, of_b), of_b);
}

TEST_F(Pages, AnAddressLeadsToTheChosenNode) {
  Browser browser(program_);
  const std::string path = bert_page();
  browser.open(path);
  browser.click(bar("encoder"));
  expect_trail(browser, "bert-tiny/encoder");
  const std::string hash = browser.ask("location.hash");
  EXPECT_THAT(hash, HasSubstr("#node="));
  browser.open(folder_.file("page.html") + "?again" + hash);
  expect_trail(browser, "bert-tiny/encoder");
}

TEST_F(Pages, NothingIsLoadedFromElsewhere) {
  Browser browser(program_);
  browser.open(bert_page());
  EXPECT_EQ(browser.ask("performance.getEntriesByType('resource').length"), "0");
  EXPECT_EQ(browser.ask("document.querySelectorAll('[src], link, iframe, object').length"), "0");
}

TEST_F(Pages, NamesOfAModelAreTextAndNothingElse) {
  const std::string evil = "</script><img src=x onerror=\"document.title='owned'\"><b>";
  const auto model = [&](const char* file, std::uint64_t channels) {
    const std::string path = folder_.file(file);
    files::save(path,
                test::pack(test::graph_of({{.kind = OpKind::kBlock, .parent = 0, .name = evil},
                                           {.kind = OpKind::kConv2d,
                                            .parent = 1,
                                            .facts = test::conv_facts(1, 8, 8, 16, channels, 1),
                                            .name = evil}}))
                    .span(),
                files::FileKind::kGraph);
    return path;
  };
  Browser browser(program_);
  browser.open(page(compare_html(Comparison(request(model("a.ejg", 16)), request(model("b.ejg", 32))))));
  EXPECT_EQ(browser.ask("document.querySelectorAll('img').length"), "0");
  EXPECT_EQ(browser.ask("document.title"), "Two predictions side by side");
  EXPECT_EQ(browser.ask("document.querySelectorAll('.bars button')[1].textContent"), evil);
  EXPECT_THAT(browser.complaints(), IsEmpty());
}

TEST_F(Pages, AScriptThatIsNotThePagesOwnIsRefused) {
  std::string html = compare_html(Comparison(request("zoo:bert-tiny"), request("zoo:bert-tiny")));
  html.insert(html.rfind("</body>"), "<script>document.title='owned'</script>");
  Browser browser(program_);
  browser.open(page(html));
  EXPECT_EQ(browser.ask("document.title"), "Two predictions side by side");
  EXPECT_THAT(browser.complaints(), testing::Contains(HasSubstr("Content Security Policy")));
}

TEST_F(Pages, APhoneScrollsDownAndNotSideways) {
  Browser browser(program_);
  browser.open(bert_page(), 390, 800);
  EXPECT_EQ(browser.ask("document.documentElement.scrollWidth <= 390"), "true");
  browser.click(bar("encoder"));
  expect_trail(browser, "bert-tiny/encoder");
}

}  // namespace
}  // namespace edgejoule
