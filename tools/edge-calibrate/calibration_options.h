// What run and runtime share: the budget, how they end early, the machine whose rails are read, the journal of an
// earlier run.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "calibration/journal.h"
#include "calibration/real_machine.h"
#include "sensor_options.h"

namespace edgejoule::calibrate {

struct CalibrationArguments {
  std::string output, budget, journal, measurements, held_out, name, date;
  bool resume = false, dry_run = false;
  SensorArguments sensors;
};
// All but --dry-run, whose plan is the command's own. `budget` is the default.
void add_calibration_options(CLI::App& command, const char* budget, CalibrationArguments& arguments);
// Where the journal is: as given, else beside the table.
[[nodiscard]] std::string journal_of(const CalibrationArguments& arguments);

// What was measured is kept, and is less than was asked for.
inline constexpr int kExitEndedEarly = 4;

// "90s", "5m", "1h30m"; a bare number is seconds. Throws CLI::ValidationError of --budget.
[[nodiscard]] double seconds_of(const std::string& text);

// This program's words, and the same ones as a person types them to go on, some options with another value.
void remember_command(int argc, const char* const* argv);
[[nodiscard]] std::string command_to_resume(const std::vector<std::pair<std::string, std::string>>& changed = {});

// Hours of measuring are not to be lost to a path mistyped: throws FileError where an output could not be written,
// std::runtime_error where two are one.
void expect_outputs(const CalibrationArguments& arguments, const std::string& report);

// From now on ctrl-C and the like only ask to end, once.
void catch_stop();
[[nodiscard]] bool stop_asked();

// This board; what is wrong with its sensors goes to standard error. Throws std::runtime_error where no rail of the
// total can be read, with what else there is to do: "or ...".
[[nodiscard]] std::unique_ptr<calibration::RealMachine> this_machine(const SensorArguments& sensors,
                                                                     const std::string& otherwise);

// What an earlier run measured, where `resume` asks for it; none where it measured nothing well, or was of an emulated
// board as this one is. Throws BadFile where it is of another machine or no journal, std::runtime_error where nobody
// asked to go on with it.
[[nodiscard]] std::optional<calibration::JournalContent> earlier_run(const std::string& path,
                                                                     const calibration::JournalHeader& now, bool resume,
                                                                     bool emulated);

}  // namespace edgejoule::calibrate
