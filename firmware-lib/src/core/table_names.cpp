#include "edgejoule/core/table.h"
#include "edgejoule_wire/table_generated.h"

// Names apart from the code that computes, so that a firmware which prints nothing
// links none of them.
namespace edgejoule {

// The public enumerations and the file format's must agree.
#define EDGEJOULE_SAME(type, name, wire_name) \
  static_assert(static_cast<int>(type::name) == static_cast<int>(wire::type::wire_name), #type "::" #name);
EDGEJOULE_SAME(BoundaryKind, kWholeMachine, whole_machine)
EDGEJOULE_SAME(BoundaryKind, kChipSupply, chip_supply)
EDGEJOULE_SAME(BaselineKind, kAboveIdle, above_idle)
EDGEJOULE_SAME(EngineKind, kDsp, dsp)
EDGEJOULE_SAME(EngineState, kBusy, busy)
EDGEJOULE_SAME(Level, kOpAndType, op_and_type)
EDGEJOULE_SAME(Level, kClass, op_class)
EDGEJOULE_SAME(Level, kRoofline, roofline)
EDGEJOULE_SAME(RowForm, kLog2, log2)
EDGEJOULE_SAME(Unit, kJoule, joule)
EDGEJOULE_SAME(Unit, kWatt, watt)
EDGEJOULE_SAME(Unit, kRatio, ratio)
EDGEJOULE_SAME(Unit, kPicosecond, picosecond)
EDGEJOULE_SAME(Unit, kSecond, second)
#undef EDGEJOULE_SAME

std::string_view symbol_of(Unit unit) noexcept {
  switch (unit) {
    case Unit::kFemtojoule: return "fJ";
    case Unit::kPicojoule: return "pJ";
    case Unit::kNanojoule: return "nJ";
    case Unit::kMicrojoule: return "uJ";
    case Unit::kMillijoule: return "mJ";
    case Unit::kJoule: return "J";
    case Unit::kMilliwatt: return "mW";
    case Unit::kWatt: return "W";
    case Unit::kRatio: return "";
    case Unit::kPicosecond: return "ps";
    case Unit::kNanosecond: return "ns";
    case Unit::kMicrosecond: return "us";
    case Unit::kMillisecond: return "ms";
    case Unit::kSecond: return "s";
  }
  return "?";
}

std::string_view name_of(Level level) noexcept {
  switch (level) {
    case Level::kExact: return "exact";
    case Level::kOpAndType: return "op and type";
    case Level::kOp: return "op";
    case Level::kClass: return "class";
    case Level::kRoofline: return "roofline";
    case Level::kNone: return "none";
  }
  return "?";
}

std::string_view name_of(RowForm form) noexcept {
  switch (form) {
    case RowForm::kLinear: return "linear";
    case RowForm::kLog2: return "log2";
  }
  return "?";
}

std::string_view name_of(BoundaryKind boundary) noexcept {
  switch (boundary) {
    case BoundaryKind::kUnknown: return "unknown";
    case BoundaryKind::kRails: return "rails";
    case BoundaryKind::kModuleInput: return "module input";
    case BoundaryKind::kWall: return "wall";
    case BoundaryKind::kChipSupply: return "chip supply";
    case BoundaryKind::kWholeMachine: return "whole machine";
  }
  return "?";
}

std::string_view name_of(BaselineKind baseline) noexcept {
  switch (baseline) {
    case BaselineKind::kUnknown: return "unknown";
    case BaselineKind::kTotal: return "total";
    case BaselineKind::kAboveIdle: return "above idle";
  }
  return "?";
}

std::string_view name_of(EngineKind kind) noexcept {
  switch (kind) {
    case EngineKind::kUnknown: return "unknown";
    case EngineKind::kCpu: return "cpu";
    case EngineKind::kGpu: return "gpu";
    case EngineKind::kDla: return "dla";
    case EngineKind::kNpu: return "npu";
    case EngineKind::kDsp: return "dsp";
  }
  return "?";
}

std::string_view name_of(EngineState state) noexcept {
  switch (state) {
    case EngineState::kGated: return "gated";
    case EngineState::kIdle: return "idle";
    case EngineState::kBusy: return "busy";
  }
  return "?";
}

}  // namespace edgejoule
