// UTF-8, one code point at a time.
#pragma once

#include <cstddef>
#include <string_view>

namespace edgejoule::text {

struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 0;  // 0: not UTF-8 at this place
};

// Decodes strictly: no overlong forms, surrogates or values above U+10FFFF (RFC 3629).
// Precondition: `text` is not empty.
[[nodiscard]] CodePoint decode_utf8(std::string_view text);

// Characters that move the cursor, reorder the line or show as nothing.
[[nodiscard]] bool is_deceptive(char32_t c);

}  // namespace edgejoule::text
