#include "capture/settings_guard.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>

namespace edgejoule::capture {
namespace {

std::string read_setting(const std::string& path) {
  std::ifstream file(path);
  std::string value;
  if (!std::getline(file, value)) {
    throw SettingError(
        fmt::format("{}: cannot be read ({}); this driver may not have the setting", path, std::strerror(errno)));
  }
  return value;
}

int write_setting(const std::string& path, const std::string& value) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_TRUNC);
  if (fd < 0) return errno;
  const ssize_t written = ::write(fd, value.data(), value.size());
  const int failed = written < 0 ? errno : 0;
  ::close(fd);
  return failed;
}

[[noreturn]] void help(int watched, const std::vector<Setting>& old) {
  // Ctrl-C and a closing terminal are for the program; the helper outlives it.
  ::setsid();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) std::signal(signal, SIG_IGN);
  char byte = 0;
  while (::read(watched, &byte, 1) < 0 && errno == EINTR) {
  }
  int failed = 0;
  // In reverse: a later setting may have been made in terms of an earlier one.
  for (auto setting = old.rbegin(); setting != old.rend(); ++setting) {
    if (write_setting(setting->path, setting->value) != 0) failed = 1;
  }
  ::_exit(failed);
}

}  // namespace

SettingsGuard::~SettingsGuard() {
  try {
    restore();
  } catch (const SettingError& error) {
    fmt::print(stderr, "edge-calibrate: {}\n", error.what());
  }
}

void SettingsGuard::apply(const std::vector<Setting>& settings) {
  if (settings.empty()) return;
  std::vector<Setting> old;
  for (const Setting& setting : settings) old.push_back({setting.path, read_setting(setting.path)});
  int ends[2] = {};
  if (::pipe2(ends, O_CLOEXEC) != 0) throw SettingError(fmt::format("pipe: {}", std::strerror(errno)));
  // The helper stands ready before anything is changed.
  helper_ = ::fork();
  if (helper_ < 0) {
    const int number = errno;
    ::close(ends[0]);
    ::close(ends[1]);
    throw SettingError(fmt::format("fork: {}", std::strerror(number)));
  }
  if (helper_ == 0) {
    ::close(ends[1]);
    help(ends[0], old);
  }
  ::close(ends[0]);
  pipe_ = ends[1];
  for (const Setting& setting : settings) {
    const int failed = write_setting(setting.path, setting.value);
    if (failed == 0) continue;
    restore();
    throw SettingError(fmt::format("{}: cannot be set to {}: {}{}", setting.path, setting.value, std::strerror(failed),
                                   failed == EACCES || failed == EPERM ? "; it needs root: run it with sudo" : ""));
  }
}

void SettingsGuard::restore() {
  if (pipe_ < 0) return;
  ::close(pipe_);
  pipe_ = -1;
  int status = 0;
  while (::waitpid(helper_, &status, 0) < 0 && errno == EINTR) {
  }
  helper_ = -1;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw SettingError(
        "a kernel setting could not be put back: look at samples and update_interval of the hwmon devices");
  }
}

}  // namespace edgejoule::capture
