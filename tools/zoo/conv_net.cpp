#include "zoo/conv_net.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace edgejoule::zoo {
namespace {

std::uint64_t strided(std::uint64_t size, std::uint64_t stride) {
  return (size + stride - 1) / stride;
}

}  // namespace

std::uint64_t rounded_channels(double channels, std::uint64_t divisor) {
  const auto nearest = static_cast<std::uint64_t>(channels + static_cast<double>(divisor) / 2.0) / divisor * divisor;
  const std::uint64_t rounded = std::max(divisor, nearest);
  return static_cast<double>(rounded) < 0.9 * channels ? rounded + divisor : rounded;
}

graph::GraphInfo zoo_info(const Options& options) {
  std::string settings;
  for (const ZooParameter& parameter : options.parameters()) {
    settings += fmt::format("{}{}={}", settings.empty() ? "" : ",", parameter.key, parameter.value);
  }
  graph::GraphInfo info;
  info.model_name = options.model_name();
  info.format = "zoo";
  info.file = fmt::format("zoo:{}:{}", options.model_name(), settings);
  return info;
}

graph::WeightUse zoo_weights(DataType type, std::uint64_t channels) {
  graph::WeightUse use;
  use.scales = type == DataType::kInt8 ? channels : type == DataType::kUint8 ? 1 : 0;
  return use;
}

ConvNet::ConvNet(const Options& options, TensorShape input)
    : builder_(zoo_info(options)), shape_(input), batch_(options.count("batch")), type_(options.data_type()) {
  open_.push_back(builder_.root());
}

ConvNet::Module ConvNet::module(OpKind kind, std::string name) {
  open_.push_back(builder_.add_module(open_.back(), kind, std::move(name)));
  return Module(*this);
}

graph::OpContext ConvNet::context(std::string name) const {
  graph::OpContext context;
  context.name = std::move(name);
  context.batch = batch_;
  return context;
}

void ConvNet::add_convolution(std::string name, graph::ConvolutionParams params, OpKind activation) {
  params.in_h = shape_.h;
  params.in_w = shape_.w;
  params.in_c = shape_.c;
  params.out_h = strided(shape_.h, params.stride_h);
  params.out_w = strided(shape_.w, params.stride_w);
  params.fused_activation = activation;
  params.types.input = type_;
  params.weights = zoo_weights(type_, params.out_c);
  shape_ = {params.out_h, params.out_w, params.out_c};
  add_op(graph::convolution(context(std::move(name)), params));
}

void ConvNet::conv(std::string name, std::uint64_t out_c, std::uint64_t kernel, std::uint64_t stride,
                   OpKind activation) {
  conv(std::move(name), out_c, kernel, kernel, stride, activation);
}

void ConvNet::conv(std::string name, std::uint64_t out_c, std::uint64_t kernel_h, std::uint64_t kernel_w,
                   std::uint64_t stride, OpKind activation) {
  graph::ConvolutionParams params;
  params.out_c = out_c;
  params.kernel_h = kernel_h;
  params.kernel_w = kernel_w;
  params.stride_h = params.stride_w = stride;
  add_convolution(std::move(name), params, activation);
}

void ConvNet::depthwise(std::string name, std::uint64_t kernel, std::uint64_t stride, OpKind activation) {
  graph::ConvolutionParams params;
  params.kind = OpKind::kDepthwiseConv2d;
  params.out_c = shape_.c;
  params.groups = shape_.c;
  params.kernel_h = params.kernel_w = kernel;
  params.stride_h = params.stride_w = stride;
  add_convolution(std::move(name), params, activation);
}

void ConvNet::dense(std::string name, std::uint64_t outputs, OpKind activation) {
  graph::DenseParams params;
  params.k = shape_.h * shape_.w * shape_.c;
  params.n = outputs;
  params.fused_activation = activation;
  params.types.input = type_;
  params.weights = zoo_weights(type_, outputs);
  shape_ = {1, 1, outputs};
  add_op(graph::dense(context(std::move(name)), params));
}

void ConvNet::max_pool(std::string name, std::uint64_t kernel, std::uint64_t stride) {
  graph::PoolingParams params;
  params.kind = OpKind::kMaxPool2d;
  params.in_h = shape_.h;
  params.in_w = shape_.w;
  params.channels = shape_.c;
  params.kernel_h = params.kernel_w = kernel;
  params.stride_h = params.stride_w = stride;
  params.out_h = shape_.h = strided(shape_.h, stride);
  params.out_w = shape_.w = strided(shape_.w, stride);
  params.type = type_;
  add_op(graph::pooling(context(std::move(name)), params));
}

void ConvNet::global_average_pool(std::string name) {
  graph::PoolingParams params;
  params.kind = OpKind::kGlobalAveragePool;
  params.in_h = shape_.h;
  params.in_w = shape_.w;
  params.channels = shape_.c;
  params.type = type_;
  shape_.h = shape_.w = 1;
  add_op(graph::pooling(context(std::move(name)), params));
}

void ConvNet::flatten(std::string name) {
  const graph::Tensor tensor{.elements = elements(), .type = type_};
  shape_ = {1, 1, shape_.h * shape_.w * shape_.c};
  add_op(graph::data_movement(context(std::move(name)), OpKind::kReshape, {tensor}, {tensor}));
}

void ConvNet::activation(std::string name, OpKind kind) {
  const graph::Tensor tensor{.elements = elements(), .type = type_};
  add_op(graph::elementwise(context(std::move(name)), {.kind = kind, .inputs = {tensor}, .output = tensor}));
}

void ConvNet::softmax(std::string name) {
  add_op(graph::softmax(context(std::move(name)), OpKind::kSoftmax, batch_ * shape_.h * shape_.w, shape_.c, type_));
}

void ConvNet::add(std::string name, OpKind activation) {
  const graph::Tensor tensor{.elements = elements(), .type = type_};
  add_op(graph::elementwise(
      context(std::move(name)),
      {.kind = OpKind::kAdd, .inputs = {tensor, tensor}, .output = tensor, .fused_activation = activation}));
}

void ConvNet::scale_channels(std::string name) {
  const graph::Tensor tensor{.elements = elements(), .type = type_};
  const graph::Tensor gains{.elements = batch_ * shape_.c, .type = type_};
  add_op(graph::elementwise(context(std::move(name)),
                            {.kind = OpKind::kMul, .inputs = {tensor, gains}, .output = tensor}));
}

}  // namespace edgejoule::zoo
