#include "calibration/runtime_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <future>
#include <optional>
#include <string>

#include "align/align.h"
#include "calibration/await_rails.h"
#include "calibration/protocol.h"

namespace edgejoule::calibration {
namespace {

constexpr std::int64_t kPumpEveryNs = 10'000'000;
constexpr std::uint64_t kShortInferences = 10;
constexpr std::uint64_t kProfiledInferences = 10;
constexpr std::uint64_t kMostInferences = 10'000'000;
constexpr std::int64_t kPatienceNs = 2'000'000'000;  // of a command that was asked to end
constexpr double kUsualCycle_s = 6.6e-3;             // where no rail says its own
constexpr double kLeastLongRun_s = 0.5;
constexpr double kWindowsOfLongRun = 200;
constexpr double kLeastIdle_s = 0.3;
constexpr double kWindowsOfIdle = 45;
constexpr int kMostLongRuns = 4;
constexpr double kLongEnough = 0.7;  // of the time asked for
constexpr double kMostGrowth = 50;   // from one long run to the next
constexpr double kMostError = 0.2;   // of an inference's joules, to be of any use
constexpr double kCyclesOfSlice = 5;
constexpr int kSamplesOfSlice = 3;
constexpr double kMostSlices = 120;
constexpr double kPriorOfLargest = 10;

// What ran when, without gaps: pauses and runs in turn. Power changes within a run (loading, building, inferring): it
// is cut into slices of constant power, a few conversions each, and their joules are summed with what they share of
// errors.
class Recording {
 public:
  Recording(Machine& machine, double cycle_s)
      : machine_(machine),
        slice_ns_(static_cast<std::int64_t>(kCyclesOfSlice * cycle_s * 1e9)),
        samples_(machine.facts().rails.size()) {
    (void)machine_.take_samples();  // of what was before
    begins_.push_back(machine_.now_ns());
  }

  // The pause that is over now, and the run behind it.
  void ran(const RuntimeRun& run) {
    take();
    begins_.push_back(run.begin_ns);
    begins_.push_back(run.end_ns);
  }
  void idle(double for_s) {
    machine_.idle(static_cast<std::int64_t>(1e9 * for_s));
    take();
  }

  // Of the pause that is on.
  void see_all_rails() {
    if (const auto lost = await_rails(machine_, begins_.back(), samples_, [this] { take(); })) throw RailLost(*lost);
  }

  struct Energy {
    double joules = 0, standard_error = 0, seconds = 0;

    [[nodiscard]] double watts() const { return joules / seconds; }
    [[nodiscard]] double watts_error() const { return standard_error / seconds; }
  };
  // Of pauses and runs in turn until now, the first one a pause.
  [[nodiscard]] std::vector<Energy> solve() {
    begins_.push_back(machine_.now_ns());
    std::vector<Energy> sum(begins_.size() - 1);
    for (std::size_t rail = 0; rail < samples_.size(); ++rail) {
      if (machine_.facts().rails[rail].in_total) add(rail, sum);
    }
    return sum;
  }

