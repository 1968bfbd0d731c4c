// Changes a kernel setting for the life of this program and puts it back on every exit.
//
// A helper process does the putting back: it waits until this program is gone, whatever
// ended it, kill -9 included. Only a power cut or the helper's own death are beyond it.
// Errors: SettingError (what, where, what to do next).
#pragma once

#include <sys/types.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace edgejoule::capture {

struct SettingError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Setting {
  std::string path;
  std::string value;
};

class SettingsGuard {
 public:
  SettingsGuard() = default;
  ~SettingsGuard();
  SettingsGuard(const SettingsGuard&) = delete;
  SettingsGuard& operator=(const SettingsGuard&) = delete;

  // Before any thread starts: the helper is a fork of this program. All settings or none.
  void apply(const std::vector<Setting>& settings);
  // Puts everything back and waits for it.
  void restore();

 private:
  int pipe_ = -1;
  pid_t helper_ = -1;
};

}  // namespace edgejoule::capture
