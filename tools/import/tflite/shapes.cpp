#include "import/tflite/shapes.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "import/tflite/ops.h"
#include "import/tflite/slices.h"
#include "import/tflite/types.h"

namespace edgejoule::import {
namespace {

using namespace tflite_wire;
using Shape = std::optional<Dims>;
using Shapes = std::vector<Shape>;

constexpr std::size_t kMaxFoldedInts = 64;
constexpr std::int64_t kMaxDim = (1LL << 31) - 1;
// Values outside cannot be dimensions, offsets or axes; within, sums do not overflow.
constexpr std::int64_t kMaxFoldedValue = 1LL << 40;

std::optional<std::int64_t> product(const Dims& dims) {
  std::int64_t out = 1;
  for (const std::int64_t dim : dims) {
    if (__builtin_mul_overflow(out, dim, &out)) return std::nullopt;
  }
  return out;
}

std::optional<Ints> constant_ints(const TfliteTensor& tensor) {
  const std::size_t width = tensor.type == TensorType::int32 ? 4 : tensor.type == TensorType::int64 ? 8 : 0;
  if (!tensor.constant || width == 0 || tensor.data.empty() || tensor.data.size() % width != 0 ||
      tensor.data.size() / width > kMaxFoldedInts) {
    return std::nullopt;
  }
  Ints out;
  for (std::size_t at = 0; at < tensor.data.size(); at += width) {
    std::int64_t value = 0;
    if (width == 8) {
      std::memcpy(&value, tensor.data.data() + at, 8);
    } else {
      std::int32_t narrow = 0;
      std::memcpy(&narrow, tensor.data.data() + at, 4);
      value = narrow;
    }
    // STRIDED_SLICE writes "to the end" as the largest integer.
    out.push_back(std::clamp(value, -kMaxFoldedValue, kMaxFoldedValue));
  }
  return out;
}

// One operator's view of what is known so far.
class OperatorShapes {
 public:
  OperatorShapes(const TfliteOperator& op, const TfliteShapes& known) : op_(op), known_(known) {}

  Shapes outputs(TfliteRule rule) const {
    switch (rule) {
      case TfliteRule::kStated:
      case TfliteRule::kStablehloConvolution:
      case TfliteRule::kStablehloDot:
      case TfliteRule::kTransposeConvBias: return {};
      case TfliteRule::kControl: return control();
      case TfliteRule::kSame: return {shape(0)};
      case TfliteRule::kBroadcast: return {broadcast_all()};
      case TfliteRule::kConv2d: return {conv_2d()};
      case TfliteRule::kDepthwiseConv2d: return {depthwise_conv_2d()};
      case TfliteRule::kConv3d: return {conv_3d()};
      case TfliteRule::kTransposeConv2d:
      case TfliteRule::kTransposeConv3d:
      case TfliteRule::kFill: return {dims_from(0)};
      case TfliteRule::kShapeFromInput: return {dims_from(1)};
      case TfliteRule::kPool2d: return {pool_2d()};
      case TfliteRule::kFullyConnected: return {fully_connected()};
      case TfliteRule::kBatchMatmul: return {batch_matmul()};
      case TfliteRule::kLstm:
      case TfliteRule::kSequenceLstm: return {with_units(op_.inputs.size() < 20 ? last_of(1) : lstm_units(0))};
      case TfliteRule::kBidirectionalLstm: return bidirectional(lstm_units(0), lstm_units(17));
      case TfliteRule::kRnn:
      case TfliteRule::kSequenceRnn: return {with_units(first_of(1))};
      case TfliteRule::kBidirectionalRnn: return bidirectional(first_of(1), first_of(5));
      case TfliteRule::kSvdf: return {svdf()};
      case TfliteRule::kReshape: return {reshape()};
      case TfliteRule::kSqueeze: return {squeeze()};
      case TfliteRule::kExpandDims: return {expand_dims()};
      case TfliteRule::kConcatenation: return {concatenation()};
      case TfliteRule::kPack: return {pack()};
      case TfliteRule::kUnpack: return unpack();
      case TfliteRule::kSplit: return split();
      case TfliteRule::kSplitV: return split_v();
      case TfliteRule::kSlice: return {slice()};
      case TfliteRule::kStridedSlice: return {strided_slice()};
      case TfliteRule::kTranspose: return {transpose()};
      case TfliteRule::kPad: return {pad()};
      case TfliteRule::kReduce: return {reduce()};
      case TfliteRule::kArg: return {arg()};
      case TfliteRule::kTopK: return top_k();
      case TfliteRule::kResize: return {resize()};
      case TfliteRule::kSpaceToDepth: return {space_to_depth()};
      case TfliteRule::kDepthToSpace: return {depth_to_space()};
      case TfliteRule::kSpaceToBatch: return {space_to_batch()};
      case TfliteRule::kBatchToSpace: return {batch_to_space()};
      case TfliteRule::kGather: return {gather()};
      case TfliteRule::kGatherNd: return {gather_nd()};
      case TfliteRule::kEmbedding: return {embedding()};
      case TfliteRule::kOneHot: return {one_hot()};
      case TfliteRule::kTile: return {tile()};
      case TfliteRule::kShape: return {rank_vector()};
      case TfliteRule::kRank: return {Dims{}};
      case TfliteRule::kRange: return {range()};
      case TfliteRule::kMatrixDiag: return {matrix_diag()};
    }
    return {};
  }

