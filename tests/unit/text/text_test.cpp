#include <gtest/gtest.h>

#include <limits>

#include "text/columns.h"
#include "text/escape.h"
#include "text/quantity_text.h"

namespace edgejoule::text {
namespace {

TEST(Printable, LeavesOrdinaryTextAlone) {
  EXPECT_EQ(printable("encoder/layer_0 µ 日本"), "encoder/layer_0 µ 日本");
}

TEST(Printable, NeutralisesTerminalEscapes) {
  EXPECT_EQ(printable("\x1b[2Jgone\r\n\x07"), "\\x1b[2Jgone\\x0d\\x0a\\x07");
  EXPECT_EQ(printable("\xC2\x9B"
                      "31m"),
            "\\u{009b}31m");  // C1 control sequence introducer
}

TEST(Printable, ShowsBidirectionalAndInvisibleCharacters) {
  EXPECT_EQ(printable("a\xE2\x80\xAE"
                      "b\xE2\x80\x8B"),
            "a\\u{202e}b\\u{200b}");
}

TEST(Printable, ShowsBytesThatAreNotUtf8) {
  EXPECT_EQ(printable("\xC0\xAF"), "\\xc0\\xaf");           // overlong
  EXPECT_EQ(printable("\xED\xA0\x80"), "\\xed\\xa0\\x80");  // surrogate
  EXPECT_EQ(printable("x\xE2\x82"), "x\\xe2\\x82");         // cut short
}

TEST(ValidUtf8, ReplacesBadBytes) {
  EXPECT_EQ(valid_utf8("a\xFF"
                       "b"),
            "a\xEF\xBF\xBD"
            "b");
}

TEST(CsvName, QuotesAndDefusesFormulas) {
  EXPECT_EQ(csv_name("plain"), "plain");
  EXPECT_EQ(csv_name("a,\"b\""), "\"a,\"\"b\"\"\"");
  EXPECT_EQ(csv_name("=cmd()"), "'=cmd()");
}

TEST(Html, EscapesMarkup) {
  EXPECT_EQ(html("<b a='\"'>&"), "&lt;b a=&#39;&quot;&#39;&gt;&amp;");
}

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(display_width("µJ"), 2U);
  EXPECT_EQ(display_width("日本"), 4U);
  EXPECT_EQ(display_width("e\xCC\x81"), 1U);
}

TEST(Shorten, KeepsBothEndsWithinTheWidth) {
  EXPECT_EQ(shorten("short", 10), "short");
  const std::string cut = shorten("encoder/layer_0/attention/self/query", 16);
  EXPECT_LE(display_width(cut), 16U);
  EXPECT_EQ(cut.substr(0, 4), "enco");
  EXPECT_EQ(cut.substr(cut.size() - 5), "query");
  EXPECT_EQ(shorten("abc", 0), "");
}

TEST(Si, ScalesToThreeDigits) {
  EXPECT_EQ(si(0.0123456, "J"), "12.3 mJ");
  EXPECT_EQ(si(0, "J"), "0 J");
  EXPECT_EQ(si(-4.5e-6, "J"), "-4.50 µJ");
  EXPECT_EQ(si(999.6, "W"), "1.00 kW");
  EXPECT_EQ(si(0.99951, "J"), "1.00 J");
  EXPECT_EQ(si(1e-30, "J"), "0.00 aJ");
  EXPECT_EQ(si(std::numeric_limits<double>::infinity(), "J"), "inf J");
}

TEST(Percent, KeepsSmallSharesVisible) {
  EXPECT_EQ(percent(0.1234), "12.3 %");
  EXPECT_EQ(percent(0.00001), "<0.01 %");
  EXPECT_EQ(percent(0), "0.00 %");
  EXPECT_EQ(percent(1), "100 %");
}

TEST(Bytes, UsesBinaryMultiples) {
  EXPECT_EQ(bytes(1023), "1023 B");
  EXPECT_EQ(bytes(1536), "1.50 KiB");
  EXPECT_EQ(bytes(std::numeric_limits<std::uint64_t>::max()), "16.0 EiB");
}

TEST(Exact, ReadsBackAsTheSameFloat) {
  EXPECT_EQ(std::stof(exact(0.1F)), 0.1F);
}

TEST(Columns, AlignsByDisplayWidthAndLeavesNoTrailingSpace) {
  Columns columns({"name", "energy"}, {Align::kLeft, Align::kRight});
  columns.add({{"µ"}, {"1 J"}});
  columns.add({{"longer"}, {"10 mJ"}});
  EXPECT_EQ(columns.render(false),
            "name    energy\n"
            "µ          1 J\n"
            "longer   10 mJ\n");
}

TEST(Columns, ShortensTheFlexibleColumnToTheTerminal) {
  Columns columns({"name", "energy"}, {Align::kLeft, Align::kRight});
  columns.add({{std::string(60, 'x')}, {"1 J"}});
  const std::string text = columns.render(false, 40);
  EXPECT_EQ(text.find('\n'), 40U);
}

TEST(Columns, ColoursOnlyWhereAsked) {
  Columns columns({""}, {Align::kLeft});
  columns.add({{"x", Style::kRed}});
  EXPECT_EQ(columns.render(false), "x\n");
  EXPECT_EQ(columns.render(true), "\x1b[31mx\x1b[0m\n");
}

}  // namespace
}  // namespace edgejoule::text
