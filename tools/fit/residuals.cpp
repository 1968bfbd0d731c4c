#include "fit/residuals.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "fit/student_t.h"

namespace edgejoule::fit {
namespace {

constexpr std::array<double, Residual::kQuantiles> kLevels = {0.025, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.975};
constexpr double kLargest = 30.0;  // of a stored log residual

struct Weighted {
  double value = 0;
  double mass = 0;
};

std::vector<Weighted> by_group_mass(const HeldOut& held_out) {
  std::map<std::string, double> size;
  for (const std::string& group : held_out.groups) size[group] += 1;
  std::vector<Weighted> values;
  for (std::size_t i = 0; i < held_out.groups.size(); ++i) {
    const double value = std::clamp(held_out.log_residuals[i], -kLargest, kLargest);
    values.push_back({value, 1 / (size[held_out.groups[i]] * static_cast<double>(size.size()))});
  }
  std::stable_sort(values.begin(), values.end(), [](auto& a, auto& b) { return a.value < b.value; });
  return values;
}

// The smallest value with at least this mass at or below it.
double at_mass(const std::vector<Weighted>& values, double mass) {
  double sum = 0;
  for (const Weighted& w : values) {
    sum += w.mass;
    if (sum >= mass - 1e-9) return w.value;
  }
  return values.back().value;
}

// Outward rounding: a lower quantile from below, an upper one from above. Too few groups for the level: where the next
// value of a normal distribution would lie, and no less far out than the outermost value seen.
double conformal_quantile(const std::vector<Weighted>& values, double level, double groups) {
  const double rank = level < 0.5 ? std::floor(level * (groups + 1)) : std::ceil(level * (groups + 1));
  const bool enough = rank >= 1 && rank <= groups;
  const double seen = at_mass(values, enough && level != 0.5 ? rank / groups : level);
  if (enough || groups < 2) return seen;
  double mean = 0, variance = 0;
  for (const Weighted& w : values) mean += w.mass * w.value;
  for (const Weighted& w : values) variance += w.mass * (w.value - mean) * (w.value - mean);
  variance *= groups / (groups - 1) * (1 + 1 / groups);
  const double next = mean + student_t_quantile(level, static_cast<int>(groups) - 1) * std::sqrt(variance);
  return std::clamp(level < 0.5 ? std::min(seen, next) : std::max(seen, next), -kLargest, kLargest);
}

// A standard deviation that agrees with the 90 % interval, whatever the tails.
double spread(std::vector<double> values) {
  if (values.size() < 2) return 0;
  std::sort(values.begin(), values.end());
  const auto last = static_cast<double>(values.size() - 1);
  const auto at = [&](double level) {
    const double position = level * last;
    const auto below = static_cast<std::size_t>(position);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (position - std::floor(position)) * (values[above] - values[below]);
  };
  return (at(0.95) - at(0.05)) / (2 * kNormalP95);
}

struct Spreads {
  double shared = 0, independent = 0;
};

// What rows of one group have in common against how they differ.
Spreads spreads_within_groups(const HeldOut& held_out, double groups) {
  std::map<std::string, std::vector<double>> members;
  for (std::size_t i = 0; i < held_out.groups.size(); ++i) {
    members[held_out.groups[i]].push_back(held_out.log_residuals[i]);
  }
  double within = 0;
  std::vector<double> means;
  for (const auto& [group, values] : members) {
    double mean = 0;
    for (const double value : values) mean += value / static_cast<double>(values.size());
    for (const double value : values) within += (value - mean) * (value - mean);
    means.push_back(mean);
  }
  const double freedom = static_cast<double>(held_out.groups.size()) - groups;
  return {spread(means), std::sqrt(within / std::max(freedom, 1.0))};
}

// Every row a group of its own: likeness instead of groups. Half the mean squared
// difference of neighbours is the independent variance, the rest is shared.
Spreads spreads_of_neighbours(const HeldOut& held_out) {
  const double total = spread(held_out.log_residuals);
  if (held_out.neighbours.empty()) return {total, 0};
  std::vector<double> differences;
  for (std::size_t i = 0; i < held_out.neighbours.size(); ++i) {
    const double difference = held_out.log_residuals[i] - held_out.log_residuals[held_out.neighbours[i]];
    differences.push_back(difference);
    differences.push_back(-difference);
  }
  const double independent = std::min(spread(differences) / std::sqrt(2.0), total);
  return {std::sqrt(std::max(total * total - independent * independent, 0.0)), independent};
}

}  // namespace

ErrorPercent error_percent(const std::vector<double>& log_residuals) {
  std::vector<double> errors;
  ErrorPercent result;
  for (const double residual : log_residuals) {
    errors.push_back(100 * std::fabs(std::exp(-residual) - 1));
    result.mean += errors.back() / static_cast<double>(log_residuals.size());
  }
  if (errors.empty()) return result;
  std::sort(errors.begin(), errors.end());
  result.median = errors[errors.size() / 2];
  result.p90 = errors[std::min(errors.size() - 1, errors.size() * 9 / 10)];
  return result;
}

Residual summarise(const HeldOut& held_out) {
  Residual residual;
  if (held_out.log_residuals.empty()) return residual;
  const std::vector<Weighted> values = by_group_mass(held_out);
  std::map<std::string, int> distinct;
  for (const std::string& group : held_out.groups) distinct[group] = 1;
  const auto groups = static_cast<double>(distinct.size());
  const bool groups_have_members = static_cast<double>(held_out.groups.size()) >= 1.5 * groups && groups > 1;
  for (std::size_t q = 0; q < kLevels.size(); ++q) {
    // Rounding outward to whole groups is for one value per group; of many values in few
    // groups it would take the largest for a quartile.
    residual.quantiles[q] = static_cast<float>(groups_have_members ? at_mass(values, kLevels[q])
                                                                   : conformal_quantile(values, kLevels[q], groups));
  }
  // With few groups a near quantile is rounded outward to the last group and a far one is
  // not: neither may lie inside the other.
  constexpr std::size_t kMiddle = Residual::kQuantiles / 2;
  for (std::size_t q = kMiddle; q-- > 0;) {
    residual.quantiles[q] = std::min(residual.quantiles[q], residual.quantiles[q + 1]);
  }
  for (std::size_t q = kMiddle + 1; q < Residual::kQuantiles; ++q) {
    residual.quantiles[q] = std::max(residual.quantiles[q], residual.quantiles[q - 1]);
  }
  residual.has_quantiles = true;
  residual.groups = static_cast<std::uint32_t>(distinct.size());
  const Spreads spreads =
      groups_have_members ? spreads_within_groups(held_out, groups) : spreads_of_neighbours(held_out);
  residual.shared_sigma = static_cast<float>(spreads.shared);
  residual.independent_sigma = static_cast<float>(spreads.independent);
  const ErrorPercent error = error_percent(held_out.log_residuals);
  residual.median_error_percent = static_cast<float>(error.median);
  residual.mean_error_percent = static_cast<float>(error.mean);
  return residual;
}

std::vector<std::size_t> nearest_neighbours(const Eigen::MatrixXf& facts, const std::vector<std::string>& groups) {
  const Eigen::MatrixXf place = facts.cwiseMax(1e-6F).array().log().matrix();
  std::vector<std::size_t> nearest;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    std::size_t best = i;
    float smallest = std::numeric_limits<float>::infinity();
    for (std::size_t j = 0; j < groups.size(); ++j) {
      if (groups[i] == groups[j]) continue;
      const float distance =
          (place.row(static_cast<Eigen::Index>(i)) - place.row(static_cast<Eigen::Index>(j))).squaredNorm();
      if (distance < smallest) smallest = distance, best = j;
    }
    nearest.push_back(best);
  }
  return nearest;
}

}  // namespace edgejoule::fit
