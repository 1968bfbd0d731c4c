#include "calibration/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <functional>
#include <utility>

#include "files/io.h"
#include "text/escape.h"
#include "text/quantity_text.h"

namespace edgejoule::calibration {
namespace {

constexpr std::string_view kFirstLine = "edgejoule calibration journal 1";

using HeaderField = std::pair<const char*, std::string JournalHeader::*>;
constexpr std::array<HeaderField, 16> kHeader{{{"board", &JournalHeader::board},
                                               {"compatible", &JournalHeader::compatible},
                                               {"os", &JournalHeader::os_release},
                                               {"source", &JournalHeader::source},
                                               {"runtime", &JournalHeader::runtime},
                                               {"engine", &JournalHeader::engine},
                                               {"mode", &JournalHeader::power_mode},
                                               {"cpu_mhz", &JournalHeader::cpu_mhz},
                                               {"memory_mhz", &JournalHeader::memory_mhz},
                                               {"governor", &JournalHeader::governor},
                                               {"cpuidle", &JournalHeader::cpuidle},
                                               {"rail_gating", &JournalHeader::rail_gating},
                                               {"rails", &JournalHeader::rails},
                                               {"threads", &JournalHeader::threads},
                                               {"format", &JournalHeader::format},
                                               {"tool", &JournalHeader::tool_version}}};

using NumberField = std::pair<const char*, double Block::*>;
constexpr std::array<NumberField, 12> kNumbers{{{"joules", &Block::joules},
                                                {"joules_error", &Block::joules_error},
                                                {"seconds", &Block::seconds},
                                                {"first_seconds", &Block::first_seconds},
                                                {"idle_watts", &Block::idle_watts},
                                                {"run_watts", &Block::run_watts},
                                                {"begin_s", &Block::begin_s},
                                                {"end_s", &Block::end_s},
                                                {"celsius", &Block::celsius},
                                                {"coverage", &Block::coverage},
                                                {"conservation", &Block::conservation},
                                                {"naive_joules", &Block::naive_joules}}};

// A value is one field of one line.
std::string field(std::string text) {
  for (char& c : text) {
    if (c == '\t' || c == '\n' || c == '\r') c = ' ';
  }
  return text;
}

std::vector<std::string> split(std::string_view line) {
  std::vector<std::string> fields;
  for (;;) {
    const std::size_t tab = line.find('\t');
    fields.emplace_back(line.substr(0, tab));
    if (tab == std::string_view::npos) return fields;
    line.remove_prefix(tab + 1);
  }
}

struct Damaged {};  // a line whose block cannot be trusted

template <class Number>
Number number(const std::string& text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) throw Damaged{};
  return value;
}

std::string line_of(const Block& block) {
  std::string line = "block\t" + field(block.name);
  for (const auto& [key, member] : kNumbers) line += fmt::format("\t{}={}", key, text::exact(block.*member));
  return line + fmt::format("\texecutions={}\tattempt={}\tproblem={}\n", block.executions, block.attempt,
                            field(block.problem));
}

Block block_of(const std::vector<std::string>& fields) {
  Block block;
  block.name = fields.at(1);
  for (std::size_t i = 2; i < fields.size(); ++i) {
    const std::size_t equals = fields[i].find('=');
    if (equals == std::string::npos) throw Damaged{};
    const std::string key = fields[i].substr(0, equals), value = fields[i].substr(equals + 1);
    if (key == "problem") {
      block.problem = value;
    } else if (key == "executions") {
      block.executions = number<std::uint64_t>(value);
    } else if (key == "attempt") {
      block.attempt = number<int>(value);
    } else {
      for (const auto& [name, member] : kNumbers) {
        if (key == name) block.*member = number<double>(value);
      }
    }
  }
  // What went wrong may have no error bounds; what went well has.
  if (block.problem.empty() && !(std::isfinite(block.joules) && std::isfinite(block.joules_error) &&
                                 block.seconds > 0 && block.executions > 0)) {
    throw Damaged{};
  }
  return block;
}

WakeUp wake_of(const std::vector<std::string>& fields) {
  return {number<double>(fields.at(1)), number<double>(fields.at(2)), number<double>(fields.at(3)),
          number<int>(fields.at(4))};
}

void take_line(const std::vector<std::string>& fields, JournalContent& content) {
  try {
    if (fields.front() == "block" && fields.size() >= 2 + kNumbers.size() + 3) {
      content.blocks.push_back(block_of(fields));
      return;
    }
    if (fields.front() == "wake" && fields.size() == 5) {
      content.wake = wake_of(fields);
      return;
    }
  } catch (const Damaged&) {
    ++content.damaged;
    return;
  }
  for (const auto& [key, member] : kHeader) {
    if (fields.front() != key || fields.size() != 2) continue;
    content.header.*member = fields[1];
    return;
  }
  ++content.damaged;
}

std::string system_text(int error) {
  return std::strerror(error);
}

}  // namespace

