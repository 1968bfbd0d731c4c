#include "measurements/statement.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>
#include <map>

#include "measurements/names.h"
#include "text/escape.h"

namespace edgejoule::measurements {
namespace {

using text::printable;

double not_negative(std::string_view value, std::string_view what, const std::string& file) {
  const auto number = finite_number(value);
  if (!number || *number < 0) {
    throw MeasurementError(fmt::format("{}: {} is '{}', a number from 0 is expected", file, what, printable(value)));
  }
  return *number;
}

void read_preamble(MeasurementSet& set, const std::vector<Csv::Entry>& preamble, const std::string& file) {
  using Reader = std::function<void(const std::string&)>;
  const std::map<std::string, Reader> readers = {
      {"boundary", [&](auto& v) { set.boundary = named<BoundaryKind>(v, "boundary", file); }},
      {"boundary_description", [&](auto& v) { set.boundary_description = v; }},
      {"rail", [&](auto& v) { set.rails.push_back(v); }},
      {"baseline", [&](auto& v) { set.baseline = named<BaselineKind>(v, "baseline", file); }},
      {"idle_state", [&](auto& v) { set.idle_state = v; }},
      {"idle_w", [&](auto& v) { set.idle_watts = not_negative(v, "idle_w (watts)", file); }},
      {"board", [&](auto& v) { set.board = v; }},
      {"compatible", [&](auto& v) { set.board_compatible = v; }},
      {"os_release", [&](auto& v) { set.os_release = v; }},
      {"runtime", [&](auto& v) { set.runtime = v; }},
      {"backend", [&](auto& v) { set.backend = v; }},
      {"engine", [&](auto& v) { set.engine = v; }},
      {"engine_kind", [&](auto& v) { set.engine_kind = named<EngineKind>(v, "engine kind", file); }},
      {"last_level_bytes",
       [&](auto& v) { set.last_level_bytes = static_cast<std::uint64_t>(not_negative(v, "last_level_bytes", file)); }},
      {"source", [&](auto& v) { set.source = v; }},
      {"licence", [&](auto& v) { set.licence = v; }},
      {"protocol", [&](auto& v) { set.protocol = v; }},
  };
  std::map<std::string, std::string> said;
  for (const auto& [key, value] : preamble) {
    const auto reader = readers.find(key);
    if (reader == readers.end()) {
      throw MeasurementError(fmt::format("{}: '# {}:' is not known above a header (see edge-calibrate import --help)",
                                         file, printable(key)));
    }
    const auto [before, is_first] = said.emplace(key, value);
    if (key != "rail" && !is_first && before->second != value) {
      throw MeasurementError(
          fmt::format("{} says '# {}: {}' and '# {}: {}': joules of different meaning do not go into one set; make one "
                      "file of each",
                      file, key, printable(before->second), key, printable(value)));
    }
    reader->second(value);
  }
}

[[noreturn]] void refuse_change(const std::string& file, std::string_view what, const std::string& from,
                                const std::string& to) {
  throw MeasurementError(
      fmt::format("{} says that its {} is {}: saying {} does not make it so. Leave the option away, or correct the "
                  "file if it is wrong",
                  file, what, printable(from), printable(to)));
}

}  // namespace

void apply(const Statement& stated, MeasurementSet& set, const std::string& file) {
  if (stated.boundary != BoundaryKind::kUnknown) {
    if (set.boundary != BoundaryKind::kUnknown && set.boundary != stated.boundary) {
      refuse_change(file, "boundary", std::string(name_of(set.boundary)), std::string(name_of(stated.boundary)));
    }
    set.boundary = stated.boundary;
  }
  if (!stated.rails.empty()) {
    if (!set.rails.empty() && set.rails != stated.rails) {
      refuse_change(file, "boundary", boundary_text(set), fmt::format("{}", fmt::join(stated.rails, " + ")));
    }
    set.rails = stated.rails;
  }
  if (stated.baseline != BaselineKind::kUnknown) {
    if (set.baseline != BaselineKind::kUnknown && set.baseline != stated.baseline) {
      refuse_change(file, "baseline", std::string(name_of(set.baseline)), std::string(name_of(stated.baseline)));
    }
    set.baseline = stated.baseline;
  }
  if (!stated.idle_state.empty()) {
    if (!set.idle_state.empty() && set.idle_state != stated.idle_state) {
      refuse_change(file, "idle state", set.idle_state, stated.idle_state);
    }
    set.idle_state = stated.idle_state;
  }
  if (!stated.board.empty()) set.board = stated.board;
  if (!stated.runtime.empty()) set.runtime = stated.runtime;
  if (!stated.backend.empty()) set.backend = stated.backend;
}

void describe(MeasurementSet& set, const std::vector<Csv::Entry>& preamble, const Statement& stated,
              const std::string& file) {
  read_preamble(set, preamble, file);
  apply(stated, set, file);
  if (set.boundary == BoundaryKind::kUnknown || set.baseline == BaselineKind::kUnknown) {
    throw MeasurementError(
        fmt::format("{} does not say what its joules are of: put '# boundary: rails' (or "
                    "module_input, wall, chip_supply, whole_machine) and '# baseline: total' (or "
                    "above_idle) above the header, or say it with edge-calibrate import --boundary and --baseline",
                    file));
  }
  if (set.boundary == BoundaryKind::kRails && set.rails.empty()) {
    throw MeasurementError(fmt::format("{}: '# boundary: rails' needs '# rail: NAME' (or --rail NAME)", file));
  }
}

std::string boundary_text(const MeasurementSet& set) {
  std::string text(name_of(set.boundary));
  for (std::size_t i = 0; i < set.rails.size(); ++i) text += (i == 0 ? " " : " + ") + printable(set.rails[i]);
  if (!set.boundary_description.empty()) text += fmt::format(" ({})", printable(set.boundary_description));
  return text;
}

std::string baseline_text(const MeasurementSet& set) {
  std::string text(name_of(set.baseline));
  if (!set.idle_state.empty()) text += fmt::format(" ({})", printable(set.idle_state));
  return text;
}

std::string_view preamble_help() {
  return R"(Lines above the header say what the joules are:
  # boundary: rails | module_input | wall | chip_supply | whole_machine   (required)
  # rail: NAME                                                            (of rails)
  # baseline: total | above_idle                                         (required)
and may say: boundary_description, idle_state, idle_w (watts), board, compatible,
  os_release, runtime, backend, engine, engine_kind, last_level_bytes, source, licence,
  protocol.
)";
}

}  // namespace edgejoule::measurements