  // The value of an integer result that only depends on shapes and constants.
  std::optional<Ints> ints(TfliteRule rule, OpKind kind) const {
    if (rule == TfliteRule::kShape) return shape(0);
    if (rule == TfliteRule::kRank && shape(0)) return Ints{static_cast<std::int64_t>(shape(0)->size())};
    if (kind == OpKind::kCast || rule == TfliteRule::kReshape || rule == TfliteRule::kSqueeze ||
        rule == TfliteRule::kExpandDims) {
      return values(0);
    }
    if (rule == TfliteRule::kPack || rule == TfliteRule::kConcatenation) {
      Ints out;
      for (std::size_t i = 0; i < op_.inputs.size(); ++i) {
        const auto part = values(i);
        if (!part || out.size() + part->size() > kMaxFoldedInts) return std::nullopt;
        out.insert(out.end(), part->begin(), part->end());
      }
      return out;
    }
    if (rule == TfliteRule::kStridedSlice) {
      const auto in = values(0);
      if (!in) return std::nullopt;
      return with_slice([&](const StridedSlice& slice) { return sliced_values(*in, slice); });
    }
    if ((kind == OpKind::kMul || kind == OpKind::kAdd || kind == OpKind::kSub) && op_.inputs.size() == 2) {
      const auto a = values(0);
      const auto b = values(1);
      if (!a || !b || a->size() != 1 || b->size() != 1) return std::nullopt;
      const std::int64_t x = a->front();
      const std::int64_t y = b->front();
      std::int64_t out = 0;
      const bool overflow = kind == OpKind::kMul   ? __builtin_mul_overflow(x, y, &out)
                            : kind == OpKind::kAdd ? __builtin_add_overflow(x, y, &out)
                                                   : __builtin_sub_overflow(x, y, &out);
      if (overflow) return std::nullopt;
      return Ints{std::clamp(out, -kMaxFoldedValue, kMaxFoldedValue)};
    }
    return std::nullopt;
  }

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

  Shapes control() const {
    // What goes round a loop keeps its shape; branches and calls state theirs.
    if (op_.wire->builtin_options_as_WhileOptions() == nullptr &&
        op_.wire->builtin_options_2_as_StablehloWhileOptions() == nullptr) {
      return {};
    }
    Shapes out;
    for (std::size_t i = 0; i < op_.outputs.size(); ++i) out.push_back(shape(i));
    return out;
  }

  Shape broadcast_all() const {
    Shape out = shape(0);
    for (std::size_t i = 1; i < op_.inputs.size() && out; ++i) {
      const Shape next = shape(i);
      out = next ? broadcast(*out, *next) : std::nullopt;
    }
    return out;
  }

