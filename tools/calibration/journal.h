// What has been measured so far, on storage: one line per block, each synced, so that ctrl-C, a crash or a power cut
// costs the block under way and nothing else.
//
// Shape: text. The first line names the format; then "key<TAB>value" of the machine the figures are of; then one line
// per block. A last line without its end is what a power cut left, and is ignored.
// Errors: JournalError (what, where, what to do next). A full disk is no error of append(): it answers what is wrong,
// once.
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
};

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

 private:
  [[nodiscard]] std::optional<std::string> write_line(const std::string& line);
  std::string path_;
  int fd_ = -1;
  bool failed_ = false;
};

}  // namespace edgejoule::calibration
