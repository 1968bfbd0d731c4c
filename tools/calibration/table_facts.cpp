#include "calibration/table_facts.h"

#include <fmt/format.h>

#include <stdexcept>

#include "pricing/table_objects.h"
#include "text/escape.h"

namespace edgejoule::calibration {

files::FileBytes with_machine(const files::FileBytes& table, const MachineFacts& facts, const Session& session) {
  return with_machine(table, facts, session.protocol().first_state(), session.wake(), session.outcome().text());
}

files::FileBytes with_machine(const files::FileBytes& table, const MachineFacts& facts, const MachineState& state,
                              const std::optional<WakeUp>& wake, const std::string& ended) {
  wire::CoefficientTableT file;
  wire::GetCoefficientTable(table.span().data())->UnPackTo(&file);
  auto& point = file.operating_points.emplace_back(std::make_unique<wire::OperatingPointT>());
  point->name = text::valid_utf8(state.power_mode.empty() ? "as measured" : state.power_mode);
  const auto known = [](double value) { return value > 0 ? static_cast<float>(value) : 0.0F; };
  point->cpu_mhz = known(state.cpu_mhz);
  point->gpu_mhz = known(state.gpu_mhz);
  point->memory_mhz = known(state.memory_mhz);
  point->core_millivolts = known(state.millivolts);
  if (!file.engines.empty()) {
    file.engines.front()->l1_bytes = facts.l1_bytes;
    file.engines.front()->l2_bytes = facts.l2_bytes;
    if (wake && wake->joules > 0) {
      file.engines.front()->wake_microjoules = static_cast<float>(1e6 * wake->joules);
    }
  }
  for (const RailFacts& rail : facts.rails) {
    auto& sensor = file.sensors.emplace_back(std::make_unique<wire::SensorT>());
    sensor->rail = text::valid_utf8(rail.label);
    sensor->chip = text::valid_utf8(rail.chip);
    sensor->shunt_uohm = rail.shunt_uohm;
    sensor->update_period_us = rail.cycle_ns / 1000;
  }
  auto& notes = file.provenance->notes;
  if (wake) {
    notes.push_back(
        fmt::format("wake-up behind a pause of 12 ms or more, until the engine is off again: {:.0f} uJ (standard error "
                    "{:.0f}), {:.0f} us",
                    1e6 * wake->joules, 1e6 * wake->joules_error, 1e6 * wake->seconds));
  }
  std::string conditions;
  const auto add = [&](std::string_view what, const std::string& value) {
    if (!value.empty()) conditions += fmt::format("{}{} {}", conditions.empty() ? "" : ", ", what, value);
  };
  add("governor", state.governor);
  add("cpuidle", state.cpuidle);
  add("rail gating", state.rail_gating);
  add("fan", state.fan);
  for (const MachineState::Temperature& temperature : state.temperatures) {
    add(temperature.name, fmt::format("{:.0f} degrees", temperature.celsius));
  }
  if (!conditions.empty()) notes.push_back(text::valid_utf8("state at the start: " + conditions));
  for (const std::string& unknown : state.unknown) notes.push_back(text::valid_utf8("not known: " + unknown));
  if (!ended.empty()) notes.push_back(text::valid_utf8(ended));
  return pricing::pack_table<std::logic_error>(file, "the calibrated table is not valid");
}

}  // namespace edgejoule::calibration