  template <class Options>
  Shape windows_2d(const Options* options, std::size_t out_channels_axis) const {
    const Shape in = ranked(0, 4);
    const Shape filter = ranked(1, 4);
    if (!in || !filter || options == nullptr) return std::nullopt;
    const auto h =
        window_output((*in)[1], (*filter)[1], options->stride_h(), options->dilation_h(), options->padding());
    const auto w =
        window_output((*in)[2], (*filter)[2], options->stride_w(), options->dilation_w(), options->padding());
    if (!h || !w) return std::nullopt;
    return Dims{(*in)[0], *h, *w, (*filter)[out_channels_axis]};
  }
  Shape conv_2d() const { return windows_2d(op_.wire->builtin_options_as_Conv2DOptions(), 0); }
  Shape depthwise_conv_2d() const { return windows_2d(op_.wire->builtin_options_as_DepthwiseConv2DOptions(), 3); }
  Shape conv_3d() const {
    const Shape in = ranked(0, 5);
    const Shape filter = ranked(1, 5);
    const auto* options = op_.wire->builtin_options_as_Conv3DOptions();
    if (!in || !filter || options == nullptr) return std::nullopt;
    const auto d =
        window_output((*in)[1], (*filter)[0], options->stride_d(), options->dilation_d(), options->padding());
    const auto h =
        window_output((*in)[2], (*filter)[1], options->stride_h(), options->dilation_h(), options->padding());
    const auto w =
        window_output((*in)[3], (*filter)[2], options->stride_w(), options->dilation_w(), options->padding());
    if (!d || !h || !w) return std::nullopt;
    return Dims{(*in)[0], *d, *h, *w, (*filter)[4]};
  }
  Shape pool_2d() const {
    const Shape in = ranked(0, 4);
    const auto* options = op_.wire->builtin_options_as_Pool2DOptions();
    if (!in || options == nullptr) return std::nullopt;
    const auto h = window_output((*in)[1], options->filter_h(), options->stride_h(), 1, options->padding());
    const auto w = window_output((*in)[2], options->filter_w(), options->stride_w(), 1, options->padding());
    if (!h || !w) return std::nullopt;
    return Dims{(*in)[0], *h, *w, (*in)[3]};
  }
  Shape fully_connected() const {
    Shape in = shape(0);
    const Shape filter = ranked(1, 2);
    const auto* options = op_.wire->builtin_options_as_FullyConnectedOptions();
    if (!in || !filter) return std::nullopt;
    if (options != nullptr && options->keep_num_dims() && !in->empty()) {
      in->back() = (*filter)[0];
      return in;
    }
    const auto count = product(*in);
    if (!count || (*filter)[1] == 0) return std::nullopt;
    return Dims{*count / (*filter)[1], (*filter)[0]};
  }
  Shape batch_matmul() const {
    const Shape x = shape(0);
    const Shape y = shape(1);
    const auto* options = op_.wire->builtin_options_as_BatchMatMulOptions();
    if (!x || !y || x->size() < 2 || y->size() < 2) return std::nullopt;
    const bool adj_x = options != nullptr && options->adj_x();
    const bool adj_y = options != nullptr && options->adj_y();
    Shape out = broadcast(Dims(x->begin(), x->end() - 2), Dims(y->begin(), y->end() - 2));
    if (!out) return std::nullopt;
    out->push_back((*x)[x->size() - (adj_x ? 1 : 2)]);
    out->push_back((*y)[y->size() - (adj_y ? 2 : 1)]);
    return out;
  }
  std::optional<std::int64_t> first_of(std::size_t input) const {
    const Shape from = shape(input);
    return from && !from->empty() ? std::optional(from->front()) : std::nullopt;
  }
  std::optional<std::int64_t> last_of(std::size_t input) const {
    const Shape from = shape(input);
    return from && !from->empty() ? std::optional(from->back()) : std::nullopt;
  }
  // Of an LSTM whose weights start behind input `base`: rows of the projection, else
  // of the weights of the forget gate, which no variant leaves out.
  std::optional<std::int64_t> lstm_units(std::size_t base) const {
    const auto projected = first_of(base + 16);
    return projected ? projected : first_of(base + 2);
  }
  Shape with_units(std::optional<std::int64_t> units) const {
    Shape out = shape(0);
    if (!out || out->empty() || !units) return std::nullopt;
    out->back() = *units;
    return out;
  }
  Shapes bidirectional(std::optional<std::int64_t> forward, std::optional<std::int64_t> backward) const {
    if (!forward || !backward) return {};
    if (op_.outputs.size() == 1) return {with_units(*forward + *backward)};  // merged
    return {with_units(forward), with_units(backward)};
  }
  Shape svdf() const {
    const Shape in = ranked(0, 2);
    const Shape feature = ranked(1, 2);
    const auto* options = op_.wire->builtin_options_as_SvdfOptions();
    if (!in || !feature || options == nullptr || options->rank() <= 0) return std::nullopt;
    return Dims{(*in)[0], (*feature)[0] / options->rank()};
  }