 private:
  void add(std::size_t rail, std::vector<Energy>& sum) const {
    const std::vector<PowerSample>& samples = samples_[rail];
    double largest = 0;
    for (const PowerSample& sample : samples) {
      largest = std::max(largest, std::abs(static_cast<double>(sample.power_uw)) * 1e-6);
    }
    std::vector<align::ActivitySpan> spans;
    std::vector<std::size_t> first_of;  // slice of each pause and run
    for (std::size_t i = 0; i < sum.size(); ++i) {
      first_of.push_back(spans.size());
      const bool is_run = i % 2 == 1;
      cut(begins_[i], begins_[i + 1], is_run ? slice_of(begins_[i + 1] - begins_[i]) : 0, samples, spans);
    }
    const align::Alignment part =
        align::align(samples, spans, spans.size(),
                     {.quantum_watts = static_cast<double>(machine_.facts().rails[rail].quantum_uw) * 1e-6,
                      .prior_watts = kPriorOfLargest * largest});
    const std::size_t size = spans.size();
    for (std::size_t i = 0; i < sum.size(); ++i) {
      const std::size_t end = i + 1 < sum.size() ? first_of[i + 1] : size;
      double variance = 0;
      double seconds = 0;
      for (std::size_t a = first_of[i]; a < end; ++a) {
        const align::ActivityPower& power = part.activities[a];
        sum[i].joules += power.joules();
        seconds += power.seconds;
        for (std::size_t b = first_of[i]; b < end && !part.covariance.empty(); ++b) {
          variance += part.covariance[a * size + b] * power.seconds * part.activities[b].seconds;
        }
        if (!std::isfinite(power.standard_error)) variance = power.standard_error;
      }
      sum[i].seconds = seconds;
      sum[i].standard_error = std::hypot(sum[i].standard_error, std::sqrt(std::max(0.0, variance)));
    }
  }
  [[nodiscard]] std::int64_t slice_of(std::int64_t run_ns) const {
    return std::max(slice_ns_, static_cast<std::int64_t>(static_cast<double>(run_ns) / kMostSlices));
  }
  // A slice ends where it is long enough and enough samples have seen it: on a busy processor they come late.
  // 0: all of it is one.
  static void cut(std::int64_t begin_ns, std::int64_t end_ns, std::int64_t slice_ns,
                  const std::vector<PowerSample>& samples, std::vector<align::ActivitySpan>& spans) {
    spans.push_back({begin_ns, end_ns, spans.size()});
    if (slice_ns == 0) return;
    int seen = 0;
    for (const PowerSample& sample : samples) {
      const std::int64_t at_ns = sample.window_end_ns;
      if (at_ns <= spans.back().begin_ns || at_ns >= end_ns) continue;
      ++seen;
      if (seen < kSamplesOfSlice || at_ns - spans.back().begin_ns < slice_ns || end_ns - at_ns < slice_ns) continue;
      spans.back().end_ns = at_ns;
      spans.push_back({at_ns, end_ns, spans.size()});
      seen = 0;
    }
    if (seen >= kSamplesOfSlice || spans.back().begin_ns == begin_ns) return;
    spans.pop_back();
    spans.back().end_ns = end_ns;
  }
  void take() {
    for (const PowerSample& sample : machine_.take_samples()) samples_[sample.rail].push_back(sample);
  }

