// EfficientNet-Lite 0 to 4: EfficientNet (arXiv 1905.11946) without squeeze-and-excite,
// with ReLU6, and with stem, head, first and last stage left unscaled.
#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <iterator>

#include "zoo/conv_net.h"
#include "zoo/families.h"

namespace edgejoule::zoo {
namespace {

void declare_efficientnet_lite(Options& options) {
  options.declare_factor("width", "1.0", 0.1, 8.0, "multiplier of the channel counts");
  options.declare_factor("depth", "1.0", 0.1, 16.0, "multiplier of the repeats of a stage");
  options.declare_count("resolution", 224, 32, 4096, "height and width of the input");
  options.declare_count("classes", 1000, 1, 1'000'000, "outputs");
}

files::FileBytes build_efficientnet_lite(const Options& options) {
  const double width = options.factor("width");
  const double depth = options.factor("depth");
  const std::uint64_t resolution = options.count("resolution");
  ConvNet net(options, {resolution, resolution, 3});
  {
    const auto stem = net.module(OpKind::kStem, "stem");
    net.conv("conv", 32, 3, 2, OpKind::kRelu6);
  }
  const struct {
    double repeats;
    std::uint64_t kernel;
    std::uint64_t stride;
    std::uint64_t expansion;
    double channels;
  } stages[] = {{1, 3, 1, 1, 16},  {2, 3, 2, 6, 24},  {2, 5, 2, 6, 40}, {3, 3, 2, 6, 80},
                {3, 5, 1, 6, 112}, {4, 5, 2, 6, 192}, {1, 3, 1, 6, 320}};
  for (std::size_t s = 0; s < std::size(stages); ++s) {
    const auto& stage = stages[s];
    const bool unscaled = s == 0 || s + 1 == std::size(stages);
    const int repeats = static_cast<int>(unscaled ? stage.repeats : std::ceil(depth * stage.repeats));
    const std::uint64_t out_c = rounded_channels(stage.channels * width);
    const auto stage_module = net.module(OpKind::kStage, fmt::format("stage_{}", s + 1));
    for (int repeat = 0; repeat < repeats; ++repeat) {
      const auto block = net.module(OpKind::kInvertedResidual, fmt::format("block_{}", repeat));
      const std::uint64_t stride = repeat == 0 ? stage.stride : 1;
      const std::uint64_t in_c = net.shape().c;
      if (stage.expansion != 1) {
        net.conv("expand", in_c * stage.expansion, 1, 1, OpKind::kRelu6);
      }
      net.depthwise("depthwise", stage.kernel, stride, OpKind::kRelu6);
      net.conv("project", out_c, 1, 1);
      if (stride == 1 && in_c == out_c) {
        net.add("add");
      }
    }
  }
  const auto head = net.module(OpKind::kHead, "head");
  net.conv("conv_last", 1280, 1, 1, OpKind::kRelu6);
  net.global_average_pool("pool");
  net.dense("logits", options.count("classes"));
  net.softmax("softmax");
  return net.finish();
}

}  // namespace

Family efficientnet_lite() {
  return {"efficientnet_lite",
          "EfficientNet-Lite, 1000 classes",
          declare_efficientnet_lite,
          build_efficientnet_lite,
          {{"efficientnet_lite0", "width=1.0,depth=1.0,resolution=224", "224 x 224 input"},
           {"efficientnet_lite1", "width=1.0,depth=1.1,resolution=240", "240 x 240 input"},
           {"efficientnet_lite2", "width=1.1,depth=1.2,resolution=260", "260 x 260 input"},
           {"efficientnet_lite3", "width=1.2,depth=1.4,resolution=280", "280 x 280 input"},
           {"efficientnet_lite4", "width=1.4,depth=1.8,resolution=300", "300 x 300 input"}}};
}

}  // namespace edgejoule::zoo
