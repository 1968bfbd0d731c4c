// What the stream on the other side is: a person's terminal, or a pipe.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace edgejoule::text {

enum class ColourChoice { kAuto, kAlways, kNever };

// kAuto: only on a terminal, and not where NO_COLOR is set or TERM is "dumb".
[[nodiscard]] bool use_colour(std::FILE* stream, ColourChoice choice);
[[nodiscard]] bool is_terminal(std::FILE* stream);

// Columns of the terminal; `otherwise` in a pipe.
[[nodiscard]] int terminal_width(std::FILE* stream, int otherwise);

enum class Style { kPlain, kBold, kDim, kRed, kYellow, kGreen, kCyan };

// Wraps text in the style's escape sequence where `colour`, else returns it as it is.
[[nodiscard]] std::string styled(std::string_view text, Style style, bool colour);

}  // namespace edgejoule::text