  Shape reshape() const {
    const Shape in = shape(0);
    std::optional<Ints> to = values(1);
    const auto* options = op_.wire->builtin_options_as_ReshapeOptions();
    if (!to && op_.inputs.size() < 2 && options != nullptr && options->new_shape() != nullptr) {
      to.emplace(options->new_shape()->begin(), options->new_shape()->end());
    }
    if (!to) return std::nullopt;
    const auto open = std::find(to->begin(), to->end(), -1);
    if (open == to->end()) return to;
    *open = 1;
    const auto rest = product(*to);
    if (!in || !rest || *rest <= 0) return std::nullopt;
    const auto count = product(*in);
    if (!count || *count % *rest != 0) return std::nullopt;
    *open = *count / *rest;
    return to;
  }
  Shape squeeze() const {
    const Shape in = shape(0);
    const auto* options = op_.wire->builtin_options_as_SqueezeOptions();
    if (!in) return std::nullopt;
    std::vector<bool> drop(in->size());
    if (options == nullptr || options->squeeze_dims() == nullptr || options->squeeze_dims()->size() == 0) {
      for (std::size_t i = 0; i < in->size(); ++i) drop[i] = (*in)[i] == 1;
    } else {
      for (const std::int32_t dim : *options->squeeze_dims()) {
        const auto axis = axis_of(dim, in->size());
        if (!axis) return std::nullopt;
        drop[*axis] = true;
      }
    }
    Dims out;
    for (std::size_t i = 0; i < in->size(); ++i) {
      if (!drop[i]) out.push_back((*in)[i]);
    }
    return out;
  }
  Shape expand_dims() const {
    Shape in = shape(0);
    const auto at = value(1);
    if (!in || !at) return std::nullopt;
    const auto axis = axis_of(*at, in->size() + 1);
    if (!axis) return std::nullopt;
    in->insert(in->begin() + static_cast<std::ptrdiff_t>(*axis), 1);
    return in;
  }
  Shape concatenation() const {
    Shape out = shape(0);
    const auto* options = op_.wire->builtin_options_as_ConcatenationOptions();
    if (!out || options == nullptr) return std::nullopt;
    const auto axis = axis_of(options->axis(), out->size());
    if (!axis) return std::nullopt;
    for (std::size_t i = 1; i < op_.inputs.size(); ++i) {
      const Shape next = ranked(i, out->size());
      if (!next) return std::nullopt;
      (*out)[*axis] += (*next)[*axis];
    }
    return out;
  }
  Shape pack() const {
    Shape out = shape(0);
    const auto* options = op_.wire->builtin_options_as_PackOptions();
    if (!out) return std::nullopt;
    const auto axis = axis_of(options == nullptr ? 0 : options->axis(), out->size() + 1);
    if (!axis) return std::nullopt;
    out->insert(out->begin() + static_cast<std::ptrdiff_t>(*axis), static_cast<std::int64_t>(op_.inputs.size()));
    return out;
  }
  Shapes unpack() const {
    Shape out = shape(0);
    const auto* options = op_.wire->builtin_options_as_UnpackOptions();
    if (!out || out->empty()) return {};
    const auto axis = axis_of(options == nullptr ? 0 : options->axis(), out->size());
    if (!axis) return {};
    out->erase(out->begin() + static_cast<std::ptrdiff_t>(*axis));
    return Shapes(op_.outputs.size(), out);
  }
  Shapes split() const {  // (axis, value)
    Shape out = shape(1);
    const auto at = value(0);
    if (!out || !at || op_.outputs.empty()) return {};
    const auto axis = axis_of(*at, out->size());
    if (!axis) return {};
    (*out)[*axis] /= static_cast<std::int64_t>(op_.outputs.size());
    return Shapes(op_.outputs.size(), out);
  }
  Shapes split_v() const {  // (value, sizes, axis)
    const Shape in = shape(0);
    const auto sizes = values(1);
    const auto at = value(2);
    if (!in || !sizes || !at || sizes->size() != op_.outputs.size()) return {};
    const auto axis = axis_of(*at, in->size());
    if (!axis) return {};
    std::int64_t stated = 0;
    for (const std::int64_t size : *sizes) stated += std::max<std::int64_t>(size, 0);
    Shapes out;
    for (const std::int64_t size : *sizes) {
      out.push_back(in);
      (*out.back())[*axis] = size >= 0 ? size : (*in)[*axis] - stated;
    }
    return out;
  }
  Shape slice() const {
    const Shape in = shape(0);
    const auto begin = values(1);
    auto size = values(2);
    if (!size) return std::nullopt;
    for (std::size_t i = 0; i < size->size(); ++i) {
      if ((*size)[i] != -1) continue;
      if (!in || !begin || in->size() != size->size() || begin->size() != size->size()) return std::nullopt;
      (*size)[i] = (*in)[i] - (*begin)[i];
    }
    return size;
  }
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
  Shape strided_slice() const {
    const Shape in = shape(0);
    if (!in) return std::nullopt;
    return with_slice([&](const StridedSlice& slice) { return sliced_dims(*in, slice); });
  }
  Shape transpose() const {
    const Shape in = shape(0);
    const auto order = values(1);
    if (!in || !order || order->size() != in->size()) return std::nullopt;
    Dims out;
    for (const std::int64_t from : *order) {
      const auto axis = axis_of(from, in->size());
      if (!axis) return std::nullopt;
      out.push_back((*in)[*axis]);
    }
    return out;
  }
  Shape pad() const {
    Shape out = shape(0);
    const auto amounts = values(1);
    if (!out || !amounts || amounts->size() != 2 * out->size()) return std::nullopt;
    for (std::size_t i = 0; i < out->size(); ++i) (*out)[i] += (*amounts)[2 * i] + (*amounts)[2 * i + 1];
    return out;
  }
  Shape reduce() const {
    const Shape in = shape(0);
    const auto axes = values(1);
    const auto* options = op_.wire->builtin_options_as_ReducerOptions();
    if (!in || !axes) return std::nullopt;
    std::vector<bool> reduced(in->size());
    for (const std::int64_t at : *axes) {
      const auto axis = axis_of(at, in->size());
      if (!axis) return std::nullopt;
      reduced[*axis] = true;
    }
    Dims out;
    for (std::size_t i = 0; i < in->size(); ++i) {
      if (!reduced[i]) {
        out.push_back((*in)[i]);
      } else if (options != nullptr && options->keep_dims()) {
        out.push_back(1);
      }
    }
    return out;
  }
  Shape arg() const {
    Shape out = shape(0);
    const auto at = value(1);
    if (!out || !at) return std::nullopt;
    const auto axis = axis_of(*at, out->size());
    if (!axis) return std::nullopt;
    out->erase(out->begin() + static_cast<std::ptrdiff_t>(*axis));
    return out;
  }
  Shapes top_k() const {
    Shape out = shape(0);
    const auto k = value(1);
    if (!out || out->empty() || !k) return {};
    out->back() = *k;
    return {out, out};
  }
  Shape resize() const {
    const Shape in = ranked(0, 4);
    const auto size = values(1);
    if (!in || !size || size->size() != 2) return std::nullopt;
    return Dims{(*in)[0], (*size)[0], (*size)[1], (*in)[3]};
  }
  Shape space_to_depth() const {
    const Shape in = ranked(0, 4);
    const auto* options = op_.wire->builtin_options_as_SpaceToDepthOptions();
    if (!in || options == nullptr || options->block_size() <= 0) return std::nullopt;
    const std::int64_t b = options->block_size();
    const auto depth = product({(*in)[3], b, b});
    if (!depth) return std::nullopt;
    return Dims{(*in)[0], (*in)[1] / b, (*in)[2] / b, *depth};
  }
  Shape depth_to_space() const {
    const Shape in = ranked(0, 4);
    const auto* options = op_.wire->builtin_options_as_DepthToSpaceOptions();
    if (!in || options == nullptr || options->block_size() <= 0) return std::nullopt;
    const std::int64_t b = options->block_size();
    const auto h = product({(*in)[1], b});
    const auto w = product({(*in)[2], b});
    if (!h || !w) return std::nullopt;
    return Dims{(*in)[0], *h, *w, (*in)[3] / (b * b)};
  }
  Shape space_to_batch() const {  // (value, block, paddings)
    Shape out = shape(0);
    const auto block = values(1);
    const auto pads = values(2);
    if (!out || !block || !pads || pads->size() != 2 * block->size() || out->size() <= block->size())
      return std::nullopt;
    for (std::size_t i = 0; i < block->size(); ++i) {
      const std::int64_t b = (*block)[i];
      if (b <= 0) return std::nullopt;
      (*out)[i + 1] = ((*out)[i + 1] + (*pads)[2 * i] + (*pads)[2 * i + 1]) / b;
      if (__builtin_mul_overflow((*out)[0], b, out->data())) return std::nullopt;
    }
    return out;
  }
  Shape batch_to_space() const {  // (value, block, crops)
    Shape out = shape(0);
    const auto block = values(1);
    const auto crops = values(2);
    if (!out || !block || !crops || crops->size() != 2 * block->size() || out->size() <= block->size()) {
      return std::nullopt;
    }
    for (std::size_t i = 0; i < block->size(); ++i) {
      const std::int64_t b = (*block)[i];
      if (b <= 0) return std::nullopt;
      if (__builtin_mul_overflow((*out)[i + 1], b, &(*out)[i + 1])) return std::nullopt;
      (*out)[i + 1] -= (*crops)[2 * i] + (*crops)[2 * i + 1];
      (*out)[0] /= b;
    }
    return out;
  }
  Shape gather() const {
    const Shape in = shape(0);
    const Shape at = shape(1);
    const auto* options = op_.wire->builtin_options_as_GatherOptions();
    if (!in || !at) return std::nullopt;
    const auto axis = axis_of(options == nullptr ? 0 : options->axis(), in->size());
    const std::int64_t batch = options == nullptr ? 0 : options->batch_dims();
    if (!axis || batch < 0 || batch > static_cast<std::int64_t>(std::min(*axis, at->size()))) return std::nullopt;
    Dims out(in->begin(), in->begin() + static_cast<std::ptrdiff_t>(*axis));
    out.insert(out.end(), at->begin() + batch, at->end());
    out.insert(out.end(), in->begin() + static_cast<std::ptrdiff_t>(*axis) + 1, in->end());
    return out;
  }
  Shape gather_nd() const {
    const Shape in = shape(0);
    const Shape at = shape(1);
    if (!in || !at || at->empty() || at->back() < 0 || at->back() > static_cast<std::int64_t>(in->size())) {
      return std::nullopt;
    }
    Dims out(at->begin(), at->end() - 1);
    out.insert(out.end(), in->begin() + at->back(), in->end());
    return out;
  }
  Shape embedding() const {  // (ids, table)
    const Shape ids = shape(0);
    const Shape table = shape(1);
    if (!ids || !table || table->empty()) return std::nullopt;
    Dims out = *ids;
    out.insert(out.end(), table->begin() + 1, table->end());
    return out;
  }
  Shape one_hot() const {
    Shape out = shape(0);
    const auto depth = value(1);
    const auto* options = op_.wire->builtin_options_as_OneHotOptions();
    if (!out || !depth) return std::nullopt;
    const auto axis = axis_of(options == nullptr ? -1 : options->axis(), out->size() + 1);
    if (!axis) return std::nullopt;
    out->insert(out->begin() + static_cast<std::ptrdiff_t>(*axis), *depth);
    return out;
  }
  Shape tile() const {
    Shape out = shape(0);
    const auto times = values(1);
    if (!out || !times || times->size() != out->size()) return std::nullopt;
    for (std::size_t i = 0; i < out->size(); ++i) {
      if (__builtin_mul_overflow((*out)[i], (*times)[i], &(*out)[i])) return std::nullopt;
    }
    return out;
  }
  Shape rank_vector() const {
    const Shape in = shape(0);
    if (!in) return std::nullopt;
    return Dims{static_cast<std::int64_t>(in->size())};
  }
  Shape range() const {
    const auto start = value(0);
    const auto limit = value(1);
    const auto step = value(2);
    if (!start || !limit || !step || *step == 0) return std::nullopt;
    const std::int64_t distance = *step > 0 ? *limit - *start : *start - *limit;
    const std::int64_t stride = *step > 0 ? *step : -*step;
    return Dims{distance <= 0 ? 0 : (distance + stride - 1) / stride};
  }
  Shape matrix_diag() const {
    Shape out = shape(0);
    if (!out || out->empty()) return std::nullopt;
    out->push_back(out->back());
    return out;
  }

