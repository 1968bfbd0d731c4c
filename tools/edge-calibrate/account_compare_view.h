// What `compare` shows of two accounted runs: text, CSV, JSON, a page.
#pragma once

#include <string>

#include "account/compare.h"
#include "accounted_run.h"

namespace edgejoule::calibrate {

struct RunsView {
  const AccountedRun& a;
  const AccountedRun& b;
  account::RunComparison comparison;
};

[[nodiscard]] std::string runs_text(const RunsView& view, std::size_t top, bool colour, int width);
[[nodiscard]] std::string runs_csv(const RunsView& view);
[[nodiscard]] std::string runs_json(const RunsView& view);
[[nodiscard]] std::string runs_html(const RunsView& view);

}  // namespace edgejoule::calibrate
