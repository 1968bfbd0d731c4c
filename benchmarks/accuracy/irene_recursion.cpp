#include "irene_recursion.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <map>

namespace edgejoule::accuracy {
namespace {

using Eigen::Index;
using measurements::Measurement;
using measurements::MeasurementSet;
using measurements::NodeLevel;

constexpr double kSwing = 0.1;  // alpha lies in 1 +- this

// Zero mean and unit spread over the training rows; columns that do not vary become 0.
void standardise(Eigen::MatrixXd& features, const std::vector<bool>& training) {
  for (Index c = 0; c < features.cols(); ++c) {
    double sum = 0, squares = 0, count = 0;
    for (Index r = 0; r < features.rows(); ++r) {
      if (!training[static_cast<std::size_t>(r)]) continue;
      sum += features(r, c), squares += features(r, c) * features(r, c), count += 1;
    }
    const double mean = sum / count, spread = std::sqrt(std::max(squares / count - mean * mean, 0.0));
    features.col(c).array() -= mean;
    features.col(c) *= spread > 1e-12 * (1 + std::abs(mean)) ? 1 / spread : 0;
  }
}

Eigen::MatrixXd cubic(const Eigen::MatrixXd& x) {
  const Index n = x.cols();
  Eigen::MatrixXd result(x.rows(), n + n * (n + 1) / 2 + n * (n + 1) * (n + 2) / 6);
  result.leftCols(n) = x;
  Index at = n;
  for (Index i = 0; i < n; ++i) {
    for (Index j = i; j < n; ++j) {
      result.col(at++) = x.col(i).cwiseProduct(x.col(j));
      for (Index k = j; k < n; ++k) result.col(at++) = x.col(i).cwiseProduct(x.col(j)).cwiseProduct(x.col(k));
    }
  }
  return result;
}

std::vector<double> leaf_prices(const MeasurementSet& set, const std::vector<bool>& training,
                                const Eigen::MatrixXd& raw) {
  std::vector<double> prices(set.measurements.size(), 0.0);
  std::map<OpKind, std::vector<Index>> rows_of;
  for (std::size_t i = 0; i < set.measurements.size(); ++i) {
    if (set.measurements[i].level == NodeLevel::kOp) rows_of[set.measurements[i].kind].push_back(static_cast<Index>(i));
  }
  for (const auto& [kind, wanted] : rows_of) {
    // A type that was never seen is priced as all matrix products, or all other ops, are.
    std::vector<Index> rows = wanted;
    const auto trained = [&](Index row) { return training[static_cast<std::size_t>(row)]; };
    if (std::none_of(wanted.begin(), wanted.end(), trained)) {
      const OpClass op_class = set.measurements[static_cast<std::size_t>(wanted.front())].op_class;
      for (const auto& [other, more] : rows_of) {
        const OpClass its_class = set.measurements[static_cast<std::size_t>(more.front())].op_class;
        if (other != kind && (its_class == OpClass::kMatrix) == (op_class == OpClass::kMatrix)) {
          rows.insert(rows.end(), more.begin(), more.end());
        }
      }
    }
    std::vector<bool> train;
    for (const Index row : rows) train.push_back(trained(row));
    const auto count = std::count(train.begin(), train.end(), true);
    Eigen::MatrixXd x = raw(rows, Eigen::all);
    standardise(x, train);
    Eigen::MatrixXd gram = Eigen::MatrixXd::Identity(x.cols(), x.cols()) * 1e-9 * static_cast<double>(count);
    Eigen::VectorXd moment = Eigen::VectorXd::Zero(x.cols());
    double mean = 0;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      if (train[r])
        mean += set.measurements[static_cast<std::size_t>(rows[r])].energy_joules / static_cast<double>(count);
    }
    for (std::size_t r = 0; r < rows.size(); ++r) {
      if (!train[r]) continue;
      const auto row = x.row(static_cast<Index>(r));
      gram += row.transpose() * row;
      moment += (set.measurements[static_cast<std::size_t>(rows[r])].energy_joules - mean) * row.transpose();
    }
    const Eigen::VectorXd weights = gram.ldlt().solve(moment);
    for (std::size_t r = 0; r < wanted.size(); ++r) {
      prices[static_cast<std::size_t>(wanted[r])] = mean + x.row(static_cast<Index>(r)).dot(weights);
    }
  }
  return prices;
}

}  // namespace

IrenePrices irene_prices(const MeasurementSet& set, const std::vector<bool>& training, const IreneMethod& method) {
  const std::vector<Measurement>& all = set.measurements;
  Eigen::MatrixXd raw(static_cast<Index>(all.size()), static_cast<Index>(method.columns.size()));
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t c = 0; c < method.columns.size(); ++c) {
      raw(static_cast<Index>(i), static_cast<Index>(c)) = all[i].source_columns[method.columns[c]];
    }
  }
  IrenePrices prices;
  prices.sum_of_children = leaf_prices(set, training, raw);
  Eigen::MatrixXd features = raw;
  standardise(features, training);
  Eigen::MatrixXd phi = cubic(features);
  standardise(phi, training);

  std::vector<double> leaves = prices.sum_of_children;
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const auto& child : all[i].children)
      prices.sum_of_children[i] += child.count * prices.sum_of_children[child.index];
  }

  Eigen::VectorXd w = Eigen::VectorXd::Zero(phi.cols() + 1);  // the last is b
  Eigen::VectorXd first = w, second = w;
  Eigen::VectorXd swing(phi.rows()), joules(phi.rows());
  const auto forward = [&] {
    swing = ((phi * w.head(phi.cols())).array() + w[phi.cols()]).tanh();
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto at = static_cast<Index>(i);
      joules[at] = leaves[i];
      for (const auto& child : all[i].children) {
        const auto c = static_cast<Index>(child.index);
        joules[at] += child.count * (1 + kSwing * swing[c]) * joules[c];
      }
    }
  };
  double count = 0;
  for (std::size_t i = 0; i < all.size(); ++i)
    count += training[i] && all[i].level != NodeLevel::kOp ? all[i].weight : 0;
  for (int epoch = 1; epoch <= method.epochs; ++epoch) {
    forward();
    Eigen::VectorXd back = Eigen::VectorXd::Zero(phi.rows()), slope = back;
    for (std::size_t i = all.size(); i-- > 0;) {
      if (all[i].level == NodeLevel::kOp || !training[i]) continue;
      const auto at = static_cast<Index>(i);
      back[at] += 2 * all[i].weight / count * (joules[at] / all[i].energy_joules - 1) / all[i].energy_joules;
      for (const auto& child : all[i].children) {
        const auto c = static_cast<Index>(child.index);
        back[c] += back[at] * child.count * (1 + kSwing * swing[c]);
        slope[c] += back[at] * child.count * kSwing * (1 - swing[c] * swing[c]) * joules[c];
      }
    }
    Eigen::VectorXd gradient(w.size());
    gradient.head(phi.cols()) = phi.transpose() * slope;
    gradient[phi.cols()] = slope.sum();
    first = 0.9 * first + 0.1 * gradient;
    second = 0.999 * second + 0.001 * gradient.cwiseAbs2();
    const double rate = 0.01 / (1 - std::pow(0.9, epoch));
    const double correction = 1 - std::pow(0.999, epoch);
    w -= (rate * first.array() / ((second.array() / correction).sqrt() + 1e-8)).matrix();
  }
  forward();
  prices.recursion.assign(joules.data(), joules.data() + joules.size());
  return prices;
}

}  // namespace edgejoule::accuracy
