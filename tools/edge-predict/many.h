// Many models by one table: one row each.
//
// Errors: none of a model: what is wrong with one stands in its row, and the others are priced all the same.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "prediction.h"
#include "text_view.h"

namespace edgejoule::predict {

struct PricedModel {
  std::string model;  // as it was asked for
  std::string error;  // "": it was priced
  NodeEstimate whole;
  std::uint64_t ops = 0;
  std::uint64_t macs = 0;
  std::uint64_t weight_bytes = 0;
  double fallback_share = 0;  // of the joules: priced by a class or the roofline
};

// `base` with each model; `on_start` is called before each, with its place.
[[nodiscard]] std::vector<PricedModel> price_models(const Request& base, const std::vector<std::string>& models,
                                                    const std::function<void(std::size_t)>& on_start);

[[nodiscard]] std::string models_text(const std::vector<PricedModel>& models, const Request& base,
                                      const TextOptions& options);
[[nodiscard]] std::string models_csv(const std::vector<PricedModel>& models);
[[nodiscard]] std::string models_json(const std::vector<PricedModel>& models, const Request& base);

}  // namespace edgejoule::predict
