// ResNet (arXiv 1512.03385). Bottlenecks are those of v1.5, which PyTorch and MLPerf
// run: the stride is on the 3 x 3 convolution, not on the 1 x 1 before it.
#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "zoo/conv_net.h"
#include "zoo/families.h"

namespace edgejoule::zoo {
namespace {

void declare_resnet(Options& options) {
  options.declare_choice("layers", "50", {"18", "34", "50", "101", "152"}, "depth");
  options.declare_count("resolution", 224, 32, 4096, "height and width of the input");
  options.declare_count("classes", 1000, 1, 1'000'000, "outputs");
}

void add_block(ConvNet& net, const std::string& name, std::uint64_t channels, std::uint64_t stride, bool bottleneck) {
  const auto block = net.module(OpKind::kResidualBlock, name);
  const TensorShape input = net.shape();
  const std::uint64_t out_c = bottleneck ? 4 * channels : channels;
  if (bottleneck) {
    net.conv("conv1", channels, 1, 1, OpKind::kRelu);
    net.conv("conv2", channels, 3, stride, OpKind::kRelu);
    net.conv("conv3", out_c, 1, 1);
  } else {
    net.conv("conv1", channels, 3, stride, OpKind::kRelu);
    net.conv("conv2", channels, 3, 1);
  }
  if (stride != 1 || input.c != out_c) {
    net.resume_at(input);
    net.conv("shortcut", out_c, 1, stride);
  }
  net.add("add", OpKind::kRelu);
}

files::FileBytes build_resnet(const Options& options) {
  const std::string& layers = options.choice("layers");
  const bool bottleneck = layers != "18" && layers != "34";
  const struct {
    const char* layers;
    int repeats[4];
  } depths[] = {
      {"18", {2, 2, 2, 2}}, {"34", {3, 4, 6, 3}}, {"50", {3, 4, 6, 3}}, {"101", {3, 4, 23, 3}}, {"152", {3, 8, 36, 3}}};
  const std::uint64_t resolution = options.count("resolution");
  ConvNet net(options, {resolution, resolution, 3});
  {
    const auto stem = net.module(OpKind::kStem, "stem");
    net.conv("conv", 64, 7, 2, OpKind::kRelu);
    net.max_pool("pool", 3, 2);
  }
  for (const auto& row : depths) {
    if (layers != row.layers) {
      continue;
    }
    for (int stage = 0; stage < 4; ++stage) {
      const auto module = net.module(OpKind::kStage, fmt::format("layer{}", stage + 1));
      for (int index = 0; index < row.repeats[stage]; ++index) {
        const std::uint64_t stride = stage > 0 && index == 0 ? 2 : 1;
        add_block(net, fmt::format("block_{}", index), std::uint64_t{64} << stage, stride, bottleneck);
      }
    }
  }
  const auto head = net.module(OpKind::kHead, "head");
  net.global_average_pool("pool");
  net.dense("logits", options.count("classes"));
  net.softmax("softmax");
  return net.finish();
}

}  // namespace

Family resnet() {
  return {"resnet",
          "ResNet of 50 layers, 1000 classes",
          declare_resnet,
          build_resnet,
          {{"resnet18", "layers=18", "18 layers, 224 x 224 input"},
           {"resnet34", "layers=34", "34 layers, 224 x 224 input"},
           {"resnet50", "layers=50", "50 layers (v1.5), 224 x 224 input"},
           {"resnet101", "layers=101", "101 layers (v1.5), 224 x 224 input"},
           {"resnet152", "layers=152", "152 layers (v1.5), 224 x 224 input"}}};
}

}  // namespace edgejoule::zoo
