// A set of measurements priced by a table through core's predictor.
//
// Lifetime: views the set; owns the table's bytes.
// Errors: PricingError: a table core refuses. What cannot be priced of the set says so
// in its Priced.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "edgejoule/core/plan.h"
#include "edgejoule/core/predictor.h"
#include "files/file_bytes.h"
#include "measurements/measurement_set.h"
#include "pricing/measured_graph.h"

namespace edgejoule::pricing {

struct PricerOptions {
  Confidence confidence = Confidence::k90;
  std::string operating_point;     // "" takes the table's first
  bool use_runtime_facts = false;  // hand measured time, counter and utilisation to the predictor
};

// Dynamic joules of one execution.
struct Priced {
  double joules = 0;
  double lower = 0, upper = 0;
  Level level = Level::kNone;
  Flags flags;
  double tensor_bytes = 0;  // of all ops in it: its size
  std::string problem;      // empty: priced
};

// What one number of the table adds to a measurement; these add up to its joules.
struct Contribution {
  static constexpr std::uint32_t kWholeRow = 0xFFFFFFFFU;
  std::uint32_t row = 0;           // of the table
  std::uint32_t term = kWholeRow;  // or what the row as a whole costs: log2 rows
  double joules = 0;
};

class SetPricer {
 public:
  SetPricer(const measurements::MeasurementSet& set, const files::FileBytes& table, PricerOptions options);
  SetPricer(const SetPricer&) = delete;

  [[nodiscard]] const CoefficientTable& table() const { return table_; }
  [[nodiscard]] Priced price(std::size_t index);
  // Precondition: price(index).problem is empty.
  [[nodiscard]] std::vector<Contribution> contributions(std::size_t index);

 private:
  struct Bound;
  [[nodiscard]] Bound bind(std::size_t index);
  [[nodiscard]] Priced priced(const Bound& bound, bool is_op) const;

  const measurements::MeasurementSet& set_;
  files::FileBytes bytes_;
  PricerOptions options_;
  CoefficientTable table_;
  std::vector<std::uint64_t> plan_workspace_;
  TablePlan plan_;
  std::vector<std::uint64_t> workspace_;
};

}  // namespace edgejoule::pricing
