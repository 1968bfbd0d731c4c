#include "fit/set_pool.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "fit/nnls.h"

namespace edgejoule::fit {
namespace {

constexpr int kAlternations = 6;       // of the common row and the devices' factors
constexpr double kCommonRidge = 1e-4;  // share of the weight
constexpr double kSmallestJoules = 1e-12;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

std::vector<Eigen::Index> rows_where(Eigen::Index size, auto holds) {
  std::vector<Eigen::Index> rows;
  for (Eigen::Index i = 0; i < size; ++i) {
    if (holds(static_cast<std::size_t>(i))) rows.push_back(i);
  }
  return rows;
}

Eigen::VectorXd balanced_weights(const PoolData& data, double balance) {
  std::map<std::pair<int, int>, double> count;
  const auto key = [&](std::size_t i) { return std::pair(data.devices[i], data.families[i]); };
  for (std::size_t i = 0; i < data.devices.size(); ++i) count[key(i)] += 1;
  Eigen::VectorXd weights(data.size());
  for (std::size_t i = 0; i < data.devices.size(); ++i) {
    weights[static_cast<Eigen::Index>(i)] = std::pow(count[key(i)], -balance);
  }
  return weights;
}

}  // namespace

PoolData PoolData::subset(const std::vector<Eigen::Index>& rows) const {
  PoolData part;
  part.terms = terms(rows, Eigen::all);
  part.energies = energies(rows);
  for (const Eigen::Index row : rows) {
    const auto i = static_cast<std::size_t>(row);
    part.devices.push_back(devices[i]);
    part.kinds.push_back(kinds[i]);
    part.families.push_back(families[i]);
  }
  return part;
}

SetPool::SetPool(const PoolData& data, const PoolForm& form) {
  const Eigen::VectorXd weights = balanced_weights(data, form.balance);
  const Eigen::MatrixXd terms = data.terms(Eigen::all, form.columns);
  by_device_.resize(static_cast<std::size_t>(*std::max_element(data.devices.begin(), data.devices.end())) + 1);
  common_.resize(static_cast<std::size_t>(*std::max_element(data.kinds.begin(), data.kinds.end())) + 1);
  const std::set<int> kinds(data.kinds.begin(), data.kinds.end());
  for (const int kind : kinds) {
    std::map<int, std::vector<Eigen::Index>> rows_of;
    std::vector<Eigen::Index> all;
    for (Eigen::Index i = 0; i < data.size(); ++i) {
      if (data.kinds[static_cast<std::size_t>(i)] != kind) continue;
      rows_of[data.devices[static_cast<std::size_t>(i)]].push_back(i);
      all.push_back(i);
    }
    std::map<int, double> factor;
    for (const auto& [device, rows] : rows_of) factor[device] = std::exp(data.energies(rows).array().log().mean());
    RelativeFitOptions options;
    options.ridge = 0;
    options.ridge_share = kCommonRidge;
    options.robust_steps = form.robust_steps;
    Eigen::VectorXd common;
    for (int step = 0; step < kAlternations; ++step) {
      Eigen::VectorXd energies(all.size());
      for (std::size_t i = 0; i < all.size(); ++i) {
        energies[static_cast<Eigen::Index>(i)] =
            data.energies[all[i]] / factor[data.devices[static_cast<std::size_t>(all[i])]];
      }
      common = fit_relative(terms(all, Eigen::all), energies, weights(all), options);
      for (const auto& [device, rows] : rows_of) {
        std::vector<double> ratios;
        for (const Eigen::Index row : rows) {
          ratios.push_back(std::log(data.energies[row] / std::max(terms.row(row).dot(common), kSmallestJoules)));
        }
        factor[device] = std::exp(median(std::move(ratios)));
      }
    }
    const auto spread_out = [&](const Eigen::VectorXd& coefficients) {
      Eigen::VectorXd wide = Eigen::VectorXd::Zero(data.terms.cols());
      wide(form.columns) = coefficients;
      return wide;
    };
    common_[static_cast<std::size_t>(kind)] = spread_out(common);
    for (const auto& [device, rows] : rows_of) {
      options.ridge_share = form.ridge;
      options.prior = factor[device] * common;
      by_device_[static_cast<std::size_t>(device)] =
          spread_out(fit_relative(terms(rows, Eigen::all), data.energies(rows), weights(rows), options));
    }
  }
}

bool SetPool::knows(int device) const {
  return static_cast<std::size_t>(device) < by_device_.size() &&
         by_device_[static_cast<std::size_t>(device)].size() != 0;
}

const Eigen::VectorXd& SetPool::coefficients(int device) const {
  return by_device_[static_cast<std::size_t>(device)];
}

const Eigen::VectorXd& SetPool::common(int kind) const {
  return common_[static_cast<std::size_t>(kind)];
}

Eigen::VectorXd SetPool::predict(const PoolData& data) const {
  Eigen::VectorXd joules = Eigen::VectorXd::Constant(data.size(), kNone);
  for (Eigen::Index i = 0; i < data.size(); ++i) {
    const int device = data.devices[static_cast<std::size_t>(i)];
    if (knows(device)) joules[i] = std::max(data.terms.row(i).dot(coefficients(device)), kSmallestJoules);
  }
  return joules;
}

SetPool SetPool::average(const std::vector<SetPool>& pools) {
  SetPool result = pools.front();
  for (std::size_t p = 1; p < pools.size(); ++p) {
    for (std::size_t d = 0; d < result.by_device_.size(); ++d) {
      if (result.by_device_[d].size() != 0) result.by_device_[d] += pools[p].by_device_[d];
    }
    for (std::size_t k = 0; k < result.common_.size(); ++k) {
      if (result.common_[k].size() != 0) result.common_[k] += pools[p].common_[k];
    }
  }
  for (auto* rows : {&result.by_device_, &result.common_}) {
    for (Eigen::VectorXd& row : *rows) row /= static_cast<double>(pools.size());
  }
  return result;
}

double median_of_device_medians(const Eigen::VectorXd& predicted, const PoolData& data) {
  std::map<int, std::vector<double>> errors;
  for (Eigen::Index i = 0; i < data.size(); ++i) {
    if (!std::isfinite(predicted[i])) continue;
    errors[data.devices[static_cast<std::size_t>(i)]].push_back(100 * std::abs(predicted[i] / data.energies[i] - 1));
  }
  std::vector<double> medians;
  for (auto& [device, values] : errors) medians.push_back(median(std::move(values)));
  return medians.empty() ? kNone : median(std::move(medians));
}

PoolChoice choose_forms(const std::vector<PoolForm>& forms, const PoolData& data, std::size_t averaged) {
  const std::set<int> families(data.families.begin(), data.families.end());
  PoolChoice choice;
  choice.scores.assign(forms.size(), 0.0);
  struct Fold {
    std::vector<Eigen::Index> outside;
    PoolData test;
    std::vector<SetPool> pools;
  };
  std::vector<Fold> folds;
  for (const int family : families) {
    if (family < 0) continue;
    const auto is_outside = [&](std::size_t i) { return data.families[i] == family; };
    const auto inside = rows_where(data.size(), [&](std::size_t i) { return !is_outside(i); });
    Fold fold{rows_where(data.size(), is_outside), {}, {}};
    if (inside.empty()) continue;
    fold.test = data.subset(fold.outside);
    const PoolData train = data.subset(inside);
    for (const PoolForm& form : forms) fold.pools.emplace_back(train, form);
    folds.push_back(std::move(fold));
  }
  for (std::size_t f = 0; f < forms.size(); ++f) {
    std::size_t counted = 0;
    for (const Fold& fold : folds) {
      const double score = median_of_device_medians(fold.pools[f].predict(fold.test), fold.test);
      if (!std::isfinite(score)) continue;
      choice.scores[f] += score;
      ++counted;
    }
    if (counted > 0) choice.scores[f] /= static_cast<double>(counted);
  }
  choice.order.resize(forms.size());
  std::iota(choice.order.begin(), choice.order.end(), std::size_t{0});
  std::stable_sort(choice.order.begin(), choice.order.end(),
                   [&](std::size_t a, std::size_t b) { return choice.scores[a] < choice.scores[b]; });
  choice.log_residuals = Eigen::VectorXd::Constant(data.size(), kNone);
  for (const Fold& fold : folds) {
    std::vector<SetPool> best;
    for (std::size_t i = 0; i < std::min(averaged, forms.size()); ++i) best.push_back(fold.pools[choice.order[i]]);
    const Eigen::VectorXd predicted = SetPool::average(best).predict(fold.test);
    choice.log_residuals(fold.outside) = (fold.test.energies.array() / predicted.array()).log().matrix();
  }
  return choice;
}

}  // namespace edgejoule::fit
