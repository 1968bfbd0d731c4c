// A program as a person runs it: what it printed, what it said, how it ended.
#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "files/io.h"
#include "support/temporary_folder.h"

namespace edgejoule::test {

struct Outcome {
  int code = -1;    // -1: ended by a signal
  std::string out;  // standard output
  std::string err;
};

// `command` goes to a shell, so that arguments may redirect; standard input is empty.
inline Outcome run_program(const std::string& command) {
  const TemporaryFolder folder;
  const std::string errors = folder.file("stderr");
  // In braces: a redirection of the command's own comes later, and counts.
  std::FILE* const pipe = ::popen(("{ " + command + "\n} 2>" + errors + " </dev/null").c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  Outcome outcome;
  std::array<char, 4096> buffer{};
  for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    outcome.out.append(buffer.data(), got);
  }
  const int status = ::pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  outcome.err = files::read_file(errors).text();
  return outcome;
}

}  // namespace edgejoule::test
