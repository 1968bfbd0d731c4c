// Results of convolutions, pools, matrix products and recurrent layers.
#include <algorithm>

#include "import/tflite/operator_shapes.h"

namespace edgejoule::import {

using namespace tflite_wire;

template <class Options>
OperatorShapes::Shape OperatorShapes::windows_2d(const Options* options, std::size_t out_channels_axis) const {
  const Shape in = ranked(0, 4);
  const Shape filter = ranked(1, 4);
  if (!in || !filter || options == nullptr) return std::nullopt;
  const auto h = window_output((*in)[1], (*filter)[1], options->stride_h(), options->dilation_h(), options->padding());
  const auto w = window_output((*in)[2], (*filter)[2], options->stride_w(), options->dilation_w(), options->padding());
  if (!h || !w) return std::nullopt;
  return Dims{(*in)[0], *h, *w, (*filter)[out_channels_axis]};
}

OperatorShapes::Shape OperatorShapes::conv_2d() const {
  return windows_2d(op_.wire->builtin_options_as_Conv2DOptions(), 0);
}

OperatorShapes::Shape OperatorShapes::depthwise_conv_2d() const {
  return windows_2d(op_.wire->builtin_options_as_DepthwiseConv2DOptions(), 3);
}

OperatorShapes::Shape OperatorShapes::conv_3d() const {
  const Shape in = ranked(0, 5);
  const Shape filter = ranked(1, 5);
  const auto* options = op_.wire->builtin_options_as_Conv3DOptions();
  if (!in || !filter || options == nullptr) return std::nullopt;
  const auto d = window_output((*in)[1], (*filter)[0], options->stride_d(), options->dilation_d(), options->padding());
  const auto h = window_output((*in)[2], (*filter)[1], options->stride_h(), options->dilation_h(), options->padding());
  const auto w = window_output((*in)[3], (*filter)[2], options->stride_w(), options->dilation_w(), options->padding());
  if (!d || !h || !w) return std::nullopt;
  return Dims{(*in)[0], *d, *h, *w, (*filter)[4]};
}

OperatorShapes::Shape OperatorShapes::pool_2d() const {
  const Shape in = ranked(0, 4);
  const auto* options = op_.wire->builtin_options_as_Pool2DOptions();
  if (!in || options == nullptr) return std::nullopt;
  const auto h = window_output((*in)[1], options->filter_h(), options->stride_h(), 1, options->padding());
  const auto w = window_output((*in)[2], options->filter_w(), options->stride_w(), 1, options->padding());
  if (!h || !w) return std::nullopt;
  return Dims{(*in)[0], *h, *w, (*in)[3]};
}

OperatorShapes::Shape OperatorShapes::fully_connected() const {
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

OperatorShapes::Shape OperatorShapes::batch_matmul() const {
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

std::optional<std::int64_t> OperatorShapes::first_of(std::size_t input) const {
  const Shape from = shape(input);
  return from && !from->empty() ? std::optional(from->front()) : std::nullopt;
}

std::optional<std::int64_t> OperatorShapes::last_of(std::size_t input) const {
  const Shape from = shape(input);
  return from && !from->empty() ? std::optional(from->back()) : std::nullopt;
}

// Of an LSTM whose weights start behind input `base`: rows of the projection, else
// of the weights of the forget gate, which no variant leaves out.
std::optional<std::int64_t> OperatorShapes::lstm_units(std::size_t base) const {
  const auto projected = first_of(base + 16);
  return projected ? projected : first_of(base + 2);
}

OperatorShapes::Shape OperatorShapes::with_units(std::optional<std::int64_t> units) const {
  Shape out = shape(0);
  if (!out || out->empty() || !units) return std::nullopt;
  out->back() = *units;
  return out;
}

OperatorShapes::Shapes OperatorShapes::bidirectional(std::optional<std::int64_t> forward,
                                                     std::optional<std::int64_t> backward) const {
  if (!forward || !backward) return {};
  if (op_.outputs.size() == 1) return {with_units(*forward + *backward)};  // merged
  return {with_units(forward), with_units(backward)};
}

OperatorShapes::Shape OperatorShapes::svdf() const {
  const Shape in = ranked(0, 2);
  const Shape feature = ranked(1, 2);
  const auto* options = op_.wire->builtin_options_as_SvdfOptions();
  if (!in || !feature || options == nullptr || options->rank() <= 0) return std::nullopt;
  return Dims{(*in)[0], (*feature)[0] / options->rank()};
}

std::optional<std::int64_t> window_output(std::int64_t input, std::int64_t kernel, std::int64_t stride,
                                          std::int64_t dilation, Padding padding) {
  if (stride <= 0 || dilation <= 0 || kernel <= 0) return std::nullopt;
  const std::int64_t reach = (kernel - 1) * dilation + 1;
  const std::int64_t positions = padding == Padding::same ? input : input - reach + 1;
  if (positions < 0) return std::nullopt;
  return (positions + stride - 1) / stride;
}

}  // namespace edgejoule::import
