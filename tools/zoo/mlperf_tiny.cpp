// The four networks of MLPerf Tiny (arXiv 2106.07597): anomaly detection (ad01),
// keyword spotting (kws), visual wake words (vww) and image classification (ic).
#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "zoo/conv_net.h"
#include "zoo/families.h"

namespace edgejoule::zoo {
namespace {

void declare_mlperf_tiny(Options& options) {
  options.declare_choice("task", "kws", {"ad01", "kws", "vww", "ic"}, "which of the four networks");
}

// A fully connected autoencoder over five frames of 128 mel bands.
files::FileBytes build_anomaly_detection(const Options& options) {
  ConvNet net(options, {1, 1, 640});
  {
    const auto encoder = net.module(OpKind::kEncoder, "encoder");
    for (int i = 0; i < 4; ++i) {
      net.dense(fmt::format("dense_{}", i), 128, OpKind::kRelu);
    }
    net.dense("bottleneck", 8, OpKind::kRelu);
  }
  const auto decoder = net.module(OpKind::kDecoder, "decoder");
  for (int i = 0; i < 4; ++i) {
    net.dense(fmt::format("dense_{}", i), 128, OpKind::kRelu);
  }
  net.dense("output", 640);
  return net.finish();
}

// A depthwise-separable network over 49 frames of ten MFCCs.
files::FileBytes build_keyword_spotting(const Options& options) {
  ConvNet net(options, {49, 10, 1});
  {
    const auto stem = net.module(OpKind::kStem, "stem");
    net.conv("conv", 64, 10, 4, 2, OpKind::kRelu);
  }
  for (int i = 0; i < 4; ++i) {
    const auto block = net.module(OpKind::kBlock, fmt::format("block_{}", i + 1));
    net.depthwise("depthwise", 3, 1, OpKind::kRelu);
    net.conv("pointwise", 64, 1, 1, OpKind::kRelu);
  }
  const auto head = net.module(OpKind::kHead, "head");
  net.global_average_pool("pool");
  net.flatten("flatten");
  net.dense("logits", 12);
  net.softmax("softmax");
  return net.finish();
}

// MobileNetV1 0.25 on 96 x 96 pixels, person or not.
files::FileBytes build_visual_wake_words(const Options& options) {
  ConvNet net(options, {96, 96, 3});
  {
    const auto stem = net.module(OpKind::kStem, "stem");
    net.conv("conv", 8, 3, 2, OpKind::kRelu);
  }
  const struct {
    std::uint64_t channels;
    std::uint64_t stride;
  } blocks[] = {{16, 1},  {32, 2},  {32, 1},  {64, 2},  {64, 1},  {128, 2}, {128, 1},
                {128, 1}, {128, 1}, {128, 1}, {128, 1}, {256, 2}, {256, 1}};
  int index = 1;
  for (const auto& row : blocks) {
    const auto block = net.module(OpKind::kBlock, fmt::format("block_{}", index++));
    net.depthwise("depthwise", 3, row.stride, OpKind::kRelu);
    net.conv("pointwise", row.channels, 1, 1, OpKind::kRelu);
  }
  const auto head = net.module(OpKind::kHead, "head");
  net.global_average_pool("pool");
  net.flatten("flatten");
  net.dense("logits", 2);
  net.softmax("softmax");
  return net.finish();
}

// A ResNet of eight layers for CIFAR-10.
files::FileBytes build_image_classification(const Options& options) {
  ConvNet net(options, {32, 32, 3});
  {
    const auto stem = net.module(OpKind::kStem, "stem");
    net.conv("conv", 16, 3, 1, OpKind::kRelu);
  }
  for (int stage = 0; stage < 3; ++stage) {
    const auto block = net.module(OpKind::kResidualBlock, fmt::format("block_{}", stage + 1));
    const std::uint64_t channels = std::uint64_t{16} << stage;
    const std::uint64_t stride = stage == 0 ? 1 : 2;
    const TensorShape input = net.shape();
    net.conv("conv1", channels, 3, stride, OpKind::kRelu);
    net.conv("conv2", channels, 3, 1);
    if (stride != 1) {
      net.resume_at(input);
      net.conv("shortcut", channels, 1, stride);
    }
    net.add("add", OpKind::kRelu);
  }
  const auto head = net.module(OpKind::kHead, "head");
  net.global_average_pool("pool");
  net.flatten("flatten");
  net.dense("logits", 10);
  net.softmax("softmax");
  return net.finish();
}

files::FileBytes build_mlperf_tiny(const Options& options) {
  const std::string& task = options.choice("task");
  if (task == "ad01") return build_anomaly_detection(options);
  if (task == "vww") return build_visual_wake_words(options);
  if (task == "ic") return build_image_classification(options);
  return build_keyword_spotting(options);
}

}  // namespace

Family mlperf_tiny() {
  return {"mlperf_tiny",
          "MLPerf Tiny, keyword spotting",
          declare_mlperf_tiny,
          build_mlperf_tiny,
          {{"ad01", "task=ad01", "MLPerf Tiny anomaly detection: fully connected autoencoder"},
           {"kws", "task=kws", "MLPerf Tiny keyword spotting: DS-CNN"},
           {"vww", "task=vww", "MLPerf Tiny visual wake words: MobileNetV1 0.25, 96 x 96"},
           {"resnet8", "task=ic", "MLPerf Tiny image classification: ResNet-8, 32 x 32"}}};
}

}  // namespace edgejoule::zoo
