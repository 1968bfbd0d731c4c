// MobileNetV1 (arXiv 1704.04861), V2 (1801.04381) and V3 (1905.02244) as the TensorFlow
// releases build them: 1001 classes, a convolution for logits.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "zoo/conv_net.h"
#include "zoo/families.h"

namespace edgejoule::zoo {
namespace {

void declare_image_net(Options& options) {
  options.declare_factor("width", "1.0", 0.05, 8.0, "multiplier of all channel counts");
  options.declare_count("resolution", 224, 16, 4096, "height and width of the input");
  options.declare_count("classes", 1001, 1, 1'000'000, "outputs");
}

void add_head(ConvNet& net, std::uint64_t classes) {
  net.conv("logits", classes, 1, 1);
  net.flatten("squeeze");
  net.softmax("softmax");
}

std::vector<Preset> presets(const char* family, std::initializer_list<const char*> widths,
                            std::initializer_list<int> resolutions) {
  std::vector<Preset> list;
  for (const char* width : widths) {
    for (const int resolution : resolutions) {
      list.push_back({fmt::format("{}-{}-{}", family, width, resolution),
                      fmt::format("width={},resolution={}", width, resolution),
                      fmt::format("width {}, {} x {} input", width, resolution, resolution)});
    }
  }
  return list;
}

files::FileBytes build_v1(const Options& options) {
  const double width = options.factor("width");
  const auto depth = [&](double channels) {
    return std::max<std::uint64_t>(8, static_cast<std::uint64_t>(channels * width));
  };
  const std::uint64_t resolution = options.count("resolution");
  ConvNet net(options, {resolution, resolution, 3});
  net.conv("conv_0", depth(32), 3, 2, OpKind::kRelu6);
  const struct {
    double channels;
    std::uint64_t stride;
  } blocks[] = {{64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
                {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};
  int index = 1;
  for (const auto& block : blocks) {
    const auto module = net.module(OpKind::kBlock, fmt::format("block_{}", index++));
    net.depthwise("depthwise", 3, block.stride, OpKind::kRelu6);
    net.conv("pointwise", depth(block.channels), 1, 1, OpKind::kRelu6);
  }
  const auto head = net.module(OpKind::kHead, "head");
  net.global_average_pool("pool");
  add_head(net, options.count("classes"));
  return net.finish();
}

files::FileBytes build_v2(const Options& options) {
  const double width = options.factor("width");
  const std::uint64_t resolution = options.count("resolution");
  ConvNet net(options, {resolution, resolution, 3});
  {
    const auto stem = net.module(OpKind::kStem, "stem");
    net.conv("conv", rounded_channels(32 * width), 3, 2, OpKind::kRelu6);
  }
  const struct {
    std::uint64_t expansion;
    double channels;
    int repeats;
    std::uint64_t stride;
  } stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
  int index = 0;
  for (const auto& stage : stages) {
    const std::uint64_t out_c = rounded_channels(stage.channels * width);
    for (int repeat = 0; repeat < stage.repeats; ++repeat) {
      const auto block = net.module(OpKind::kInvertedResidual, fmt::format("block_{}", index++));
      const std::uint64_t stride = repeat == 0 ? stage.stride : 1;
      const std::uint64_t in_c = net.shape().c;
      if (stage.expansion != 1) {
        net.conv("expand", in_c * stage.expansion, 1, 1, OpKind::kRelu6);
      }
      net.depthwise("depthwise", 3, stride, OpKind::kRelu6);
      net.conv("project", out_c, 1, 1);
      if (stride == 1 && in_c == out_c) {
        net.add("add");
      }
    }
  }
  const auto head = net.module(OpKind::kHead, "head");
  // The last layer keeps its size in the narrow networks.
  net.conv("conv_last", rounded_channels(1280 * std::max(width, 1.0)), 1, 1, OpKind::kRelu6);
  net.global_average_pool("pool");
  add_head(net, options.count("classes"));
  return net.finish();
}

// One inverted residual of V3; the minimalistic networks have 3 x 3 kernels, no
// squeeze-and-excite and ReLU throughout.
struct V3Block {
  double expansion;
  double channels;
  std::uint64_t kernel;
  std::uint64_t stride;
  bool squeeze;
  bool hard_swish;
};

constexpr V3Block kLarge[] = {
    {1, 16, 3, 1, false, false},        {4, 24, 3, 2, false, false},  {3, 24, 3, 1, false, false},
    {3, 40, 5, 2, true, false},         {3, 40, 5, 1, true, false},   {3, 40, 5, 1, true, false},
    {6, 80, 3, 2, false, true},         {2.5, 80, 3, 1, false, true}, {184 / 80., 80, 3, 1, false, true},
    {184 / 80., 80, 3, 1, false, true}, {6, 112, 3, 1, true, true},   {6, 112, 3, 1, true, true},
    {6, 160, 5, 2, true, true},         {6, 160, 5, 1, true, true},   {6, 160, 5, 1, true, true}};

constexpr V3Block kSmall[] = {
    {1, 16, 3, 2, true, false}, {72. / 16, 24, 3, 2, false, false}, {88. / 24, 24, 3, 1, false, false},
    {4, 40, 5, 2, true, true},  {6, 40, 5, 1, true, true},          {6, 40, 5, 1, true, true},
    {3, 48, 5, 1, true, true},  {3, 48, 5, 1, true, true},          {6, 96, 5, 2, true, true},
    {6, 96, 5, 1, true, true},  {6, 96, 5, 1, true, true}};

void add_squeeze_excite(ConvNet& net) {
  const auto module = net.module(OpKind::kBranch, "squeeze_excite");
  const TensorShape tensor = net.shape();
  net.global_average_pool("pool");
  net.conv("squeeze", rounded_channels(static_cast<double>(tensor.c) / 4.0), 1, 1, OpKind::kRelu);
  net.conv("excite", tensor.c, 1, 1, OpKind::kHardSigmoid);
  net.resume_at(tensor);
  net.scale_channels("scale");
}

files::FileBytes build_v3(const Options& options) {
  const double width = options.factor("width");
  const bool is_large = options.choice("size") == "large";
  const bool minimalistic = options.choice("minimalistic") == "yes";
  const std::uint64_t resolution = options.count("resolution");
  const auto swish = minimalistic ? OpKind::kRelu : OpKind::kHardSwish;
  ConvNet net(options, {resolution, resolution, 3});
  {
    const auto stem = net.module(OpKind::kStem, "stem");
    net.conv("conv", rounded_channels(16 * width), 3, 2, swish);
  }
  const Span<const V3Block> blocks = is_large ? Span<const V3Block>(kLarge) : Span<const V3Block>(kSmall);
  int index = 0;
  for (const V3Block& row : blocks) {
    const auto block = net.module(OpKind::kInvertedResidual, fmt::format("block_{}", index++));
    const OpKind activation = row.hard_swish ? swish : OpKind::kRelu;
    const std::uint64_t in_c = net.shape().c;
    const std::uint64_t out_c = rounded_channels(row.channels * width);
    const std::uint64_t inner = rounded_channels(static_cast<double>(in_c) * row.expansion);
    if (inner > in_c) {
      net.conv("expand", inner, 1, 1, activation);
    }
    net.depthwise("depthwise", minimalistic ? 3 : row.kernel, row.stride, activation);
    if (row.squeeze && !minimalistic) {
      add_squeeze_excite(net);
    }
    net.conv("project", out_c, 1, 1);
    if (row.stride == 1 && in_c == out_c) {
      net.add("add");
    }
  }
  const auto head = net.module(OpKind::kHead, "head");
  net.conv("conv_last", rounded_channels((is_large ? 960 : 576) * width), 1, 1, swish);
  net.global_average_pool("pool");
  // As in V2, the layer before the logits keeps its size in the narrow networks.
  net.conv("features", rounded_channels((is_large ? 1280 : 1024) * std::max(width, 1.0)), 1, 1, swish);
  add_head(net, options.count("classes"));
  return net.finish();
}

void declare_v3(Options& options) {
  options.declare_choice("size", "large", {"large", "small"}, "which of the two networks");
  options.declare_choice("minimalistic", "no", {"no", "yes"},
                         "without squeeze-and-excite, hard swish and 5 x 5 kernels");
  declare_image_net(options);
}

}  // namespace

Family mobilenet_v1() {
  return {"mobilenet_v1", "MobileNetV1, 1001 classes", declare_image_net, build_v1,
          presets("mobilenet_v1", {"1.0", "0.75", "0.5", "0.25"}, {224, 192, 160, 128})};
}

Family mobilenet_v2() {
  std::vector<Preset> names = presets("mobilenet_v2", {"1.4", "1.3"}, {224});
  for (Preset& preset : presets("mobilenet_v2", {"1.0", "0.75", "0.5", "0.35"}, {224, 192, 160, 128, 96})) {
    names.push_back(std::move(preset));
  }
  return {"mobilenet_v2", "MobileNetV2, 1001 classes", declare_image_net, build_v2, std::move(names)};
}

Family mobilenet_v3() {
  return {"mobilenet_v3",
          "MobileNetV3 large, 1001 classes",
          declare_v3,
          build_v3,
          {{"mobilenet_v3-large", "size=large", "large, 224 x 224 input"},
           {"mobilenet_v3-large-0.75", "size=large,width=0.75", "large, width 0.75"},
           {"mobilenet_v3-large-minimalistic", "size=large,minimalistic=yes", "large, plain blocks"},
           {"mobilenet_v3-small", "size=small", "small, 224 x 224 input"},
           {"mobilenet_v3-small-0.75", "size=small,width=0.75", "small, width 0.75"},
           {"mobilenet_v3-small-minimalistic", "size=small,minimalistic=yes", "small, plain blocks"}}};
}

}  // namespace edgejoule::zoo
