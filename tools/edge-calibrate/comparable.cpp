#include "comparable.h"

#include <fmt/format.h>

#include <algorithm>

#include "measurements/statement.h"
#include "text/escape.h"

namespace edgejoule::calibrate {
namespace {

using text::printable;

std::vector<std::string> rails_of(const CoefficientTable& table) {
  std::vector<std::string> rails;
  for (std::uint32_t i = 0; i < table.boundary_rail_count(); ++i) rails.emplace_back(table.boundary_rail(i));
  return rails;
}

std::string boundary_of(const CoefficientTable& table) {
  measurements::MeasurementSet set;
  set.boundary = table.boundary();
  set.rails = rails_of(table);
  set.boundary_description = table.boundary_description();
  return measurements::boundary_text(set);
}

}  // namespace

Comparison compare_meaning(const CoefficientTable& table, const measurements::MeasurementSet& set) {
  Comparison result;
  std::vector<std::string> table_rails = rails_of(table), set_rails = set.rails;
  std::sort(table_rails.begin(), table_rails.end());
  std::sort(set_rails.begin(), set_rails.end());
  if (table.boundary() != set.boundary || table_rails != set_rails) {
    result.contradictions.push_back(
        fmt::format("the table's joules are those of {}, the measurements' those of {}: what one counts, the other "
                    "does not",
                    boundary_of(table), measurements::boundary_text(set)));
  }
  if (table.baseline() != set.baseline) {
    result.contradictions.push_back(fmt::format(
        "the table's baseline is {}, that of the measurements {}: one of them holds the idle energy, the other does "
        "not",
        name_of(table.baseline()), name_of(set.baseline)));
  }
  const auto remark = [&](std::string_view what, std::string_view of_table, const std::string& of_set) {
    if (of_table.empty() || of_set.empty() || of_table == of_set) return;
    result.remarks.push_back(fmt::format("{} differs: the table is of '{}', the measurements are of '{}'", what,
                                         printable(of_table), printable(of_set)));
  };
  remark("The board", table.board(), set.board);
  remark("The runtime", table.runtime(), set.runtime);
  remark("The backend", table.backend(), set.backend);
  return result;
}

}  // namespace edgejoule::calibrate
