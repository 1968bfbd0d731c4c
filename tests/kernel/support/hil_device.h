// A bus of the hil_i2c module, held by the process that plays its chips.
//
// Errors: std::system_error with what failed.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "emulated_board/bus.h"
#include "support/file_descriptor.h"

namespace edgejoule::kernel_tier {

class HilDevice {
 public:
  explicit HilDevice(const std::string& path);

  [[nodiscard]] int descriptor() const { return device_.get(); }  // readable where a transfer waits
  [[nodiscard]] int adapter() const;                              // N of /dev/i2c-N

  using Chips = std::function<emulated_board::TransferResult(std::span<const emulated_board::Message>,
                                                             std::int64_t start_mono_ns)>;
  // Answers the transfer that waits, if one does.
  void serve(const Chips& chips);

 private:
  FileDescriptor device_;
  std::vector<std::uint8_t> request_;
  std::vector<std::uint8_t> reply_;
};

}  // namespace edgejoule::kernel_tier
