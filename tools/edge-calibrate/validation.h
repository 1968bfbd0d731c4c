// A table against measurements: how far off, in which direction, and how honest its
// intervals are.
//
// Units: joules; errors are shares of the measured joules, residuals ln(measured /
// predicted).
#pragma once

#include <string>
#include <vector>

#include "edgejoule/core/estimate.h"
#include "files/file_bytes.h"
#include "measurements/measurement_set.h"

namespace edgejoule::calibrate {

struct ValidatedRow {
  std::string origin, group, model, device;
  std::string level;  // "op", "module", "model"
  std::string kind;   // with its data type
  double measured = 0, predicted = 0;
  double lower = 0, upper = 0;
  bool has_interval = false;
  double weight = 1;
  double tensor_bytes = 0;
  Level rung = Level::kNone;
  Flags flags;

  [[nodiscard]] double ratio() const { return predicted / measured; }
};

struct ErrorSummary {
  std::string name;
  std::size_t rows = 0, groups = 0;
  double mean = 0, median = 0, p90 = 0;    // of |predicted / measured - 1|
  double bias = 0;                         // geometric mean of predicted / measured, less 1
  std::size_t bounded = 0;                 // rows with an interval
  double inside = 0;                       // share of these that lie in it
  double inside_low = 0, inside_high = 0;  // 95 % of what chance over groups does to `inside`
};

struct NotPriced {
  std::string origin, reason;
};

struct Validation {
  std::vector<ValidatedRow> rows;
  ErrorSummary all;
  std::vector<ErrorSummary> by_level, by_kind, by_device;
  std::vector<ErrorSummary> by_group;  // empty where every measurement is a group of its own
  std::vector<std::size_t> worst;      // rows, the largest |ln(predicted / measured)| first
  std::vector<NotPriced> not_priced;
  std::vector<std::string> warnings;  // whole sentences
};

struct ValidationOptions {
  std::string operating_point;
  bool use_runtime_facts = false;
  // Equal digests, or joules of other meaning, are warnings then and not a refusal.
  bool anyway = false;
};

// Measured and predicted joules must mean the same, and the table must not have seen the
// measurements; what keeps them from being compared is thrown.
struct NotComparable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

[[nodiscard]] Validation validate(const files::FileBytes& table, const measurements::MeasurementSet& set,
                                  const ValidationOptions& options);

// One row per measurement.
[[nodiscard]] std::string to_csv(const Validation& validation);

}  // namespace edgejoule::calibrate
