// Names from models and boards are untrusted bytes: these make them safe to print.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace edgejoule::text {

// For a terminal or a log: control characters, C1 controls, bidirectional overrides,
// zero-width characters and bytes that are not UTF-8 become visible \xNN or \u{NNNN}
// escapes; everything else passes unchanged.
[[nodiscard]] std::string printable(std::string_view text);

// One CSV field (RFC 4180), quoted where needed. A leading '=', '+', '-' or '@' of a
// name is prefixed with an apostrophe, or a spreadsheet would run it as a formula.
[[nodiscard]] std::string csv_name(std::string_view text);

// Inside HTML or SVG text and attribute values.
[[nodiscard]] std::string html(std::string_view text);

// Well-formed UTF-8 for JSON and file formats: invalid bytes become U+FFFD.
[[nodiscard]] std::string valid_utf8(std::string_view text);

// A JSON string, in quotes; bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string json_string(std::string_view text);

// One word of a POSIX shell's command line, quoted where needed.
[[nodiscard]] std::string shell_word(std::string_view text);

// Columns a terminal gives the text (as printable() returns it): code points, wide
// East Asian ones twice, combining ones not at all.
[[nodiscard]] std::size_t display_width(std::string_view text);

// At most `width` columns, the middle replaced by an ellipsis where it is cut: the
// end of a scope name says more than its middle.
[[nodiscard]] std::string shorten(std::string_view text, std::size_t width);

}  // namespace edgejoule::text