  const TfliteOperator& op_;
  const TfliteShapes& known_;
};

bool usable(const Shape& shape) {
  return shape && std::all_of(shape->begin(), shape->end(), [](std::int64_t d) { return d >= 0 && d <= kMaxDim; });
}

}  // namespace

std::optional<std::int64_t> window_output(std::int64_t input, std::int64_t kernel, std::int64_t stride,
                                          std::int64_t dilation, Padding padding) {
  if (stride <= 0 || dilation <= 0 || kernel <= 0) return std::nullopt;
  const std::int64_t reach = (kernel - 1) * dilation + 1;
  const std::int64_t positions = padding == Padding::same ? input : input - reach + 1;
  if (positions < 0) return std::nullopt;
  return (positions + stride - 1) / stride;
}

TfliteShapes infer_shapes(const TfliteSubgraph& graph, std::span<const std::optional<Dims>> arguments) {
  TfliteShapes out;
  for (const TfliteTensor& tensor : graph.tensors) {
    out.dims.push_back(tensor.dims);
    out.ints.push_back(constant_ints(tensor));
  }
  for (std::size_t i = 0; i < std::min(arguments.size(), graph.inputs.size()); ++i) {
    if (graph.inputs[i] < 0) continue;
    Shape& dims = out.dims[static_cast<std::size_t>(graph.inputs[i])];
    if (!dims) dims = arguments[i];
  }
  for (const TfliteOperator& op : graph.operators) {
    const TfliteOp& row = tflite_op(op.code, op.custom_code);
    const OperatorShapes shapes(op, out);
    const Shapes inferred = shapes.outputs(row.rule);
    std::optional<Ints> ints = shapes.ints(row.rule, row.kind);
    for (std::size_t i = 0; i < op.outputs.size(); ++i) {
      if (op.outputs[i] < 0) continue;
      const auto tensor = static_cast<std::size_t>(op.outputs[i]);
      if (!out.dims[tensor] && i < inferred.size() && usable(inferred[i])) out.dims[tensor] = inferred[i];
    }
    if (ints && op.outputs.size() == 1 && op.outputs[0] >= 0) {
      out.ints[static_cast<std::size_t>(op.outputs[0])] = std::move(ints);
    }
  }
  return out;
}

}  // namespace edgejoule::import
