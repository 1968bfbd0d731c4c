#include "emulated_board/faults.h"

#include <utility>

#include "emulated_board/words.h"

namespace edgejoule::emulated_board {
namespace {

constexpr std::pair<const char*, FaultKind> kNames[] = {
    {"nak", FaultKind::kNak},      {"timeout", FaultKind::kTimeout}, {"arbitration", FaultKind::kArbitrationLost},
    {"short", FaultKind::kShort},  {"stall", FaultKind::kStall},     {"corrupt", FaultKind::kCorrupt},
    {"freeze", FaultKind::kFreeze}};

FaultKind kind_of(const std::string& name) {
  std::string known;
  for (const auto& [text, kind] : kNames) {
    if (name == text) {
      return kind;
    }
    known += std::string(known.empty() ? "" : ", ") + text;
  }
  throw FaultError("fault '" + name + "' is unknown; use one of " + known);
}

}  // namespace

Fault parse_fault(const std::string& words) {
  try {
    Words line(words);
    Fault fault;
    fault.kind = kind_of(line.next("the kind of fault"));
    if (const auto address = line.option("address")) {
      fault.address = static_cast<std::uint16_t>(to_integer(*address, 0, 0x7F));
    }
    if (const auto every = line.option("every")) {
      fault.every = static_cast<std::uint32_t>(to_integer(*every, 1, 1'000'000));
    }
    if (const auto count = line.option("count")) {
      fault.count = static_cast<std::uint64_t>(to_integer(*count, 1, 1'000'000'000));
    }
    if (const auto milliseconds = line.option("ms")) {
      fault.stall_ns = to_integer(*milliseconds, 0, 60'000) * 1'000'000;
    }
    if (const auto microseconds = line.option("us")) {
      fault.stall_ns = to_integer(*microseconds, 0, 60'000'000) * 1'000;
    }
    if (const auto flip = line.option("flip")) {
      fault.flip = static_cast<std::uint8_t>(to_integer(*flip, 1, 0xFF));
    }
    line.expect_end();
    return fault;
  } catch (const WordsError& error) {
    throw FaultError("fault '" + words + "': " + error.what());
  }
}

void FaultInjector::add(const Fault& fault) {
  active_.push_back({fault, 0, 0, std::nullopt});
}

FaultInjector::Decision FaultInjector::decide(std::uint16_t address, std::int64_t now_ns) {
  Decision decision;
  for (Active& active : active_) {
    const bool exhausted = active.fault.count && active.hit >= *active.fault.count;
    if (exhausted || (active.fault.address && *active.fault.address != address)) {
      continue;
    }
    if (++active.seen % active.fault.every != 0) {
      continue;
    }
    if (active.fault.kind == FaultKind::kFreeze) {
      if (!active.frozen_at_ns) {
        active.frozen_at_ns = now_ns;
      }
      decision.frozen_at_ns = active.frozen_at_ns;
    } else if (!decision.fault) {
      decision.fault = active.fault;
    } else {
      continue;
    }
    ++active.hit;
    ++hits_;
  }
  return decision;
}

}  // namespace edgejoule::emulated_board
