// Experiment design: which workloads to measure, in which order, for a budget.
//
// Shape: candidates of one key (kind, types, threads) share coefficients. A candidate is
// a row of work counts over its expected joules, so that every measurement counts by its
// relative error; a coefficient is known to begin with as well as not at all (relative
// standard deviation 1 around a guess).
// Source: D-optimality by greedy choice and exchange (Fedorov 1972), per second of
// measuring; what the guess is hardly matters, rows are relative.
// Errors: std::invalid_argument where the request does not fit the candidates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "edgejoule/core/op_kinds.h"
#include "workloads/workload.h"

namespace edgejoule::calibration {

struct DesignKey {
  OpKind kind = OpKind::kUnknown;
  DataType data_type = DataType::kUnknown;
  DataType weight_type = DataType::kUnknown;
  int threads = 1;
  bool transformed = false;  // a convolution that libraries may run by Winograd's transform: 3 x 3 at stride 1

  friend bool operator==(const DesignKey&, const DesignKey&) = default;
};
[[nodiscard]] DesignKey key_of(const workloads::Workload& workload);
// "dense float32 x int4, 4 threads", "conv_2d float32 3 x 3, 4 threads"
[[nodiscard]] std::string text_of(const DesignKey& key);

struct KeyUncertainty {
  DesignKey key;
  std::size_t coefficients = 0;  // that its candidates can tell apart
  std::size_t measured = 0;      // candidates, held-out ones not counted
  double relative_error = 1;     // expected standard error of a prediction, mean over all candidates of the key
};

// What is known when some candidates have been measured; held-out ones teach nothing.
class Knowledge {
 public:
  // Lifetime: copies what it needs.
  Knowledge(std::span<const workloads::Candidate> candidates, std::uint64_t last_level_bytes);

  // `relative_error`: standard error of the candidate's joules, as a share of them.
  void measured(std::size_t candidate, double relative_error);
  // Measuring this one, how much is learned of its key: ln of the factor of the determinant.
  [[nodiscard]] double gain(std::size_t candidate, double relative_error) const;
  // Expected standard error of a prediction of this one, relative.
  [[nodiscard]] double uncertainty(std::size_t candidate) const;
  // Sum over the keys: ln of the determinant of the information, 0 where nothing is known.
  [[nodiscard]] double log_determinant() const;
  // In the order in which candidates name them.
  [[nodiscard]] std::vector<KeyUncertainty> keys() const;
  // Nobody will measure any of this key: it has no part in the mean.
  void leave_out(std::size_t key) { keys_.at(key).left_out = true; }
  // Mean over the keys, for one line of progress.
  [[nodiscard]] double mean_uncertainty() const;

  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] std::size_t key_count() const { return keys_.size(); }
  [[nodiscard]] std::size_t key_index(std::size_t candidate) const { return key_of_.at(candidate); }
  [[nodiscard]] bool held_out(std::size_t candidate) const { return held_out_.at(candidate); }
  // Shares of the candidate's expected joules, one per coefficient of its key.
  [[nodiscard]] std::span<const double> row(std::size_t candidate) const { return rows_.at(candidate); }

 private:
  struct Key {
    DesignKey key;
    std::vector<std::size_t> members;
    std::vector<double> covariance;  // of the coefficients; size * size
    std::size_t size = 0;
    std::size_t measured = 0;
    double log_determinant = 0;
    bool left_out = false;
  };
  std::vector<Key> keys_;
  std::vector<std::size_t> key_of_;        // per candidate
  std::vector<std::vector<double>> rows_;  // per candidate: shares of its expected joules
  std::vector<bool> held_out_;
};

struct DesignRequest {
  double budget_seconds = 0;
  std::vector<double> expected_seconds;  // of one block, per candidate
  std::uint64_t last_level_bytes = 0;
  double block_error = 0.02;    // expected relative standard error of one block
  double held_out_share = 0.2;  // of the blocks
};

struct Design {
  std::vector<std::size_t> order;  // candidates; every prefix is usable
  double seconds = 0;
  std::vector<KeyUncertainty> expected;  // once all of it is measured
};

// As many keys as there is time to fit rows to, the most important ones. Every one of them appears before any is
// measured twice; then whatever teaches most per second; a held-out candidate after every few others.
[[nodiscard]] Design design(std::span<const workloads::Candidate> candidates, const DesignRequest& request);

}  // namespace edgejoule::calibration