JournalHeader header_of(const MachineFacts& facts, const MachineState& state, int threads,
                        const std::string& tool_version) {
  JournalHeader header;
  header.board = field(facts.board), header.compatible = field(facts.compatible);
  header.os_release = field(facts.os_release), header.source = field(facts.source);
  header.runtime = field(facts.runtime), header.engine = field(facts.engine);
  header.power_mode = field(state.power_mode);
  header.cpu_mhz = state.cpu_mhz > 0 ? fmt::format("{:.0f}", state.cpu_mhz) : "";
  header.governor = field(state.governor), header.cpuidle = field(state.cpuidle);
  header.rail_gating = field(state.rail_gating);
  header.memory_mhz = state.memory_mhz > 0 ? fmt::format("{:.0f}", state.memory_mhz) : "";
  for (const RailFacts& rail : facts.rails) {
    if (rail.in_total) header.rails += (header.rails.empty() ? "" : "+") + field(rail.label);
  }
  header.threads = std::to_string(threads);
  header.tool_version = field(tool_version);
  return header;
}

JournalContent read_journal(const std::string& path) {
  const files::FileBytes bytes = files::read_file(path);
  std::string_view text = bytes.text();
  JournalContent content;
  for (std::size_t line_number = 1; !text.empty(); ++line_number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (line_number == 1 && !kFirstLine.starts_with(line)) {
      throw JournalError(fmt::format("{} is no calibration journal; name another place with --journal, or move it away",
                                     text::printable(path)));
    }
    if (end == std::string_view::npos) break;  // torn
    text.remove_prefix(end + 1);
    if (line_number > 1) take_line(split(line), content);
  }
  return content;
}

std::string difference(const JournalHeader& journal, const JournalHeader& now) {
  for (const auto& [key, member] : kHeader) {
    if (journal.*member == now.*member || std::string_view(key) == "tool") continue;
    const bool may_lack = member == &JournalHeader::governor || member == &JournalHeader::cpuidle ||
                          member == &JournalHeader::rail_gating;  // journals from before these were noted
    if (may_lack && (journal.*member).empty()) continue;
    return fmt::format("its {} is '{}', that of this machine '{}'", key, text::printable(journal.*member),
                       text::printable(now.*member));
  }
  return {};
}

Journal::Journal(const std::string& path, const JournalHeader& header, bool resume) : path_(path) {
  // Not emptied before it is locked: another calibration may be writing it.
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) {
    throw JournalError(
        fmt::format("{}: {}; choose another place with --journal", text::printable(path), system_text(errno)));
  }
  const auto fail = [&](const std::string& what) {
    ::close(std::exchange(fd_, -1));
    throw JournalError(what);
  };
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {  // else a file system without locks
    fail(fmt::format("{}: another calibration is writing it; wait for it, or choose another --journal",
                     text::printable(path)));
  }
  std::size_t whole = 0;
  if (resume) {
    const files::FileBytes bytes = files::read_file(path);
    const std::size_t last = bytes.text().rfind('\n');
    whole = last == std::string_view::npos ? 0 : last + 1;
  }
  struct stat info {};
  const bool is_file = ::fstat(fd_, &info) == 0 && S_ISREG(info.st_mode);  // pipes and devices have no end
  if (is_file && (::ftruncate(fd_, static_cast<off_t>(whole)) != 0 || ::lseek(fd_, 0, SEEK_END) < 0)) {
    fail(fmt::format("{}: {}; choose another place with --journal", text::printable(path), system_text(errno)));
  }
  if (whole > 0) return;
  pending_ = std::string(kFirstLine) + "\n";
  for (const auto& [key, member] : kHeader) pending_ += fmt::format("{}\t{}\n", key, header.*member);
  if (const int error = write_pending(); error != 0) {
    fail(fmt::format("{}: {}; free some space, or choose another place with --journal", text::printable(path),
                     system_text(error)));
  }
}

Journal::~Journal() {
  if (fd_ < 0) return;
  (void)write_pending();
  ::close(fd_);
}

// Returns 0 or the error. A line stands in the file whole or not at all.
int Journal::write_pending() {
  const off_t begin = ::lseek(fd_, 0, SEEK_CUR);  // none of pipes and devices
  std::size_t written = 0;
  while (written < pending_.size()) {
    const ssize_t count = ::write(fd_, pending_.data() + written, pending_.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      const int error = count < 0 ? errno : ENOSPC;
      if (begin < 0 || ::ftruncate(fd_, begin) != 0 || ::lseek(fd_, begin, SEEK_SET) < 0) pending_.erase(0, written);
      return error;
    }
    written += static_cast<std::size_t>(count);
  }
  pending_.clear();
  (void)::fdatasync(fd_);  // pipes and devices have no storage to wait for
  return 0;
}

std::optional<std::string> Journal::write_line(const std::string& line) {
  if (fd_ < 0) return std::nullopt;
  pending_ += line;
  const bool said = std::exchange(failed_, true);
  const int error = write_pending();
  failed_ = error != 0;
  if (said || error == 0) return std::nullopt;
  return fmt::format(
      "{}: {}; free some space: what was measured until now is in it, the rest waits in memory and is written as "
      "soon as there is room",
      text::printable(path_), system_text(error));
}

std::optional<std::string> Journal::append(const Block& block) {
  return write_line(line_of(block));
}

std::optional<std::string> Journal::append(const WakeUp& wake) {
  return write_line(fmt::format("wake\t{}\t{}\t{}\t{}\n", text::exact(wake.joules), text::exact(wake.joules_error),
                                text::exact(wake.seconds), wake.wakes));
}

}  // namespace edgejoule::calibration
