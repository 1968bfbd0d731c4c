#include "child_process.h"

#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include <fmt/format.h>

#include "text/escape.h"

extern char** environ;

namespace edgejoule::calibrate {

void ChildProcess::start(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const int failed = ::posix_spawnp(&pid_, arguments[0], nullptr, nullptr, arguments.data(), environ);
  if (failed == 0) return;
  pid_ = -1;
  code_ = failed == ENOENT ? 127 : 126;
  fmt::print(stderr, "edge-calibrate: {}: {}\n", text::printable(words[0]), std::strerror(failed));
}

std::optional<int> ChildProcess::poll() {
  if (code_ || pid_ < 0) return code_;
  int status = 0;
  const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
  if (ended == pid_) code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return code_;
}

void ChildProcess::signal(int number) const {
  if (pid_ > 0 && !code_) ::kill(pid_, number);
}

}  // namespace edgejoule::calibrate
