// A fitted table as an EJT1 file.
//
// Units: coefficients stand in the unit that shows them between 1 and 1000.
// Errors: std::logic_error where core would refuse the table; that is a fault of the fit.
#pragma once

#include <memory>
#include <string>

#include "files/file_bytes.h"
#include "fit/fit_table.h"
#include "measurements/measurement_set.h"

namespace edgejoule::wire {
struct ResidualT;
}

namespace edgejoule::fit {

struct TableInfo {
  std::string name;
  std::string date;  // ISO 8601
  std::string tool_version;
};

[[nodiscard]] files::FileBytes write_table(const FittedTable& table, const measurements::MeasurementSet& set,
                                           const TableInfo& info);

// Null where no group stands behind it.
[[nodiscard]] std::unique_ptr<wire::ResidualT> residual_of(const Residual& residual);

struct ReadableCoefficient {
  float value = 0;
  Unit unit = Unit::kJoule;
};
[[nodiscard]] ReadableCoefficient readable(double joules);
[[nodiscard]] ReadableCoefficient readable_time(double seconds);

}  // namespace edgejoule::fit
