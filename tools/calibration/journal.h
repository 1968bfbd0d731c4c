// What has been measured so far, on storage: one line per block, each synced, so that ctrl-C, a crash or a power cut
// costs the block under way and nothing else.
//
// Shape: text. The first line names the format; then "key<TAB>value" of the machine the figures are of; then one line
// per block. A last line without its end is what a power cut left, and is ignored; a damaged line costs its block.
// Errors: JournalError (what, where, what to do next). A full disk is no error of append(): it answers what is wrong,
// once, and what found no room is written with a later line, or at the end.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "calibration/protocol.h"

namespace edgejoule::calibration {

struct JournalError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Measurements of machines that differ in any of these do not go into one table.
struct JournalHeader {
  std::string board, compatible, os_release, source;
  std::string runtime, engine, power_mode, cpu_mhz, memory_mhz;
  std::string governor, cpuidle, rail_gating;
  std::string rails, threads, format, tool_version;

  friend bool operator==(const JournalHeader&, const JournalHeader&) = default;
};
[[nodiscard]] JournalHeader header_of(const MachineFacts& facts, const MachineState& state, int threads,
                                      const std::string& tool_version);

struct JournalContent {
  JournalHeader header;
  std::vector<Block> blocks;
  std::optional<WakeUp> wake;
  std::size_t damaged = 0;  // lines that hold no block that can be trusted
};

// A file that ends before its first line does is a journal in which nothing was measured.
[[nodiscard]] JournalContent read_journal(const std::string& path);

// What keeps the two from being one calibration; empty: nothing.
[[nodiscard]] std::string difference(const JournalHeader& journal, const JournalHeader& now);

class Journal {
 public:
  Journal() = default;  // writes nothing
  // Begins a new one, or continues behind the last whole line. Exactly one writer at a time.
  Journal(const std::string& path, const JournalHeader& header, bool resume);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Not inside a block: storage draws from the rail.
  [[nodiscard]] std::optional<std::string> append(const Block& block);
  [[nodiscard]] std::optional<std::string> append(const WakeUp& wake);
  // Nothing waits for room.
  [[nodiscard]] bool is_whole() const { return pending_.empty(); }

 private:
  [[nodiscard]] std::optional<std::string> write_line(const std::string& line);
  [[nodiscard]] int write_pending();
  std::string path_;
  std::string pending_;  // whole lines that are not in the file yet
  int fd_ = -1;
  bool failed_ = false;
};

}  // namespace edgejoule::calibration
