// A calibration for a person: a summary as text, and one self-contained page.
#pragma once

#include <string>

#include "calibration/network_spread.h"
#include "calibration/session.h"
#include "edgejoule/core/table.h"
#include "fit/fit_table.h"
#include "validation.h"

namespace edgejoule::calibrate {

// Lifetime: views.
struct RunResult {
  const calibration::Session& session;
  const calibration::MachineFacts& facts;
  const measurements::MeasurementSet& set;
  const fit::FittedTable& fitted;
  const CoefficientTable& table;
  const Validation* validation;  // null: nothing was held out
  calibration::NetworkSpread spread;
  std::string table_file;
  bool is_all_there_is = false;  // the plan held every workload there is
  std::size_t earlier_blocks =
      0;  // first ones of the session, measured by an earlier run: their times are of its clock
};

[[nodiscard]] std::string to_text(const RunResult& result);
[[nodiscard]] std::string to_html(const RunResult& result);

}  // namespace edgejoule::calibrate
