#include "set_summary.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <set>
#include <vector>

#include "measurements/statement.h"
#include "text/escape.h"

namespace edgejoule::calibrate {
namespace {

using measurements::Measurement;
using measurements::MeasurementSet;
using text::printable;

constexpr std::size_t kListed = 3;

std::string line(std::string_view label, const std::string& value) {
  return value.empty() ? "" : fmt::format("{:<10}{}\n", label, value);
}

std::string counted(std::size_t count, std::string_view singular, std::string_view plural) {
  return fmt::format("{} {}", count, count == 1 ? singular : plural);
}

// A few by name, the rest as a number.
std::string some_of(const std::set<std::string>& names) {
  std::string text;
  std::size_t shown = 0;
  for (const std::string& name : names) {
    if (shown == kListed) return text + fmt::format(", ... ({} in all)", names.size());
    text += (shown++ == 0 ? "" : ", ") + printable(name);
  }
  return text;
}

}  // namespace

std::string set_summary(const MeasurementSet& set) {
  std::array<std::size_t, 3> levels{};
  std::set<std::string> groups, devices;
  std::map<std::string, std::size_t> kinds;
  std::size_t timed = 0;
  for (const Measurement& m : set.measurements) {
    ++levels[static_cast<std::size_t>(m.level)];
    groups.insert(m.group);
    if (!m.device.empty()) devices.insert(m.device);
    if (m.time_seconds >= 0) ++timed;
    ++kinds[fmt::format("{} {}", name_of(m.kind), name_of(m.data_type))];
  }
  std::string out =
      line("read", fmt::format("{}, {}, {}; {} with a time", counted(levels[0], "op", "ops"),
                               counted(levels[1], "module", "modules"), counted(levels[2], "model", "models"), timed));
  std::string of_kinds;
  for (const auto& [kind, count] : kinds) {
    of_kinds += fmt::format("{}{} {}", of_kinds.empty() ? "" : ", ", count, kind);
  }
  out += line("kinds", of_kinds);
  out += line("groups", counted(groups.size(), "group that is", "groups, each") + " never split between fit and test");
  if (!devices.empty()) out += line("devices", some_of(devices));
  out += line("boundary", measurements::boundary_text(set));
  out += line("baseline", measurements::baseline_text(set));
  out += line("board", printable(set.board));
  out += line("runtime", printable(set.runtime + (set.backend.empty() ? "" : ", " + set.backend)));
  out += line("source", printable(set.source));
  if (set.excluded.empty()) return out;
  std::map<std::string, std::vector<std::string>> reasons;
  for (const measurements::Exclusion& row : set.excluded) reasons[row.reason].push_back(row.origin);
  out += line("left out", counted(set.excluded.size(), "row", "rows"));
  for (const auto& [reason, origins] : reasons) {
    out += fmt::format("  {}: {}{}\n", printable(origins.front()), printable(reason),
                       origins.size() == 1 ? "" : fmt::format(" (and {} more)", origins.size() - 1));
  }
  return out;
}

}  // namespace edgejoule::calibrate
