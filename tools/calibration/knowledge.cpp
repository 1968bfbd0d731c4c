#include "calibration/design.h"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "edgejoule/core/features.h"

namespace edgejoule::calibration {
namespace {

using workloads::Candidate;

// A guess in joules per unit of work: it only balances the columns of a row.
struct Guess {
  Feature feature;
  double joules;
};
constexpr std::array<Guess, 8> kGuesses{{{Feature::kOne, 2e-6},
                                         {Feature::kMacs, 20e-12},
                                         {Feature::kAluOps, 20e-12},
                                         {Feature::kSpecialOps, 200e-12},
                                         {Feature::kActivationBytes, 10e-12},
                                         {Feature::kWeightBytes, 10e-12},
                                         {Feature::kScaleBytes, 10e-12},
                                         {Feature::kDramBytes, 60e-12}}};

Eigen::RowVectorXd shares_of(const Candidate& candidate, std::uint64_t last_level_bytes) {
  const Facts& facts = candidate.workload.op.facts;
  const Result<OpQuantities> quantities = measure_op(candidate.workload.op.op_class, facts);
  if (!quantities) {
    throw std::invalid_argument(fmt::format("workload {}: its facts contradict each other ({})",
                                            candidate.workload.name, error_text(quantities.error())));
  }
  const CacheState cache{last_level_bytes, facts[Fact::kUniqueWeightBytes]};
  Eigen::RowVectorXd shares(kGuesses.size());
  for (std::size_t i = 0; i < kGuesses.size(); ++i) {
    shares(static_cast<Eigen::Index>(i)) =
        kGuesses[i].joules * static_cast<double>(feature_value(kGuesses[i].feature, *quantities, Tile{}, cache));
  }
  return shares / shares.sum();
}

// Columns that the rows can tell apart: the rest of each, once what earlier ones
// explain is taken out, must be a part of a row that a measurement could see.
std::vector<Eigen::Index> identifiable(const Eigen::MatrixXd& rows) {
  constexpr double kVisible = 1e-3;  // of a row, root mean square
  std::vector<Eigen::Index> kept;
  Eigen::MatrixXd basis(rows.rows(), 0);
  for (Eigen::Index column = 0; column < rows.cols(); ++column) {
    Eigen::VectorXd rest = rows.col(column);
    for (int pass = 0; pass < 2; ++pass) rest -= basis * (basis.transpose() * rest);
    const double norm = rest.norm();
    if (norm < kVisible * std::sqrt(static_cast<double>(rows.rows()))) continue;
    basis.conservativeResize(Eigen::NoChange, basis.cols() + 1);
    basis.rightCols(1) = rest / norm;
    kept.push_back(column);
  }
  return kept;
}

using ConstSquare = Eigen::Map<const Eigen::MatrixXd>;

}  // namespace

DesignKey key_of(const workloads::Workload& workload) {
  const Facts& facts = workload.op.facts;
  const auto is = [&](Fact height, Fact width, std::uint64_t size) {
    return facts[height] == size && facts[width] == size;
  };
  const bool transformed = workload.op.kind == OpKind::kConv2d && is(Fact::kKernelH, Fact::kKernelW, 3) &&
                           is(Fact::kStrideH, Fact::kStrideW, 1) && is(Fact::kDilationH, Fact::kDilationW, 1);
  return {workload.op.kind, workload.op.data_type, workload.op.weight_type, workload.threads, transformed};
}

std::string text_of(const DesignKey& key) {
  std::string text = fmt::format("{} {}", name_of(key.kind), name_of(key.data_type));
  if (key.weight_type != DataType::kUnknown && key.weight_type != key.data_type) {
    text += fmt::format(" x {}", name_of(key.weight_type));
  }
  if (key.transformed) text += " 3 x 3";
  return text + (key.threads == 1 ? ", 1 thread" : fmt::format(", {} threads", key.threads));
}

Knowledge::Knowledge(std::span<const Candidate> candidates, std::uint64_t last_level_bytes) {
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const DesignKey key = key_of(candidates[i].workload);
    auto place = std::find_if(keys_.begin(), keys_.end(), [&key](const Key& known) { return known.key == key; });
    if (place == keys_.end()) {
      keys_.emplace_back();
      keys_.back().key = key;
      place = keys_.end() - 1;
    }
    place->members.push_back(i);
    key_of_.push_back(static_cast<std::size_t>(place - keys_.begin()));
    held_out_.push_back(candidates[i].held_out);
  }
  rows_.resize(candidates.size());
  for (Key& key : keys_) {
    Eigen::MatrixXd rows(static_cast<Eigen::Index>(key.members.size()), static_cast<Eigen::Index>(kGuesses.size()));
    for (std::size_t i = 0; i < key.members.size(); ++i) {
      rows.row(static_cast<Eigen::Index>(i)) = shares_of(candidates[key.members[i]], last_level_bytes);
    }
    const std::vector<Eigen::Index> kept = identifiable(rows);
    key.size = kept.size();
    for (std::size_t i = 0; i < key.members.size(); ++i) {
      std::vector<double>& row = rows_[key.members[i]];
      for (const Eigen::Index column : kept) row.push_back(rows(static_cast<Eigen::Index>(i), column));
    }
    const Eigen::MatrixXd unknown =
        Eigen::MatrixXd::Identity(static_cast<Eigen::Index>(key.size), static_cast<Eigen::Index>(key.size));
    key.covariance.assign(unknown.data(), unknown.data() + unknown.size());
  }
}

