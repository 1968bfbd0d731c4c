// The command that is measured: started, watched, and its exit code handed on.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace edgejoule::calibrate {

class ChildProcess {
 public:
  // Shell conventions: 127 where the program is not found, 126 where it cannot be run.
  // Precondition: words is not empty.
  void start(const std::vector<std::string>& words);
  // The exit code once it has ended; 128 + n where signal n ended it.
  [[nodiscard]] std::optional<int> poll();
  void signal(int number) const;

 private:
  pid_t pid_ = -1;
  std::optional<int> code_;
};

}  // namespace edgejoule::calibrate
