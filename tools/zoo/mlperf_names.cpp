#include "zoo/mlperf_names.h"

#include <fmt/format.h>

#include <array>
#include <vector>

namespace edgejoule::zoo {
namespace {

std::vector<std::string_view> words_of(std::string_view name) {
  std::vector<std::string_view> words;
  for (std::size_t dash = 0; dash != std::string_view::npos;) {
    dash = name.find('-');
    words.push_back(name.substr(0, dash));
    name.remove_prefix(dash == std::string_view::npos ? name.size() : dash + 1);
  }
  return words;
}

bool is_digits(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
}

// "0.35" and "128" of "mobilenet-v2-0.35-128-quantized"; "" where there is none.
struct WidthAndResolution {
  std::string_view width, resolution;
};
WidthAndResolution sizes_of(std::string_view name) {
  WidthAndResolution sizes;
  for (const std::string_view word : words_of(name)) {
    if (word.size() >= 3 && is_digits(word.substr(0, 1)) && word[1] == '.') {
      sizes.width = word;
    } else if (!sizes.width.empty() && sizes.resolution.empty() && is_digits(word)) {
      sizes.resolution = word;
    }
  }
  return sizes;
}

}  // namespace

std::optional<MlperfModel> find_mlperf_edge(std::string_view name) {
  const auto has = [&](std::string_view part) { return name.find(part) != std::string_view::npos; };
  const bool quantized = (has("quantized") && !has("non-quantized")) || has("uint8") || has("int8");
  MlperfModel model;
  model.data_type = quantized ? DataType::kUint8 : DataType::kFloat32;
  std::string settings = quantized ? "dtype=uint8" : "dtype=fp32";
  if (const std::size_t lite = name.find("lite"); lite != std::string_view::npos) {
    if (lite + 4 >= name.size() || name[lite + 4] < '0' || name[lite + 4] > '4') return std::nullopt;
    model.family = "efficientnet_lite";
    model.zoo = fmt::format("efficientnet_lite{}", name[lite + 4]);
  } else if (has("mobilenet-v1") || has("mobilenet-v2")) {
    const WidthAndResolution sizes = sizes_of(name);
    if (sizes.width.empty() || sizes.resolution.empty()) return std::nullopt;
    model.family = model.zoo = has("mobilenet-v1") ? "mobilenet_v1" : "mobilenet_v2";
    settings += fmt::format(",width={},resolution={}", sizes.width, sizes.resolution);
  } else if (has("mobilenet-v3") || has("v3-small") || has("v3-large")) {
    model.family = "mobilenet_v3";
    model.zoo = fmt::format("mobilenet_v3-{}", has("small") ? "small" : "large");
    model.zoo += has("minimal") ? "-minimalistic" : has("0.75") ? "-0.75" : "";
  } else if (has("resnet50")) {
    model.family = "resnet", model.zoo = "resnet50";
  } else {
    return std::nullopt;
  }
  model.zoo += ":" + settings;
  return model;
}

std::optional<MlperfModel> find_mlperf_tiny(std::string_view name) {
  struct Spelling {
    std::string_view name, task;
  };
  constexpr std::array<Spelling, 9> kSpellings = {{{"ad", "ad01"},
                                                   {"ad01", "ad01"},
                                                   {"anomaly_detection", "ad01"},
                                                   {"ic", "ic"},
                                                   {"image_classification", "ic"},
                                                   {"kws", "kws"},
                                                   {"keyword_spotting", "kws"},
                                                   {"vww", "vww"},
                                                   {"visual_wake_words", "vww"}}};
  for (const Spelling& spelling : kSpellings) {
    if (spelling.name != name) continue;
    return MlperfModel{std::string(spelling.task), fmt::format("mlperf_tiny:task={},dtype=int8", spelling.task),
                       DataType::kInt8};
  }
  return std::nullopt;
}

}  // namespace edgejoule::zoo
