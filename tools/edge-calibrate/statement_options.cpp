#include "statement_options.h"

#include <fmt/format.h>

#include <string>

#include "measurements/names.h"
#include "text/escape.h"

namespace edgejoule::calibrate {
namespace {

template <class Enumeration>
void add_named(CLI::App& command, const std::string& option, Enumeration& value, const std::string& names) {
  command
      .add_option_function<std::string>(
          option,
          [&value, option, names](const std::string& name) {
            const auto found = measurements::find_named<Enumeration>(name);
            if (!found || *found == Enumeration::kUnknown) {
              throw CLI::ValidationError(option, fmt::format("'{}' is none of {}", text::printable(name), names));
            }
            value = *found;
          },
          names)
      ->type_name("KIND")
      ->group("Where the source does not say");
}

}  // namespace

void add_statement_options(CLI::App& command, measurements::Statement& stated) {
  add_named(command, "--boundary", stated.boundary, "rails, module_input, wall, chip_supply, whole_machine");
  add_named(command, "--baseline", stated.baseline, "total, above_idle");
  const std::string group = "Where the source does not say";
  command.add_option("--rail", stated.rails, "a rail of the boundary; once for each")
      ->allow_extra_args(false)
      ->group(group);
  command.add_option("--idle-state", stated.idle_state, "which idle the joules are above")->group(group);
  command.add_option("--board", stated.board, "name of the board (replaces the source's)")->group(group);
  command.add_option("--runtime", stated.runtime, "name of the runtime (replaces the source's)")->group(group);
  command.add_option("--backend", stated.backend, "name of its backend (replaces the source's)")->group(group);
}

void add_filter_options(CLI::App& command, measurements::Filter& filter) {
  const std::string group = "Which measurements";
  command.add_option("--device", filter.device, "only of devices whose name contains this")->group(group);
  command.add_option("--group", filter.groups, "only of this group; once for each")
      ->allow_extra_args(false)
      ->group(group);
  command.add_option("--without-group", filter.without_groups, "none of this group; once for each")
      ->allow_extra_args(false)
      ->group(group);
}

}  // namespace edgejoule::calibrate
