// edge-calibrate probe: every rail found, what is known about it, what is wrong and what mends it.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "command.h"
#include "sensor_options.h"
#include "text/columns.h"
#include "text/escape.h"
#include "text/quantity_text.h"
#include "text/terminal.h"

namespace edgejoule::calibrate {
namespace {

using capture::Discovery;
using capture::FoundRail;

constexpr const char* kProbeFooter = R"(
Example:
  edge-calibrate probe
  edge-calibrate probe --i2c 1:0x40:ina226:10m      # an external chip on a Raspberry Pi
Exit codes: 0 at least one rail can be read, 1 none can, 2 usage, 3 the board file is bad.)";

std::string place_of(const RailInfo& info) {
  switch (info.kind) {
    case SourceKind::kI2c: return fmt::format("{} 0x{:02x}.{}", info.path, info.i2c_address, info.channel);
    case SourceKind::kHwmon:
    case SourceKind::kIio:
    case SourceKind::kPowercap: break;
  }
  const char* const driver = info.kind == SourceKind::kHwmon ? "hwmon"
                             : info.kind == SourceKind::kIio ? "iio"
                                                             : "powercap";
  if (info.i2c_address != 0)
    return fmt::format("{} {}-{:04x}.{}", driver, info.i2c_bus, info.i2c_address, info.channel);
  return fmt::format("{} {}", driver, std::filesystem::path(info.path).filename().string());
}

std::string or_unknown(bool known, std::string text) {
  return known ? std::move(text) : "?";
}

std::vector<text::Cell> row_of(const FoundRail& rail) {
  const RailInfo& info = rail.info;
  const double full_scale_w = static_cast<double>(info.full_scale_ua) * 1e-6 * static_cast<double>(rail.bus_uv) * 1e-6;
  const std::string label = text::printable(rail.label) + (rail.in_total ? " *" : "");
  return {
      {label, rail.in_total ? text::Style::kBold : text::Style::kPlain},
      {text::printable(info.chip)},
      {text::printable(place_of(info))},
      {or_unknown(info.shunt_uohm != 0, fmt::format("{:g} mOhm", info.shunt_uohm / 1000.0))},
      {or_unknown(full_scale_w > 0, fmt::format("+-{:.3g} W", full_scale_w))},
      {or_unknown(rail.quantum_uw() != 0, fmt::format("{:.3g} mW", static_cast<double>(rail.quantum_uw()) / 1000.0))},
      {or_unknown(info.cycle_ns != 0, fmt::format("{:.3g} ms", info.cycle_ns / 1e6))},
      {fmt::format("{}", info.averages)},
      {rail.readable_by, rail.readable_by == "everyone" ? text::Style::kPlain : text::Style::kYellow},
      {rail.power_uw ? text::si(static_cast<double>(*rail.power_uw) * 1e-6, "W") : "-"}};
}

int probe(const SensorArguments& arguments) {
  const Discovery found = discover(arguments);
  const bool colour = text::use_colour(stdout, text::ColourChoice::kAuto);
  const std::string board = found.board != nullptr ? found.board->name : "unknown board";
  fmt::print("{}", text::styled(text::printable(board), text::Style::kBold, colour));
  if (!found.compatible.empty()) fmt::print(" ({})", text::printable(found.compatible));
  fmt::print(", kernel {}", text::printable(found.kernel));
  if (!found.os_release.empty()) fmt::print(", {}", text::printable(found.os_release));
  fmt::print("\n\n");
  if (!found.rails.empty()) {
    using text::Align;
    text::Columns table({"rail", "chip", "where", "shunt", "range", "quantum", "period", "avg", "read by", "now"},
                        {Align::kLeft, Align::kLeft, Align::kLeft, Align::kRight, Align::kRight, Align::kRight,
                         Align::kRight, Align::kRight, Align::kLeft, Align::kRight});
    for (const FoundRail& rail : found.rails) table.add(row_of(rail));
    fmt::print("{}\n", table.render(colour));
  }
  if (found.has_total) fmt::print("* makes the total: {}\n", text::printable(found.total_description));
  for (const capture::Finding& finding : found.findings) {
    const bool bad = finding.severity == capture::Severity::kProblem;
    fmt::print("{}: {}\n", text::styled(bad ? "problem" : "note", bad ? text::Style::kRed : text::Style::kDim, colour),
               text::printable(finding.text));
    if (!finding.command.empty()) fmt::print("    run: {}\n", text::printable(finding.command));
  }
  for (const capture::FoundSource& source : found.sources) {
    if (source.readable) return kExitOk;
  }
  return kExitFailed;
}

}  // namespace

void add_probe_command(CLI::App& program, Run& chosen) {
  CLI::App* const command =
      program.add_subcommand("probe", "Show the power sensors of this machine and what is wrong with them");
  command->footer(kProbeFooter);
  auto arguments = std::make_shared<SensorArguments>();
  add_sensor_options(*command, *arguments);
  command->callback([arguments, &chosen] { chosen = [arguments] { return probe(*arguments); }; });
}

}  // namespace edgejoule::calibrate