double Knowledge::uncertainty(std::size_t candidate) const {
  const Key& key = keys_.at(key_of_.at(candidate));
  const auto size = static_cast<Eigen::Index>(key.size);
  const Eigen::Map<const Eigen::VectorXd> row(rows_[candidate].data(), size);
  return std::sqrt(std::max(0.0, row.dot(ConstSquare(key.covariance.data(), size, size) * row)));
}

double Knowledge::gain(std::size_t candidate, double relative_error) const {
  const double ratio = uncertainty(candidate) / relative_error;
  return std::log1p(ratio * ratio);
}

void Knowledge::measured(std::size_t candidate, double relative_error) {
  if (!(relative_error > 0)) throw std::invalid_argument("the relative error of a measurement must be positive");
  if (held_out_.at(candidate)) return;
  Key& key = keys_[key_of_[candidate]];
  const auto size = static_cast<Eigen::Index>(key.size);
  key.log_determinant += gain(candidate, relative_error);
  ++key.measured;
  Eigen::Map<Eigen::MatrixXd> covariance(key.covariance.data(), size, size);
  const Eigen::Map<const Eigen::VectorXd> row(rows_[candidate].data(), size);
  const Eigen::VectorXd spread = covariance * row;
  const Eigen::MatrixXd less = spread * spread.transpose() / (relative_error * relative_error + row.dot(spread));
  covariance -= less;
}

double Knowledge::log_determinant() const {
  double sum = 0;
  for (const Key& key : keys_) sum += key.log_determinant;
  return sum;
}

std::vector<KeyUncertainty> Knowledge::keys() const {
  std::vector<KeyUncertainty> out;
  for (const Key& key : keys_) {
    double sum = 0;
    for (const std::size_t member : key.members) sum += uncertainty(member);
    out.push_back({key.key, key.size, key.measured, sum / static_cast<double>(key.members.size())});
  }
  return out;
}

double Knowledge::mean_uncertainty() const {
  double sum = 0;
  int count = 0;
  const std::vector<KeyUncertainty> all = keys();
  for (std::size_t key = 0; key < all.size(); ++key) {
    if (keys_[key].left_out) continue;
    sum += all[key].relative_error;
    ++count;
  }
  return count == 0 ? 1 : sum / count;
}

}  // namespace edgejoule::calibration
