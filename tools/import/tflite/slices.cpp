#include "import/tflite/slices.h"

#include <algorithm>
#include <cstddef>

namespace edgejoule::import {
namespace {

constexpr std::size_t kMaxMaskBits = 31;

bool bit(std::int32_t mask, std::size_t i) {
  return ((static_cast<std::uint32_t>(mask) >> i) & 1U) != 0;
}

// What is picked along one dimension.
struct Picks {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

std::optional<Picks> picks(std::int64_t extent, const StridedSlice& slice, std::size_t i) {
  const std::int64_t step = slice.steps[i];
  if (step == 0) return std::nullopt;
  const bool forward = step > 0;
  std::int64_t begin = slice.begin[i] + (slice.begin[i] < 0 ? extent : 0);
  if (bit(slice.options.shrink_axis_mask(), i)) {  // one index; the end is not looked at
    return begin >= 0 && begin < extent ? std::optional(Picks{begin, 1}) : std::nullopt;
  }
  std::int64_t end = slice.end[i] + (slice.options.offset() ? slice.begin[i] : 0);
  end += end < 0 ? extent : 0;
  // Backwards, the place in front of the first element is where picking ends.
  const std::int64_t low = forward ? 0 : -1;
  const std::int64_t high = forward ? extent : extent - 1;
  begin = bit(slice.options.begin_mask(), i) ? (forward ? low : high) : std::clamp(begin, low, high);
  end = bit(slice.options.end_mask(), i) ? (forward ? high : low) : std::clamp(end, low, high);
  const std::int64_t distance = forward ? end - begin : begin - end;
  const std::int64_t stride = forward ? step : -step;
  return Picks{begin, distance <= 0 ? 0 : (distance + stride - 1) / stride};
}

}  // namespace

std::optional<Dims> sliced_dims(const Dims& input, const StridedSlice& slice) {
  const std::size_t count = slice.begin.size();
  if (slice.end.size() != count || slice.steps.size() != count || count > kMaxMaskBits) return std::nullopt;
  std::size_t consumed = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!bit(slice.options.new_axis_mask(), i) && !bit(slice.options.ellipsis_mask(), i)) ++consumed;
  }
  if (consumed > input.size()) return std::nullopt;
  std::size_t skipped = input.size() - consumed;  // what an ellipsis stands for
  Dims out;
  std::size_t dim = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (bit(slice.options.ellipsis_mask(), i)) {
      for (; skipped > 0; --skipped) out.push_back(input[dim++]);
    } else if (bit(slice.options.new_axis_mask(), i)) {
      out.push_back(1);
    } else {
      const auto picked = picks(input[dim++], slice, i);
      if (!picked) return std::nullopt;
      if (!bit(slice.options.shrink_axis_mask(), i)) out.push_back(picked->count);
    }
  }
  while (dim < input.size()) out.push_back(input[dim++]);
  return out;
}

std::optional<Ints> sliced_values(const Ints& input, const StridedSlice& slice) {
  if (slice.begin.size() != 1 || slice.end.size() != 1 || slice.steps.size() != 1 ||
      slice.options.ellipsis_mask() != 0 || slice.options.new_axis_mask() != 0) {
    return std::nullopt;
  }
  const auto picked = picks(static_cast<std::int64_t>(input.size()), slice, 0);
  if (!picked) return std::nullopt;
  Ints out;
  for (std::int64_t i = 0; i < picked->count; ++i) {
    out.push_back(input[static_cast<std::size_t>(picked->first + i * slice.steps.front())]);
  }
  return out;
}

}  // namespace edgejoule::import
