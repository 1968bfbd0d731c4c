#include "text/flag_text.h"

#include <array>

namespace edgejoule::text {

Span<const FlagText> flag_texts() {
  static constexpr std::array<FlagText, 16> kTexts = {{
      {Flag::kUnknownOp, "unknown-op", "the importer does not know this op; it is priced by its bytes alone"},
      {Flag::kFallback, "fallback", "the table has no row for this op; a broader row priced it (column \"by\")"},
      {Flag::kOutsideRange, "range", "some feature lies outside the range the row was fitted on: extrapolated"},
      {Flag::kOtherBoard, "board", "the table was measured on another board"},
      {Flag::kOtherRuntime, "runtime", "the table was measured with another runtime"},
      {Flag::kInterpolated, "between", "the operating point lies between calibrated ones"},
      {Flag::kIntervalNotGuaranteed, "interval?", "too few independent groups stand behind the interval"},
      {Flag::kIntervalUnknown, "no-interval", "the table states no residuals here, so no interval is known"},
      {Flag::kStaticUnknown, "no-static", "the time is not known, so static energy is left out (pass --time)"},
      {Flag::kStaticInDynamic, "total", "the table's baseline is total: static energy is inside these joules"},
      {Flag::kTimePredicted, "time", "the time, and static energy with it, is the table's prediction"},
      {Flag::kTimeIntervalNotGuaranteed, "time?", "too few independent groups stand behind the interval of the time"},
      {Flag::kRuntimeFacts, "measured", "measured time or a counter was used"},
      {Flag::kBatchScaled, "batch", "scaled from the batch of the file where the row is not linear in it"},
      {Flag::kNegativeOwn, "overlap",
       "children cost more than their module: they overlap, shares are allocated from the module"},
      {Flag::kBound, "bound", "an upper bound: control flow decides how often it runs"},
  }};
  return {kTexts.data(), kTexts.size()};
}

std::string flag_names(Flags flags, std::string_view separator) {
  std::string out;
  for (const FlagText& row : flag_texts()) {
    if (!flags.has(row.flag)) continue;
    if (!out.empty()) out += separator;
    out += row.short_name;
  }
  return out;
}

std::string_view level_text(Level level) {
  switch (level) {
    case Level::kExact: return "exact";
    case Level::kOpAndType: return "op+type";
    case Level::kOp: return "op";
    case Level::kClass: return "class";
    case Level::kRoofline: return "roofline";
    case Level::kNone: return "sum";
  }
  return "?";
}

float fraction_of(Confidence confidence) {
  switch (confidence) {
    case Confidence::k50: return 0.50F;
    case Confidence::k80: return 0.80F;
    case Confidence::k90: return 0.90F;
    case Confidence::k95: return 0.95F;
  }
  return 0;
}

}  // namespace edgejoule::text
