// Writes convolutional networks layer by layer: it keeps the shape of the current
// tensor and the module that is open.
//
// Shape: padding is "same", out = ceil(in / stride), which for the even sizes of these
// networks is also what the symmetric padding of PyTorch gives.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph_builder.h"
#include "graph/ops.h"
#include "zoo/options.h"

namespace edgejoule::zoo {

struct TensorShape {
  std::uint64_t h = 1, w = 1, c = 1;
};

// Rounded to a multiple of `divisor` but never down by more than a tenth: the channel
// rule that MobileNetV2, V3 and EfficientNet share.
[[nodiscard]] std::uint64_t rounded_channels(double channels, std::uint64_t divisor = 8);

class ConvNet {
 public:
  ConvNet(const Options& options, TensorShape input);

  // Open until it goes out of scope; ops and modules made meanwhile are its children.
  class [[nodiscard]] Module {
   public:
    Module(const Module&) = delete;
    Module& operator=(const Module&) = delete;
    ~Module() { net_.open_.pop_back(); }

   private:
    friend class ConvNet;
    explicit Module(ConvNet& net) : net_(net) {}
    ConvNet& net_;
  };
  Module module(OpKind kind, std::string name);

  void conv(std::string name, std::uint64_t out_c, std::uint64_t kernel, std::uint64_t stride,
            OpKind activation = OpKind::kUnknown);
  void conv(std::string name, std::uint64_t out_c, std::uint64_t kernel_h, std::uint64_t kernel_w, std::uint64_t stride,
            OpKind activation);
  void depthwise(std::string name, std::uint64_t kernel, std::uint64_t stride, OpKind activation = OpKind::kUnknown);
  void dense(std::string name, std::uint64_t outputs, OpKind activation = OpKind::kUnknown);
  void max_pool(std::string name, std::uint64_t kernel, std::uint64_t stride);
  void global_average_pool(std::string name);
  void flatten(std::string name);
  void activation(std::string name, OpKind kind);
  void softmax(std::string name);
  // The current tensor with another of the same shape.
  void add(std::string name, OpKind activation = OpKind::kUnknown);
  // The current tensor times one value per channel.
  void scale_channels(std::string name);

  [[nodiscard]] TensorShape shape() const { return shape_; }
  // For branches: goes on from another tensor.
  void resume_at(TensorShape shape) { shape_ = shape; }

  [[nodiscard]] files::FileBytes finish() { return builder_.finish(); }

 private:
  void add_op(graph::OpNode op) { builder_.add_op(open_.back(), std::move(op)); }
  void add_convolution(std::string name, graph::ConvolutionParams params, OpKind activation);
  [[nodiscard]] graph::OpContext context(std::string name) const;
  [[nodiscard]] std::uint64_t elements() const { return batch_ * shape_.h * shape_.w * shape_.c; }

  graph::GraphBuilder builder_;
  std::vector<graph::NodeId> open_;
  TensorShape shape_;
  std::uint64_t batch_ = 1;
  DataType type_ = DataType::kFloat32;
};

// "NAME" for the graph, with its settings in the notes.
[[nodiscard]] graph::GraphInfo zoo_info(const Options& options);

// Quantisation scales of a weight tensor: int8 one per channel, uint8 one.
[[nodiscard]] graph::WeightUse zoo_weights(DataType type, std::uint64_t channels);

}  // namespace edgejoule::zoo
