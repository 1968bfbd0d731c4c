// What an operator's results look like, by kind of rule: from the shapes and small integers known so far.
//
// Shape: nothing where an operand's shape is not known or does not fit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "import/tflite/ops.h"
#include "import/tflite/shapes.h"
#include "import/tflite/slices.h"

namespace edgejoule::import {

// One operator's view of what is known so far.
class OperatorShapes {
 public:
  using Shape = std::optional<Dims>;
  using Shapes = std::vector<Shape>;

  OperatorShapes(const TfliteOperator& op, const TfliteShapes& known) : op_(op), known_(known) {}

  [[nodiscard]] Shapes outputs(TfliteRule rule) const;
  // The value of an integer result that only depends on shapes and constants.
  [[nodiscard]] std::optional<Ints> ints(TfliteRule rule, OpKind kind) const;

  static constexpr std::size_t kMaxFoldedInts = 64;
  // Values outside cannot be dimensions, offsets or axes; within, sums do not overflow.
  static constexpr std::int64_t kMaxFoldedValue = 1LL << 40;

 private:
  Shape shape(std::size_t input) const {
    if (input >= op_.inputs.size() || op_.inputs[input] < 0) return std::nullopt;
    return known_.dims[static_cast<std::size_t>(op_.inputs[input])];
  }
  std::optional<Ints> values(std::size_t input) const {
    if (input >= op_.inputs.size() || op_.inputs[input] < 0) return std::nullopt;
    return known_.ints[static_cast<std::size_t>(op_.inputs[input])];
  }
  std::optional<std::int64_t> value(std::size_t input) const {
    const auto all = values(input);
    return all && all->size() == 1 ? std::optional(all->front()) : std::nullopt;
  }
  Shape ranked(std::size_t input, std::size_t rank) const {
    const Shape out = shape(input);
    return out && out->size() == rank ? out : std::nullopt;
  }
  Shape dims_from(std::size_t input) const { return values(input); }
  // Nothing where they exceed 64 bits.
  static std::optional<std::int64_t> product(const Dims& dims) {
    std::int64_t out = 1;
    for (const std::int64_t dim : dims) {
      if (__builtin_mul_overflow(out, dim, &out)) return std::nullopt;
    }
    return out;
  }

  Shapes control() const;
  Shape broadcast_all() const;

  // shapes_products.cpp: windows, products and what loops over time
  template <class Options>
  Shape windows_2d(const Options* options, std::size_t out_channels_axis) const;
  Shape conv_2d() const;
  Shape depthwise_conv_2d() const;
  Shape conv_3d() const;
  Shape pool_2d() const;
  Shape fully_connected() const;
  Shape batch_matmul() const;
  std::optional<std::int64_t> first_of(std::size_t input) const;
  std::optional<std::int64_t> last_of(std::size_t input) const;
  std::optional<std::int64_t> lstm_units(std::size_t base) const;
  Shape with_units(std::optional<std::int64_t> units) const;
  Shapes bidirectional(std::optional<std::int64_t> forward, std::optional<std::int64_t> backward) const;
  Shape svdf() const;

  // shapes_moves.cpp: what moves, selects and repeats elements
  Shape reshape() const;
  Shape squeeze() const;
  Shape expand_dims() const;
  Shape concatenation() const;
  Shape pack() const;
  Shapes unpack() const;
  Shapes split() const;    // (axis, value)
  Shapes split_v() const;  // (value, sizes, axis)
  Shape slice() const;
  Shape strided_slice() const;
  Shape transpose() const;
  Shape pad() const;
  Shape reduce() const;
  Shape arg() const;
  Shapes top_k() const;
  Shape resize() const;
  Shape space_to_depth() const;
  Shape depth_to_space() const;
  Shape space_to_batch() const;  // (value, block, paddings)
  Shape batch_to_space() const;  // (value, block, crops)
  Shape gather() const;
  Shape gather_nd() const;
  Shape embedding() const;  // (ids, table)
  Shape one_hot() const;
  Shape tile() const;
  Shape rank_vector() const;
  Shape range() const;
  Shape matrix_diag() const;
  // `slicing` of the operator's parameters, where all are known.
  template <class Slicing>
  auto with_slice(Slicing slicing) const -> decltype(slicing(std::declval<const StridedSlice&>())) {
    const auto begin = values(1);
    const auto end = values(2);
    const auto steps = values(3);
    const auto* options = op_.wire->builtin_options_as_StridedSliceOptions();
    if (!begin || !end || !steps || options == nullptr) return std::nullopt;
    return slicing(StridedSlice{*begin, *end, *steps, *options});
  }

  const TfliteOperator& op_;
  const TfliteShapes& known_;
};

}  // namespace edgejoule::import
