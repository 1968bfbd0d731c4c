// Models of public MLPerf results under the many names their submitters gave them.
//
// Source: mlcommons/inference_results (closed and open edge submissions with TFLite and
// Arm NN) and mlcommons/tiny_results.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "edgejoule/core/op_kinds.h"

namespace edgejoule::zoo {

struct MlperfModel {
  std::string family;
  std::string zoo;  // for build()
  DataType data_type = DataType::kUnknown;
};

// "mobilenet-v2-0.35-128-quantized", "resnet50", "efficientnet-lite4-non-quantized", ...
[[nodiscard]] std::optional<MlperfModel> find_mlperf_edge(std::string_view name);

// "ad", "anomaly_detection", "ic", "kws", "vww", ...: quantised to int8, as the rules have it.
[[nodiscard]] std::optional<MlperfModel> find_mlperf_tiny(std::string_view name);

}  // namespace edgejoule::zoo
