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

Bounds constant_bounds(const std::vector<double>& log_residuals, const std::vector<double>& weights) {
  std::vector<std::pair<double, double>> sizes;
  for (std::size_t i = 0; i < log_residuals.size(); ++i) sizes.emplace_back(std::abs(log_residuals[i]), weights[i]);
  Bounds bounds;
  for (std::size_t c = 0; c < kConfidences.size(); ++c) {
    const double half = fit::weighted_quantile(sizes, kConfidences[c]);
    bounds[c] = {-half, half};
  }
  return bounds;
}

std::vector<TablePrice> price_by_table(const MeasurementSet& set, const std::vector<bool>& training) {
  const MeasurementSet train = part_of(set, training);
  const fit::FittedTable fitted = fit::fit_table(train);
  const files::FileBytes table = fit::write_table(fitted, train, {"held out", "", "edgejoule_accuracy"});
  std::array<std::vector<double>, 3> residuals, weights;
  for (std::size_t i = 0; i < train.measurements.size(); ++i) {
    const auto level = static_cast<std::size_t>(train.measurements[i].level);
    residuals[level].push_back(fitted.held_out_log_residuals[i]);
    weights[level].push_back(train.measurements[i].weight);
  }
  std::array<Bounds, 3> constant;
  for (std::size_t level = 0; level < constant.size(); ++level) {
    if (!residuals[level].empty()) constant[level] = constant_bounds(residuals[level], weights[level]);
  }
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
      prices[i].constant = constant[static_cast<std::size_t>(set.measurements[i].level)];
    }
  }
  return prices;
}

std::vector<double> known_joules_by_table(const MeasurementSet& set, const std::vector<bool>& training) {
  const fit::Observations observations(set);
  fit::FittedTable fitted;
  fitted.rows = fit::TreeFit(observations, training, {}).table_rows();
  const files::FileBytes table = fit::write_table(fitted, set, {"held out", "", "edgejoule_accuracy"});
  pricing::PricerOptions options;
  options.use_runtime_facts = true;
  pricing::SetPricer pricer(set, table, options);
  std::vector<double> joules(set.measurements.size(), 0.0);
  for (std::size_t i = 0; i < joules.size(); ++i) {
    if (training[i]) continue;
    const pricing::Priced priced = pricer.price(i);
    if (!priced.problem.empty()) throw std::runtime_error(set.measurements[i].origin + ": " + priced.problem);
    joules[i] = priced.joules;
  }
  return joules;
}

void add_interval(const TablePrice& price, double measured, double weight, int group, IntervalRows& rows) {
  const double residual = std::log(measured / price.joules);
  for (std::size_t c = 0; c < kConfidences.size(); ++c) {
    rows.ours[c].push_back({price.bounds[c].first, price.bounds[c].second, residual, weight, group});
    rows.constant[c].push_back({price.constant[c].first, price.constant[c].second, residual, weight, group});
  }
}

}  // namespace edgejoule::accuracy
