#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>

#include "report/chart.h"
#include "report/page.h"

namespace edgejoule::report {
namespace {

using testing::HasSubstr;
using testing::Not;

std::size_t count(const std::string& text, std::string_view what) {
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

TEST(Axis, WidensToRoundNumbers) {
  const Axis axis(Scale::kLinear, {0.13, 9.4}, "x", "J");
  EXPECT_DOUBLE_EQ(axis.low(), 0);
  EXPECT_DOUBLE_EQ(axis.high(), 10);
  EXPECT_DOUBLE_EQ(axis.position(5), 0.5);
}

TEST(Axis, IgnoresWhatHasNoPlaceOnALogarithmicScale) {
  const Axis axis(Scale::kLog10, {-1, 0, std::nan(""), 2e-3, 0.7}, "x", "J");
  EXPECT_DOUBLE_EQ(axis.low(), 1e-3);
  EXPECT_DOUBLE_EQ(axis.high(), 1);
  EXPECT_FALSE(axis.shows(0));
  EXPECT_TRUE(axis.shows(0.5));
}

TEST(Axis, SurvivesNoValuesAndOneValue) {
  EXPECT_GE(Axis(Scale::kLinear, {}, "x", "").ticks(5).size(), 2U);
  EXPECT_GE(Axis(Scale::kLog10, {3}, "x", "").ticks(5).size(), 2U);
  const Axis axis(Scale::kLinear, {7, 7}, "x", "");
  EXPECT_LT(axis.low(), 7);
  EXPECT_GT(axis.high(), 7);
}

TEST(Axis, IsSymmetricForRatios) {
  const Axis axis(Scale::kRatio, {0.25, 2, -1, std::nan("")}, "x", "");
  EXPECT_DOUBLE_EQ(axis.position(1), 0.5);
  EXPECT_NEAR(axis.position(4) + axis.position(0.25), 1, 1e-12);
  EXPECT_FALSE(axis.shows(0));
  std::vector<std::string> labels;
  for (const Tick& tick : axis.ticks(6)) labels.push_back(tick.label);
  EXPECT_THAT(labels, testing::ElementsAre("\u00f7 3", "\u00f7 1.5", "\u00f7 1.2", "equal", "\u00d7 1.2", "\u00d7 1.5",
                                           "\u00d7 3"));
  EXPECT_GT(Axis(Scale::kRatio, {1, 1}, "x", "").high(), 1);
}

TEST(Axis, MarksTheTicksBetweenDecades) {
  for (const Tick& tick : Axis(Scale::kLog10, {1e-3, 1}, "x", "J").ticks(4)) {
    EXPECT_EQ(tick.minor, tick.label[0] != '1') << tick.label;
  }
}

TEST(Axis, LabelsTicksInReadableUnits) {
  const std::vector<Tick> ticks = Axis(Scale::kLog10, {1e-3, 1}, "x", "J").ticks(4);
  EXPECT_EQ(ticks.front().label, "1 mJ");
  EXPECT_EQ(ticks.back().label, "1 J");
}

TEST(ScatterChart, DrawsEachPointAndCountsTheRest) {
  ChartOptions options;
  options.y_scale = Scale::kLog10;
  const std::string svg = scatter_chart({{"s", {{1, 1, "a"}, {2, 10, "b"}, {3, 0, "zero"}}}}, options);
  EXPECT_EQ(count(svg, "<circle cx="), 2U);
  EXPECT_THAT(svg, HasSubstr("1 value not shown"));
}

TEST(ScatterChart, EscapesTooltips) {
  const std::string svg = scatter_chart({{"", {{1, 1, "</title><script>alert(1)</script>"}}}}, {});
  EXPECT_THAT(svg, Not(HasSubstr("<script>")));
}

TEST(LineChart, BreaksTheLineAtAGap) {
  const std::string svg =
      line_chart({{"p", {{0, 1, ""}, {1, 2, ""}, {2, std::nan(""), ""}, {3, 2, ""}, {4, 1, ""}}}}, {});
  const std::size_t path = svg.find(" d=\"") + 4;
  const std::string d = svg.substr(path, svg.find('"', path) - path);
  EXPECT_EQ(count(d, "M"), 2U);
}

TEST(LineChart, PartsALineWithoutCountingAValueAsLost) {
  const double nothing = std::nan("");
  const std::string svg = line_chart({{"a", {{1, 1, ""}, {2, 2, ""}, {nothing, nothing, ""}, {3, 3, ""}}}}, {});
  EXPECT_EQ(count(svg.substr(svg.find("<path")), "M"), 2U);
  EXPECT_THAT(svg, Not(HasSubstr("not shown")));
}

TEST(LineChart, DrawsStripsOnItsAxisAndLabelsThoseWithRoom) {
  ChartOptions options;
  options.strips = {
      {0, 0.5, 0, 2, "wide<op>", "a tooltip"}, {0.5, 0.51, 1, 3, "narrow", ""}, {0.6, 0.6 + 1e-7, 0, 1, "", ""}};
  const std::string svg = line_chart({{"a", {{0, 1, ""}, {1, 1, ""}}}}, options);
  EXPECT_EQ(count(svg, "<rect"), 2U) << "nobody could see the third";
  EXPECT_THAT(svg, HasSubstr("wide&lt;op&gt;"));
  EXPECT_THAT(svg, HasSubstr("<title>a tooltip</title>"));
  EXPECT_THAT(svg, Not(HasSubstr("narrow")));
}

TEST(BarChart, SurvivesAllZero) {
  EXPECT_THAT(bar_chart({{"a", 0, "0 J"}}), HasSubstr("0 J"));
}

TEST(Page, LoadsNothingFromElsewhere) {
  Page page("title <1>", "sub");
  page.figures({{"2.4 %", "mean", "of 5"}});
  page.chart("caption", bar_chart({{"a", 1, "1 J"}}));
  page.table({{"a", false}, {"b", true}}, {{"<i>", "1"}}, 40);
  const std::string html = page.render();
  EXPECT_THAT(html, HasSubstr("title &lt;1&gt;"));
  EXPECT_THAT(html, HasSubstr("&lt;i&gt;"));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  EXPECT_THAT(html, Not(HasSubstr("http://")));
  EXPECT_THAT(html, Not(HasSubstr("https://")));
  EXPECT_THAT(html, Not(HasSubstr("<script")));
}

TEST(Page, FoldsLongTables) {
  Page page("t", "");
  page.table({{"a", false}}, std::vector<std::vector<std::string>>(50, {"x"}), 40);
  EXPECT_THAT(page.render(), HasSubstr("10 more rows"));
  EXPECT_EQ(count(page.render(), "<td>"), 50U);
}

Icicle two_nodes(const std::string& name, double size) {
  Icicle icicle{{"joules"}, {}, "", ""};
  icicle.nodes.push_back({.name = "root", .sizes = {1.0}});
  icicle.nodes.push_back({.parent = 0, .name = name, .sizes = {size}, .details = {{"energy", "1 J"}}});
  return icicle;
}

TEST(IcicleHtml, KeepsNamesInsideItsData) {
  const std::string html = icicle_html(two_nodes("</script><!--\"", 0.5));
  EXPECT_THAT(html, HasSubstr(R"("n":"\u003c/script>\u003c!--\"")"));
  EXPECT_EQ(count(html, "</script>"), 1U);
}

TEST(IcicleHtml, LeavesOutWhatNobodyCouldSeeAndSaysSo) {
  EXPECT_THAT(icicle_html(two_nodes("small", 1e-6)), HasSubstr("1 of 2 nodes is not drawn"));
  EXPECT_THAT(icicle_html(two_nodes("nan", std::nan(""))), HasSubstr("1 of 2 nodes is not drawn"));
  EXPECT_THAT(icicle_html(two_nodes("large", 0.5)), Not(HasSubstr("not drawn")));
}

TEST(Page, AllowsItsOwnScriptAndNoOther) {
  Page plain("t", "s");
  EXPECT_THAT(plain.render(), Not(HasSubstr("script")));
  Page page("t", "s");
  page.icicle("caption", two_nodes("n", 0.5));
  // Of the script as it stands between its tags: openssl dgst -sha256 -binary | base64
  const std::string html = page.render();
  const std::size_t begin = html.rfind("<script>") + 8, end = html.rfind("</script>");
  EXPECT_EQ(html.substr(begin, end - begin), icicle_script());
  EXPECT_EQ(count(html, "script-src"), 1U);
  EXPECT_THAT(html, testing::ContainsRegex("script-src 'sha256-[A-Za-z0-9+/]{43}='"));
}

}  // namespace
}  // namespace edgejoule::report
