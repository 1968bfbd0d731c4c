// How one workload is measured: idle before and after, the first execution apart, warm-up, as many executions as the
// error asked for needs, and what makes a block worth repeating.
//
// Shape of a block:  idle | first | warm-up | run | idle        (the length of each idle differs by a random part of
// the sensor's cycle, so that loops do not lock to it; a run whose executions met the sensor always at the same
// phase is continued behind another pause)
// Units: seconds, watts, joules; joules above idle of one execution.
// Errors: MachineError; workloads::WorkloadError where a workload cannot be run here.
#pragma once

#include <deque>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "align/align.h"
#include "calibration/machine.h"

namespace edgejoule::calibration {

struct StateLimits {
  double other_load = 0.05;    // processors that other programs may keep busy
  double clock_change = 0.02;  // as a share
};
// Why what is measured now does not go with what was measured under `first`; empty: it does. The GPU's clock matters
// to engines other than the CPU.
[[nodiscard]] std::string state_problem(const MachineState& now, const MachineState& first, EngineKind engine,
                                        const StateLimits& limits);

// Why pauses before and behind a run do not make one idle; empty: they do. `error`: standard error of their difference;
// `above_watts`: what the run drew above idle.
[[nodiscard]] std::string drift_problem(double before_watts, double after_watts, double error, double above_watts);

struct ProtocolOptions {
  double target_error = 0.01;  // relative standard error of a block's joules
  double shortest_run_s = 0.25;
  double longest_run_s = 4;
  double idle_s = 0.16;  // on each side
  double warm_up_s = 0.03;
  StateLimits limits;
  std::uint64_t seed = 1;  // of the jitter
};

// As measured; what is negative was not.
struct Block {
  std::string name;
  double joules = -1;         // above idle, of one execution
  double joules_error = -1;   // standard error
  double seconds = -1;        // of one execution
  double first_seconds = -1;  // of the first behind the idle, wake-up included
  double idle_watts = -1;     // mean of both sides
  double run_watts = -1;      // of the total
  std::uint64_t executions = 0;
  double begin_s = 0, end_s = 0;  // of the run, since the machine's clock began
  double celsius = -1;
  double coverage = -1;      // share of the run's time that the sensor integrated
  double conservation = 0;   // energy of the activities over that of the samples, less 1
  double naive_joules = -1;  // one pass, time split, all rails summed: for comparison
  int attempt = 1;
  std::string problem;  // empty: good; otherwise why it should be measured again

  [[nodiscard]] double relative_error() const { return joules > 0 ? joules_error / joules : 1; }
};

// What an execution behind a pause costs beyond a steady one: waking up, and the time until the engine is off again.
struct WakeUp {
  double joules = -1;
  double joules_error = -1;
  double seconds = -1;
  int wakes = 0;
};

struct PowerPoint {
  double seconds = 0;
  double watts = 0;
};

class Protocol {
 public:
  // Lifetime: views the machine.
  Protocol(Machine& machine, const ProtocolOptions& options);

  // The state that all blocks must have in common. Call once, before the first block.
  void settle();

  // Of what the machine was told to prepare.
  [[nodiscard]] Block measure(const std::string& name);
  // A train of single executions with pauses between, of what was prepared.
  [[nodiscard]] WakeUp measure_wake(const Block& steady, double seconds);

  // Seconds of one block, before and beside the run itself.
  [[nodiscard]] double overhead_seconds() const;
  [[nodiscard]] double shortest_run_seconds() const { return shortest_run_s_; }
  [[nodiscard]] const MachineState& first_state() const { return first_state_; }
  // Total power of the boundary over time, thinned out.
  [[nodiscard]] const std::vector<PowerPoint>& power() const { return power_; }
  // Largest share that conservation was off by, over all blocks.
  [[nodiscard]] double worst_conservation() const { return worst_conservation_; }

 private:
  struct Solved {
    std::vector<align::ActivityPower> activities;  // sums over the rails of the total
    double conservation = 0, coverage = 1;
    double residual_watts = 0;
  };

  std::size_t idle(double seconds);
  std::size_t add(std::int64_t begin_ns, std::int64_t end_ns);
  std::size_t add(std::int64_t begin_ns, std::int64_t end_ns, std::size_t activity);
  void pump();
  [[nodiscard]] Solved solve() const;
  void forget();
  [[nodiscard]] double jitter();
  [[nodiscard]] double locked(const RunSpan& run) const;
  [[nodiscard]] std::string judge(const MachineState& now, const Block& block, const std::vector<double>& chunk_seconds,
                                  const std::string& drift) const;
  [[nodiscard]] double naive(const RunSpan& run);

  Machine& machine_;
  ProtocolOptions options_;
  std::mt19937_64 random_;
  double cycle_s_ = 0;   // slowest rail of the total
  double memory_s_ = 0;  // how far back its samples remember
  double shortest_run_s_ = 0, idle_s_ = 0;
  std::vector<std::size_t> total_rails_;
  std::deque<align::ActivitySpan> spans_;
  std::size_t next_activity_ = 0;
  std::optional<std::size_t> shared_idle_;
  std::vector<std::deque<PowerSample>> samples_;  // by rail
  std::vector<double> latest_watts_;              // by rail
  std::vector<PowerPoint> power_;
  double thin_sum_ = 0, thin_begin_s_ = 0;
  int thin_count_ = 0;
  double thin_every_s_ = 0.05;
  MachineState first_state_;
  double worst_conservation_ = 0;
};

}  // namespace edgejoule::calibration
