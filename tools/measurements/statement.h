// What a person says about measurements beside the file that holds them.
//
// Errors: MeasurementError where file and person contradict each other about what the
// joules are, or nobody says it.
#pragma once

#include <string>
#include <vector>

#include "measurements/csv.h"
#include "measurements/measurement_set.h"

namespace edgejoule::measurements {

// Unknown or empty: nothing is said.
struct Statement {
  BoundaryKind boundary = BoundaryKind::kUnknown;
  std::vector<std::string> rails{};
  BaselineKind baseline = BaselineKind::kUnknown;
  std::string idle_state{};
  std::string board{};
  std::string runtime{};
  std::string backend{};
};

// The "# key: value" lines above the header of a CSV, then `stated`; the boundary and
// the baseline are known afterwards. `file` is for messages, already printable.
void describe(MeasurementSet& set, const std::vector<Csv::Entry>& preamble, const Statement& stated,
              const std::string& file);

// Boundary, rails, baseline and idle state are taken where the set is silent and must
// agree where it is not: joules do not change what they are. Names of board, runtime and
// backend are labels: what is stated counts.
void apply(const Statement& stated, MeasurementSet& set, const std::string& file);

// For a person: "rails VDD_IN + VDD_CPU", "above idle (all cores in WFI)".
[[nodiscard]] std::string boundary_text(const MeasurementSet& set);
[[nodiscard]] std::string baseline_text(const MeasurementSet& set);

// The keys that describe() knows, for --help.
[[nodiscard]] std::string_view preamble_help();

}  // namespace edgejoule::measurements
