#include "calibration/runtime_command.h"

#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "edgejoule/linux/monotonic.h"
#include "files/io.h"
#include "text/escape.h"

extern char** environ;

namespace edgejoule::calibration {
namespace {

constexpr std::string_view kTimes = ".times.json";
constexpr std::string_view kProfile = ".profile.json";
constexpr std::string_view kLayers = ".layers.json";
constexpr std::string_view kLog = ".log";

// Words as a shell sees them, quotes and all.
std::vector<std::string> words_of(const std::string& command) {
  std::vector<std::string> words;
  std::string word;
  char quote = 0;
  for (const char c : command) {
    if (quote != 0) {
      quote = c == quote ? '\0' : quote;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      if (!word.empty()) words.push_back(std::exchange(word, {}));
      continue;
    }
    word += c;
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

void replace_all(std::string& text, std::string_view from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

bool holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// Paths go into a shell command as they are.
bool is_plain(const std::string& path) {
  return std::all_of(path.begin(), path.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::strchr("/._-+,:@", c) != nullptr;
  });
}

// The end of a log, indented.
std::string last_lines(const std::string& path) {
  std::string text;
  try {
    text = files::read_file(path).text();
  } catch (const files::FileError&) {
    return "  (no log)";
  }
  constexpr std::size_t kLines = 5;
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (end > begin) lines.push_back("  " + text::printable(std::string_view(text).substr(begin, end - begin)));
    begin = end + 1;
  }
  if (lines.empty()) return "  (it said nothing)";
  lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(std::min(kLines, lines.size())));
  return fmt::format("{}", fmt::join(lines, "\n"));
}

}  // namespace

RuntimeCommand::RuntimeCommand(std::string command_template, import::ModelFormat format, std::filesystem::path folder)
    : template_(std::move(command_template)), format_(format), folder_(std::move(folder)) {
  for (const std::string_view needed : {"{model}", "{iterations}"}) {
    if (!holds(template_, needed)) {
      throw RuntimeError(fmt::format(
          "command '{}': {} does not stand in it; the runtime must be told which model to run and how often, such as "
          "'trtexec --onnx={{model}} --iterations={{iterations}} --exportTimes={{times}}'",
          text::printable(template_), needed));
    }
  }
  std::error_code failed;
  folder_ = std::filesystem::absolute(folder_, failed);
  if (!failed) std::filesystem::create_directories(folder_, failed);
  if (failed) {
    throw RuntimeError(fmt::format("folder {}: it cannot be made ({}); name another for the experiments",
                                   text::printable(folder_.string()), failed.message()));
  }
  if (!is_plain(folder_.string())) {
    throw RuntimeError(
        fmt::format("folder {}: its path holds characters a shell would read; name another for the "
                    "experiments",
                    text::printable(folder_.string())));
  }
}

std::filesystem::path RuntimeCommand::file_of(const Experiment& experiment, std::string_view suffix) const {
  if (!is_plain(experiment.name) || holds(experiment.name, "/") || experiment.name.empty()) {
    throw RuntimeError(fmt::format("experiment '{}': its name cannot be that of a file; use letters, digits and dashes",
                                   text::printable(experiment.name)));
  }
  return folder_ / (experiment.name + std::string(suffix));
}

std::filesystem::path RuntimeCommand::model_of(const Experiment& experiment) {
  std::filesystem::path path = file_of(experiment, import::extension_of(format_));
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    const std::vector<std::uint8_t> bytes = import::write_experiment(format_, experiment.ops);
    files::write_file(path.string(), {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  return path;
}

std::string RuntimeCommand::command_for(const Experiment& experiment, std::uint64_t iterations, bool profiled) {
  std::string command;
  for (const std::string& word : words_of(template_)) {
    if (!profiled && (holds(word, "{profile}") || holds(word, "{layers}"))) continue;
    if (!command.empty()) command += ' ';
    command += word;
  }
  replace_all(command, "{model}", model_of(experiment).string());
  replace_all(command, "{iterations}", std::to_string(iterations));
  replace_all(command, "{times}", file_of(experiment, kTimes).string());
  replace_all(command, "{profile}", file_of(experiment, kProfile).string());
  replace_all(command, "{layers}", file_of(experiment, kLayers).string());
  return command;
}

void RuntimeCommand::execute(const Experiment& experiment, const std::string& command, bool profiled) {
  // What a former run left must not pass for what this one wrote.
  std::error_code ignored;
  std::filesystem::remove(file_of(experiment, kTimes), ignored);
  if (profiled) {
    std::filesystem::remove(file_of(experiment, kProfile), ignored);
    std::filesystem::remove(file_of(experiment, kLayers), ignored);
  }
  const std::string log = file_of(experiment, kLog).string();
  const std::string line = fmt::format("{{ {}\n}} >{} 2>&1 </dev/null", command, log);
  std::array<const char*, 4> words{"sh", "-c", line.c_str(), nullptr};
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  pid_t child = -1;
  int failed = 0;
  {
    const std::lock_guard lock(running_mutex_);
    failed = ::posix_spawn(&child, "/bin/sh", nullptr, &attributes, const_cast<char**>(words.data()), environ);
    if (failed == 0) running_ = child;
  }
  ::posix_spawnattr_destroy(&attributes);
  if (failed != 0) {
    throw RuntimeError(fmt::format("command '{}': no shell could be started for it ({})", text::printable(command),
                                   std::strerror(failed)));
  }
  // Until it is waited for its number stays its own: signal() cannot meet another process.
  siginfo_t ended{};
  while (::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
  }
  int status = 0;
  pid_t waited = -1;
  int problem = 0;
  {
    const std::lock_guard lock(running_mutex_);
    running_ = -1;
    waited = ::waitpid(child, &status, 0);
    problem = errno;
  }
  if (waited < 0) {
    throw RuntimeError(fmt::format("command '{}': it was lost ({}); was another program waiting for it?",
                                   text::printable(command), std::strerror(problem)));
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  std::string how;
  if (WIFSIGNALED(status) || WEXITSTATUS(status) > 128) {
    how = fmt::format("was ended by signal {}", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) - 128);
  } else if (WEXITSTATUS(status) == 127) {
    how = "was not found (exit code 127)";
  } else {
    how = fmt::format("failed with exit code {}", WEXITSTATUS(status));
  }
  throw RuntimeError(fmt::format("command '{}': it {}; run it by hand to see why. Its last words, from {}:\n{}",
                                 text::printable(command), how, log, last_lines(log)));
}

std::string RuntimeCommand::read_back(const Experiment& experiment, std::string_view suffix,
                                      std::string_view placeholder) const {
  const std::filesystem::path path = file_of(experiment, suffix);
  std::error_code failed;
  if (!std::filesystem::exists(path, failed)) {
    throw RuntimeError(fmt::format(
        "command '{}': it ended well and wrote no {}; check the option that {} stands for, and what it said in {}",
        text::printable(template_), path.string(), placeholder, file_of(experiment, kLog).string()));
  }
  return std::string(files::read_file(path.string()).text());
}

RuntimeRun RuntimeCommand::run(const Experiment& experiment, std::uint64_t iterations) {
  const std::string command = command_for(experiment, iterations, false);
  RuntimeRun out;
  out.begin_ns = monotonic_ns();
  execute(experiment, command, false);
  out.end_ns = monotonic_ns();
  out.inferences = iterations;
  if (holds(template_, "{times}")) {
    const std::string path = file_of(experiment, kTimes).string();
    out.times = timeline::read_times(read_back(experiment, kTimes, "{times}"), path);
    out.inferences = out.times.size();
    if (out.inferences < iterations) {
      throw RuntimeError(fmt::format("{}: {} inferences where {} were asked for; check what {{iterations}} stands for",
                                     path, out.inferences, iterations));
    }
  }
  return out;
}

bool RuntimeCommand::tells_layers() const {
  return holds(template_, "{layers}");
}

std::vector<std::string> RuntimeCommand::unknown_places() const {
  constexpr std::array<std::string_view, 5> kPlaces = {"{model}", "{iterations}", "{times}", "{profile}", "{layers}"};
  std::vector<std::string> unknown;
  for (std::size_t at = template_.find('{'); at != std::string::npos; at = template_.find('{', at + 1)) {
    const std::size_t end = template_.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", at + 1);
    if (end == std::string::npos || end == at + 1 || template_[end] != '}') continue;
    if (at > 0 && template_[at - 1] == '$') continue;  // the shell's own
    const std::string place = template_.substr(at, end + 1 - at);
    if (std::find(kPlaces.begin(), kPlaces.end(), place) == kPlaces.end()) unknown.push_back(place);
  }
  return unknown;
}

RuntimeProfile RuntimeCommand::profile(const Experiment& experiment, std::uint64_t iterations) {
  if (!holds(template_, "{profile}") && !tells_layers()) return {};
  execute(experiment, command_for(experiment, iterations, true), true);
  return earlier_profile(experiment);
}

RuntimeProfile RuntimeCommand::earlier_profile(const Experiment& experiment) const {
  RuntimeProfile out;
  if (holds(template_, "{profile}")) {
    const std::string path = file_of(experiment, kProfile).string();
    out.profile = timeline::read_profile(read_back(experiment, kProfile, "{profile}"), path);
  }
  if (tells_layers()) {
    const std::string path = file_of(experiment, kLayers).string();
    out.layers = timeline::read_layers(read_back(experiment, kLayers, "{layers}"), path);
  }
  return out;
}

void RuntimeCommand::signal(int number) {
  const std::lock_guard lock(running_mutex_);
  if (running_ > 0) ::kill(-running_, number);
}

}  // namespace edgejoule::calibration
