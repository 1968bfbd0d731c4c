#include "through_table.h"

#include <cmath>
#include <limits>
#include <stdexcept>

#include "fit/fit_table.h"
#include "fit/table_writer.h"
#include "pricing/set_pricer.h"

namespace edgejoule::accuracy {
namespace {

using measurements::MeasurementSet;

constexpr Confidence kOfCore[] = {Confidence::k50, Confidence::k80, Confidence::k90, Confidence::k95};

MeasurementSet part_of(const MeasurementSet& set, const std::vector<bool>& wanted) {
  MeasurementSet part = set;
  part.measurements.clear();
  std::vector<std::size_t> place(wanted.size(), std::numeric_limits<std::size_t>::max());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i]) continue;
    place[i] = part.measurements.size();
    part.measurements.push_back(set.measurements[i]);
    for (measurements::Child& child : part.measurements.back().children) child.index = place.at(child.index);
  }
  return part;
}

}  // namespace

Bounds bounds_of(const Residual& residual) {
  constexpr std::size_t kLower[] = {3, 2, 1, 0};
  Bounds bounds;
  for (std::size_t c = 0; c < kConfidences.size(); ++c) {
    bounds[c] = {residual.quantiles[kLower[c]], residual.quantiles[Residual::kQuantiles - 1 - kLower[c]]};
  }
  return bounds;
}

std::vector<TablePrice> price_by_table(const MeasurementSet& set, const std::vector<bool>& training) {
  const MeasurementSet train = part_of(set, training);
  const fit::FittedTable fitted = fit::fit_table(train);
  const files::FileBytes table = fit::write_table(fitted, train, {"held out", "", "edgejoule_accuracy"});
  const Residual levels[] = {fitted.op_residual, fitted.module_residual, fitted.model_residual};
  std::vector<TablePrice> prices(set.measurements.size());
  for (std::size_t c = 0; c < kConfidences.size(); ++c) {
    pricing::PricerOptions options;
    options.confidence = kOfCore[c];
    pricing::SetPricer pricer(set, table, options);
    for (std::size_t i = 0; i < prices.size(); ++i) {
      if (training[i]) continue;
      const pricing::Priced priced = pricer.price(i);
      if (!priced.problem.empty()) throw std::runtime_error(set.measurements[i].origin + ": " + priced.problem);
      prices[i].joules = priced.joules;
      prices[i].bounds[c] = {std::log(priced.lower / priced.joules), std::log(priced.upper / priced.joules)};
      prices[i].constant = bounds_of(levels[static_cast<std::size_t>(set.measurements[i].level)]);
    }
  }
  return prices;
}

void add_interval(const TablePrice& price, double measured, double weight, int group, IntervalRows& rows) {
  const double residual = std::log(measured / price.joules);
  for (std::size_t c = 0; c < kConfidences.size(); ++c) {
    rows.ours[c].push_back({price.bounds[c].first, price.bounds[c].second, residual, weight, group});
    rows.constant[c].push_back({price.constant[c].first, price.constant[c].second, residual, weight, group});
  }
}

}  // namespace edgejoule::accuracy
