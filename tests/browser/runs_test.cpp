// The pages of runs in a real browser: where the energy of one went, and two side by side.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "browser/browser.h"
#include "support/graph_fixture.h"
#include "support/program.h"
#include "unit/account/played_run.h"

namespace edgejoule {
namespace {

using account::PlayOptions;
using test::Browser;
using testing::HasSubstr;
using testing::IsEmpty;

class RunPages : public testing::Test {
 protected:
  void SetUp() override {
    program_ = test::find_browser();
    if (program_.empty()) GTEST_SKIP() << "no Chromium in PATH (set EDGEJOULE_BROWSER to another)";
    PlayOptions options;
    options.ops = account::four_equal_layers();
    options.inferences = 200;
    options.idle_ns = 300'000'000;
    write_files(play(options), folder_.file("a.ejp"), folder_.file("a.ejl"));
    options.ops[5].watts *= 0.3;
    options.seed = 3;
    write_files(play(options), folder_.file("b.ejp"), folder_.file("b.ejl"));
    std::vector<test::NodeSpec> nodes;
    for (std::size_t i = 0; i < options.ops.size(); ++i) {
      const std::string& name = options.ops[i].name;
      const std::size_t cut = name.find('/');
      if (i % kLayerOps == 0) nodes.push_back({.kind = OpKind::kLayer, .name = name.substr(0, cut)});
      nodes.push_back({.kind = OpKind::kDense,
                       .parent = static_cast<std::uint32_t>(nodes.size() - i % kLayerOps),
                       .facts = test::dense_facts(1, 64, 256, 256),
                       .name = name.substr(cut + 1)});
    }
    files::write_file(folder_.file("m.ejg"), test::pack(test::graph_of(nodes)).text());
  }
  std::string page(const std::string& arguments) const {
    const test::Outcome outcome = test::run_program("cd " + folder_.file("") + " && " + std::string(EDGE_CALIBRATE) +
                                                    ' ' + arguments + " --model m.ejg --html page.html");
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return folder_.file("page.html");
  }
  static void expect_sound(Browser& browser) {
    EXPECT_EQ(browser.ask("performance.getEntriesByType('resource').length"), "0");
    EXPECT_EQ(browser.ask("document.querySelectorAll('[src], link, iframe, object').length"), "0");
    EXPECT_THAT(browser.complaints(), IsEmpty());
  }

  static constexpr std::size_t kLayerOps = 7;
  // What stands in the trail above the bars.
  static constexpr const char* kTrail =
      "[...document.querySelectorAll('.trail button')].map(b => b.textContent).join('/')";
  // The strips of the first chart: one for each op of the inference, one behind the other.
  static constexpr const char* kStrips =
      "[...document.querySelector('figure > svg').querySelectorAll('g > rect')].map(r => [r.x.baseVal.value, "
      "r.width.baseVal.value])";

  test::TemporaryFolder folder_;
  std::string program_;
};

TEST_F(RunPages, AModuleOfTheRunIsOpened) {
  Browser browser(program_);
  browser.open(page("account a.ejp a.ejl"));
  EXPECT_EQ(browser.until(kTrail, "model"), "model");
  browser.click(".bars button[title^='layer_2']");
  EXPECT_EQ(browser.until(kTrail, "model/layer_2"), "model/layer_2");
  EXPECT_THAT(browser.ask("document.querySelector('.details').textContent"), HasSubstr("power"));
  EXPECT_EQ(browser.ask("document.querySelectorAll('.bars button').length"), "8") << "the layer and its seven ops";
  expect_sound(browser);
}

TEST_F(RunPages, OpsStandInTheOrderTheyRan) {
  Browser browser(program_);
  browser.open(page("account a.ejp a.ejl"));
  const std::string strips = kStrips;
  EXPECT_EQ(browser.ask(strips + ".length"), "28");
  EXPECT_EQ(browser.ask(strips + ".every((s, i, all) => i === 0 || s[0] >= all[i - 1][0] + all[i - 1][1] - 0.1)"),
            "true");
  EXPECT_THAT(browser.ask("document.querySelector('figure > svg g > title').textContent"),
              HasSubstr("layer_0/query: "));
}

TEST_F(RunPages, TheChangeBetweenTwoRunsIsFoundByItsWidth) {
  Browser browser(program_);
  browser.open(page("compare a.ejp a.ejl b.ejp b.ejl"));
  EXPECT_EQ(browser.until(kTrail, "model"), "model");
  browser.click(".views button:nth-child(3)");
  const std::string widest =
      "[...document.querySelectorAll('.bars button')].filter(b => !b.title.startsWith('model') && "
      "!b.title.startsWith('layer')).sort((a, b) => parseFloat(b.style.width) - "
      "parseFloat(a.style.width))[0].textContent";
  EXPECT_EQ(browser.until(widest, "up"), "up");
  EXPECT_EQ(browser.ask("document.querySelectorAll('figure > svg').length"), "2") << "an inference of each";
  EXPECT_THAT(browser.ask("[...document.querySelectorAll('h2')].map(h => h.textContent).join()"),
              HasSubstr("Modules, the biggest movers first"));
  expect_sound(browser);
}

TEST_F(RunPages, APhoneScrollsDownAndNotSideways) {
  Browser browser(program_);
  for (const char* arguments : {"account a.ejp a.ejl", "compare a.ejp a.ejl b.ejp b.ejl"}) {
    browser.open(page(arguments), 390, 800);
    EXPECT_EQ(browser.ask("document.documentElement.scrollWidth <= 390"), "true") << arguments;
  }
}

}  // namespace
}  // namespace edgejoule
