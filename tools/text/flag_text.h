// Flags and levels of an estimate in words.
#pragma once

#include <string>
#include <string_view>

#include "edgejoule/core/estimate.h"
#include "edgejoule/core/span.h"

namespace edgejoule::text {

// What a flag means, in one sentence for a person; `short_name` in a column.
struct FlagText {
  Flag flag;
  std::string_view short_name;
  std::string_view meaning;
};
[[nodiscard]] Span<const FlagText> flag_texts();
// The short names of those that are set.
[[nodiscard]] std::string flag_names(Flags flags, std::string_view separator);
[[nodiscard]] std::string_view level_text(Level level);
[[nodiscard]] float fraction_of(Confidence confidence);  // 0.9 for k90

}  // namespace edgejoule::text
