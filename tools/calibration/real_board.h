// A board whose rails are read through capture and whose state comes from sysfs and procfs; what runs on it is left to
// the classes that derive from it.
//
// Errors: MachineError and capture's; nothing of the board is changed.
#pragma once

#include <string>

#include "calibration/machine.h"
#include "calibration/rail_silence.h"
#include "capture/discovery.h"
#include "capture/recorder.h"

namespace edgejoule::calibration {

class RealBoard : public Machine {
 public:
  // `root` stands before /sys and /proc; empty on a real system.
  RealBoard(const capture::Discovery& found, const capture::RecorderOptions& options, std::string root);

  [[nodiscard]] const MachineFacts& facts() const override { return facts_; }
  [[nodiscard]] std::int64_t now_ns() override;
  void idle(std::int64_t ns) override;
  std::vector<PowerSample> take_samples() override;
  [[nodiscard]] MachineState state() override;
  [[nodiscard]] std::optional<std::string> rail_problem() override;

 protected:
  MachineFacts facts_;  // who computes adds what it knows

 private:
  void describe(const capture::Discovery& found);
  void look();
  [[nodiscard]] double other_load();

  std::string root_;
  capture::Recorder recorder_;
  std::vector<RailSilence> silence_;  // by rail
  std::int64_t slow_downs_ = -1;      // as of the last state
  std::int64_t last_load_ns_ = 0, last_own_ticks_ = 0, last_all_ticks_ = 0;
};

}  // namespace edgejoule::calibration
