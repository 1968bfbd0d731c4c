// The tensors of an op with weights, in float32 or as a quantised network has them:
// int8 with exact 32-bit sums that are rescaled per output channel.
#pragma once

#include <type_traits>
#include <utility>
#include <vector>

#include "workloads/integer_math.h"
#include "workloads/kernel.h"

namespace edgejoule::workloads {

struct WeightedSizes {
  std::size_t inputs = 0, weights = 0, channels = 0, outputs = 0;
  std::size_t terms = 0;  // in the sum behind one output
  bool has_bias = false;
};

template <class T>
struct WeightedTensors {
  static constexpr bool kIsInteger = std::is_same_v<T, std::int8_t>;
  using Sum = std::conditional_t<kIsInteger, std::int32_t, float>;

  explicit WeightedTensors(const WeightedSizes& sizes) : has_bias(sizes.has_bias), y(sizes.outputs) {
    bias.resize(sizes.channels);  // zeros where there is none
    if constexpr (kIsInteger) {
      x = some_int8(sizes.inputs, 1);
      w = some_int8(sizes.weights, 2);
      if (has_bias) bias = some_int32(sizes.channels, 3, 1000);
      const float scale = typical_scale(sizes.terms);
      scales = some_floats(sizes.channels, 4, 0.5F * scale, 1.5F * scale);
    } else {
      x = some_floats(sizes.inputs, 1);
      w = some_floats(sizes.weights, 2);
      if (has_bias) bias = some_floats(sizes.channels, 3);
    }
  }

  [[nodiscard]] T finish(Sum sum, std::size_t channel) const {
    if constexpr (kIsInteger) {
      return rescale(sum, scales[channel]);
    } else {
      return sum;
    }
  }

  [[nodiscard]] Operands operands() const {
    Operands out{.inputs = {as_floats(x), as_floats(w)}, .output = as_floats(y)};
    if (has_bias) out.inputs.push_back(as_floats(bias));
    if (kIsInteger) out.inputs.push_back(scales);
    return out;
  }

  bool has_bias;
  std::vector<T> x, w;
  std::vector<Sum> bias;
  std::vector<float> scales;  // of an int8 output's channels
  std::vector<T> y;
};

}  // namespace edgejoule::workloads
