// What `run` shows while it runs: one live line on a terminal, nothing in a pipe, a line per event in a log.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "calibration/session.h"

namespace edgejoule::calibrate {

class RunView {
 public:
  // Errors: std::runtime_error where the log cannot be opened. "": no log.
  explicit RunView(const std::string& log);
  ~RunView();
  RunView(const RunView&) = delete;
  RunView& operator=(const RunView&) = delete;

  void begin(const calibration::MachineFacts& facts, const calibration::Session& session,
             const calibration::SessionOptions& options);
  void state(const calibration::MachineState& state);
  void show(const calibration::Progress& progress);
  // What it has not said yet of an outcome's warnings.
  void warn(const calibration::Session::Outcome& outcome);
  void end(const calibration::Session& session);
  // On standard error and in the log, line by line.
  void say(const std::string& text);
  // In the log only.
  void log(const std::string& text);

 private:
  void clear();
  std::FILE* log_ = nullptr;
  bool terminal_;
  bool line_shown_ = false;
  std::size_t warnings_said_ = 0;
  std::int64_t shown_ns_ = 0;
};

// Before anything is measured: the plan holds every workload and every network.
[[nodiscard]] bool is_all_there_is(const calibration::Session& session);

// "1h05m", "6m08s", "45s"
[[nodiscard]] std::string time_text(double seconds);

// As --budget takes it: "2h", "10m", "90s".
[[nodiscard]] std::string budget_text(double seconds);

// What --dry-run prints: the order, the time, the error to expect.
[[nodiscard]] std::string plan_text(const calibration::Session& session);

}  // namespace edgejoule::calibrate
