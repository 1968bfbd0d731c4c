// A register bus whose registers are set by the test: raw bytes in, raw bytes out.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "edgejoule/sensors/register_bus.h"

namespace edgejoule::test {

class ScriptedBus {
 public:
  struct Transfer {
    std::uint8_t reg;
    bool is_write;
    std::uint16_t value;  // of a write
  };

  std::uint8_t address = 0x40;
  std::map<std::uint8_t, std::vector<std::uint8_t>> registers;
  std::map<std::uint8_t, std::uint16_t> clear_on_read;  // register -> bits cleared by reading it
  std::vector<Transfer> transfers;
  std::optional<Error> fault;
  int batches = 0;

  void set(std::uint8_t reg, std::uint16_t value) {
    registers[reg] = {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
  }
  void set_bytes(std::uint8_t reg, std::vector<std::uint8_t> bytes) { registers[reg] = std::move(bytes); }
  [[nodiscard]] std::uint16_t get(std::uint8_t reg) const {
    const auto found = registers.find(reg);
    return found == registers.end() ? std::uint16_t{0}
                                    : static_cast<std::uint16_t>(found->second[0] << 8 | found->second[1]);
  }

  RegisterBus bus(bool with_batch = false) {
    RegisterBus table;
    table.context = this;
    table.read = [](void* context, std::uint8_t at, std::uint8_t reg, Span<std::uint8_t> bytes) {
      return static_cast<ScriptedBus*>(context)->read(at, reg, bytes);
    };
    table.write = [](void* context, std::uint8_t at, std::uint8_t reg, Span<const std::uint8_t> bytes) -> Status {
      auto& self = *static_cast<ScriptedBus*>(context);
      if (self.fault) return *self.fault;
      if (at != self.address) return Error::kBusNak;
      self.transfers.push_back({reg, true, static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1])});
      self.set(reg, static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]));
      return {};
    };
    if (with_batch) {
      table.read_batch = [](void* context, std::uint8_t at, Span<const RegisterRead> reads) -> Status {
        auto& self = *static_cast<ScriptedBus*>(context);
        ++self.batches;
        for (const RegisterRead& one : reads) {
          if (const Status s = self.read(at, one.reg, one.bytes); !s) return s;
        }
        return {};
      };
    }
    return table;
  }

 private:
  Status read(std::uint8_t at, std::uint8_t reg, Span<std::uint8_t> bytes) {
    if (fault) return *fault;
    if (at != address) return Error::kBusNak;
    transfers.push_back({reg, false, 0});
    std::vector<std::uint8_t> value = registers.count(reg) != 0 ? registers[reg] : std::vector<std::uint8_t>{};
    value.resize(bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = value[i];
    if (clear_on_read.count(reg) != 0) {
      set(reg, static_cast<std::uint16_t>(get(reg) & ~clear_on_read[reg]));
    }
    return {};
  }
};

}  // namespace edgejoule::test
