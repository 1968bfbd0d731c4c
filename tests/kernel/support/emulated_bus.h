// A running hil-backend: a board that a test has described, on a real adapter of the guest's kernel.
//
// Lifetime: the chips disappear with the object.
// Errors: std::runtime_error with what the backend said.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "support/file_descriptor.h"

namespace edgejoule::kernel_tier {

class EmulatedBus {
 public:
  // `board` is the text of a board file. Trace time 0 is epoch_ns() on CLOCK_MONOTONIC, a second before now, so
  // that every chip has results when the first test looks.
  explicit EmulatedBus(std::string board, std::vector<std::string> extra_arguments = {}, int bus = 0);
  ~EmulatedBus();
  EmulatedBus(const EmulatedBus&) = delete;
  EmulatedBus& operator=(const EmulatedBus&) = delete;

  [[nodiscard]] int adapter() const { return adapter_; }
  [[nodiscard]] std::int64_t epoch_ns() const { return epoch_ns_; }

  void fault(const std::string& words) { (void)command("fault " + words); }
  void clear_faults() { (void)command("clear"); }
  std::string command(const std::string& text);

  void kill_backend();   // SIGKILL, as a crash
  void start_backend();  // again, with the same board and epoch

 private:
  void stop(int signal);

  std::vector<std::string> arguments_;
  std::string control_path_;
  std::int64_t epoch_ns_;
  pid_t process_ = -1;
  FileDescriptor control_;
  int adapter_ = -1;
};

}  // namespace edgejoule::kernel_tier