  Machine& machine_;
  std::int64_t slice_ns_;
  std::vector<std::vector<PowerSample>> samples_;  // by rail
  std::vector<std::int64_t> begins_;               // of pauses and runs, and the end
};

}  // namespace

RuntimeBench::RuntimeBench(Machine& machine, RuntimeCommand& command) : machine_(machine), command_(command) {
  for (const RailFacts& rail : machine.facts().rails) {
    if (rail.in_total) cycle_s_ = std::max(cycle_s_, seconds(rail.cycle_ns));
  }
  if (cycle_s_ == 0) cycle_s_ = kUsualCycle_s;
  long_run_s_ = std::max(kLeastLongRun_s, kWindowsOfLongRun * cycle_s_);
  idle_s_ = std::max(kLeastIdle_s, kWindowsOfIdle * cycle_s_);
}

double RuntimeBench::least_seconds() const {
  return long_run_s_ + 3 * idle_s_;
}

// The sensors must be read while the command runs: it waits in a thread of its own.
template <class Work>
auto RuntimeBench::watched(const Experiment& experiment, const std::function<bool()>& ended, Work work) {
  auto running = std::async(std::launch::async, work);
  std::int64_t asked_ns = 0;
  std::optional<std::string> lost;
  while (running.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    if (asked_ns == 0 && (ended() || (lost = machine_.rail_problem()))) {
      asked_ns = machine_.now_ns();
      command_.signal(SIGTERM);
    } else if (asked_ns != 0 && machine_.now_ns() - asked_ns > kPatienceNs) {
      command_.signal(SIGKILL);
    }
    machine_.idle(kPumpEveryNs);
  }
  if (lost) throw RailLost(*lost);
  if (asked_ns != 0) throw Interrupted(fmt::format("{} was left in the middle", experiment.name));
  return running.get();
}

BenchResult RuntimeBench::measure(const Experiment& experiment, const std::function<bool()>& ended) {
  BenchResult result;
  result.engine =
      engine_of(experiment, command_.model_of(experiment),
                watched(experiment, ended, [&] { return command_.profile(experiment, kProfiledInferences); }));

  Recording recording(machine_, cycle_s_);
  const auto run = [&](std::uint64_t inferences) {
    recording.idle(idle_s_);
    RuntimeRun done = watched(experiment, ended, [&] { return command_.run(experiment, inferences); });
    recording.ran(done);
    return done;
  };
  const RuntimeRun shorter = run(kShortInferences);
  const double shorter_s = seconds(shorter.end_ns - shorter.begin_ns);
  // Loading counts here: the first guess is too low, and grows.
  double each_s = shorter_s / static_cast<double>(shorter.inferences);
  if (shorter.times.size() > 1) {
    each_s = (shorter.times.back().compute_end - shorter.times.front().compute_begin) /
             static_cast<double>(shorter.times.size());
  }
  RuntimeRun longer;
  std::size_t runs = 1;
  for (double wanted = long_run_s_ / std::max(each_s, 1e-9);; ++runs) {
    const auto inferences = static_cast<std::uint64_t>(std::clamp(
        std::ceil(wanted), 2.0 * static_cast<double>(shorter.inferences), static_cast<double>(kMostInferences)));
    longer = run(inferences);
    const double more_s = seconds(longer.end_ns - longer.begin_ns) - shorter_s;
    if (more_s >= kLongEnough * long_run_s_ || runs == kMostLongRuns || inferences == kMostInferences) break;
    wanted = static_cast<double>(inferences) *
             (more_s > 0 ? std::min(kMostGrowth, 1.2 * long_run_s_ / more_s) : kMostGrowth);
  }
  recording.idle(idle_s_);
  recording.see_all_rails();

  const std::vector<Recording::Energy> parts = recording.solve();
  double variance = 0;
  const auto energy = [&](const RuntimeRun& of, std::size_t number) {
    const Recording::Energy& before = parts[2 * number];
    const Recording::Energy& busy = parts[2 * number + 1];
    const Recording::Energy& after = parts[2 * number + 2];
    result.idle_watts = (before.watts() + after.watts()) / 2;
    result.run_watts = busy.watts();
    const double idle_error = std::hypot(before.watts_error(), after.watts_error()) / 2 * busy.seconds;
    variance += busy.standard_error * busy.standard_error + idle_error * idle_error;
    return RunEnergy{of.inferences, busy.joules - result.idle_watts * busy.seconds, busy.seconds};
  };
  const RunEnergy few = energy(shorter, 0);
  const RunEnergy many = energy(longer, runs);
  result.energy = per_inference(few, many);
  result.inferences = longer.inferences;
  for (std::size_t pause = 2; pause < parts.size() && result.problem.empty(); pause += 2) {
    const Recording::Energy& before = parts[pause - 2];
    const Recording::Energy& after = parts[pause];
    result.problem = drift_problem(before.watts(), after.watts(), std::hypot(before.watts_error(), after.watts_error()),
                                   result.run_watts - result.idle_watts);
  }
  result.joules_error = std::sqrt(variance) / static_cast<double>(many.inferences - few.inferences);
  if (!(result.joules_error < kMostError * result.energy.joules)) {
    throw NotSeen(fmt::format(
        "{} inferences in {:.2f} s were seen with a standard error of {:.0f} % only; the rails hardly show this "
        "engine: check with edge-calibrate probe that the total holds the rail that feeds it",
        many.inferences, many.seconds, 100 * result.joules_error / result.energy.joules));
  }
  return result;
}

}  // namespace edgejoule::calibration
