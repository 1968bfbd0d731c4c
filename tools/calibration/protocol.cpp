#include "calibration/protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <tuple>

#include "calibration/await_rails.h"
#include "measurements/median.h"

namespace edgejoule::calibration {
namespace {

constexpr double kSecondsPerNanosecond = 1e-9;
constexpr double kTail = 1e-3;
constexpr double kPilotSeconds = 0.01;
constexpr double kChunkSeconds = 0.06;
constexpr std::size_t kMostPowerPoints = 3000;
constexpr double kMostLocked = 0.5;  // of 1: every sample saw the same phase
constexpr int kMostParts = 4;        // of a run that was locked
constexpr double kSlowChunk = 1.12;  // against the median
constexpr double kMostLost = 0.02;   // of the run's time, in chunks slower than that
constexpr double kMostDrift = 0.06;  // of idle power, as a share of what the run drew above it
constexpr double kDriftErrors = 6;   // and in standard errors
constexpr double kWakePauseSeconds = 0.012;
constexpr double kLongMemorySeconds = 2;
constexpr double kPriorOfLargest = 3;  // no activity draws many times what was ever seen

std::int64_t to_ns(double seconds) {
  return static_cast<std::int64_t>(seconds * 1e9);
}

}  // namespace

std::string state_problem(const MachineState& now, const MachineState& first, EngineKind engine,
                          const StateLimits& limits) {
  if (now.throttled)
    return "the processor throttled: let it cool, give it a stronger supply, or choose a lower power mode";
  const auto changed = [&](double is, double was) {
    return is > 0 && was > 0 && std::abs(is / was - 1) > limits.clock_change;
  };
  if (now.power_mode != first.power_mode) {
    return fmt::format("the power mode changed from {} to {}", first.power_mode, now.power_mode);
  }
  for (const auto& [what, is, was] : {std::tuple{"the governor", &now.governor, &first.governor},
                                      {"what the processors do while idle", &now.cpuidle, &first.cpuidle},
                                      {"the GPU's rail gating", &now.rail_gating, &first.rail_gating}}) {
    if (!is->empty() && !was->empty() && *is != *was) return fmt::format("{} changed from {} to {}", what, *was, *is);
  }
  if (changed(now.cpu_mhz, first.cpu_mhz)) {
    return fmt::format("the CPU clock changed from {:.0f} to {:.0f} MHz: fix it (sudo jetson_clocks, or the governor)",
                       first.cpu_mhz, now.cpu_mhz);
  }
  if (engine != EngineKind::kCpu && changed(now.gpu_mhz, first.gpu_mhz)) {
    return fmt::format("the GPU clock changed from {:.0f} to {:.0f} MHz: fix it (sudo jetson_clocks)", first.gpu_mhz,
                       now.gpu_mhz);
  }
  if (changed(now.memory_mhz, first.memory_mhz)) {
    return fmt::format("the memory clock changed from {:.0f} to {:.0f} MHz: fix it (sudo jetson_clocks)",
                       first.memory_mhz, now.memory_mhz);
  }
  if (now.other_load > limits.other_load) {
    return fmt::format("other programs kept {:.2f} processors busy: end them", now.other_load);
  }
  return {};
}

std::string drift_problem(double before_watts, double after_watts, double error, double above_watts) {
  const double drift = after_watts - before_watts;
  if (std::abs(drift) <= kDriftErrors * error || std::abs(drift) <= kMostDrift * above_watts) return {};
  return fmt::format(
      "idle power drifted by {:.0f} mW from before the run to after it: let the board settle, end what else runs",
      1e3 * drift);
}

Protocol::Protocol(Machine& machine, const ProtocolOptions& options)
    : machine_(machine), options_(options), random_(options.seed) {
  const MachineFacts& facts = machine.facts();
  for (std::size_t i = 0; i < facts.rails.size(); ++i) {
    const RailFacts& rail = facts.rails[i];
    samples_.emplace_back();
    latest_watts_.push_back(0);
    if (!rail.in_total) continue;
    total_rails_.push_back(i);
    const double cycle = rail.cycle_ns > 0 ? rail.cycle_ns * kSecondsPerNanosecond : 0.02;
    cycle_s_ = std::max(cycle_s_, cycle);
    // Only a running filter remembers beyond its window.
    const double taps = rail.chip == "ina3221" ? rail.averages : 1;
    memory_s_ = std::max(memory_s_, cycle * (taps > 1 ? taps * std::log(4 / kTail) : 2));
    // Half of what a filter will ever show of a step is there after 0.7 of its time constant.
    shortest_run_s_ = std::max(shortest_run_s_, taps > 1 ? 0.7 * taps * cycle : 0);
  }
  if (total_rails_.empty()) {
    throw MachineError(
        "no rail is known to be part of the total: name the rails with --total, or a board with --board");
  }
  constexpr double kFewestCycles = 20;
  shortest_run_s_ = std::max({shortest_run_s_, options.shortest_run_s, kFewestCycles * cycle_s_});
  options_.longest_run_s = std::max(options.longest_run_s, 3 * shortest_run_s_);
  idle_s_ = std::max({options.idle_s, kFewestCycles / 2 * cycle_s_, 0.5 * shortest_run_s_});
}

double Protocol::overhead_seconds() const {
  return 2 * idle_s_ + options_.warm_up_s + kPilotSeconds;
}

double Protocol::jitter() {
  return cycle_s_ * std::uniform_real_distribution<double>(0.0, 1.0)(random_);
}

void Protocol::settle() {
  first_state_ = machine_.state();
  // A running filter that was configured just now still climbs from zero.
  idle(std::max(2 * idle_s_ + cycle_s_, memory_s_));
}

void Protocol::pump() {
  for (const PowerSample& sample : machine_.take_samples()) {
    const std::size_t rail = sample.rail;
    samples_[rail].push_back(sample);
    latest_watts_[rail] = static_cast<double>(sample.power_uw) * 1e-6;
    if (rail != total_rails_.front()) continue;
    double watts = 0;
    for (const std::size_t part : total_rails_) watts += latest_watts_[part];
    const double seconds = static_cast<double>(sample.window_end_ns) * kSecondsPerNanosecond;
    if (thin_count_ == 0) thin_begin_s_ = seconds;
    thin_sum_ += watts;
    ++thin_count_;
    if (seconds - thin_begin_s_ < thin_every_s_) continue;
    power_.push_back({thin_begin_s_, thin_sum_ / thin_count_});
    thin_sum_ = 0;
    thin_count_ = 0;
    if (power_.size() < kMostPowerPoints) continue;
    for (std::size_t i = 0; i < power_.size() / 2; ++i) {
      power_[i] = {power_[2 * i].seconds, (power_[2 * i].watts + power_[2 * i + 1].watts) / 2};
    }
    power_.resize(power_.size() / 2);
    thin_every_s_ *= 2;
  }
}

std::size_t Protocol::add(std::int64_t begin_ns, std::int64_t end_ns) {
  return add(begin_ns, end_ns, next_activity_++);
}

std::size_t Protocol::add(std::int64_t begin_ns, std::int64_t end_ns, std::size_t activity) {
  if (end_ns <= begin_ns) return activity;
  if (!spans_.empty() && spans_.back().activity == activity && spans_.back().end_ns == begin_ns) {
    spans_.back().end_ns = end_ns;
  } else {
    spans_.push_back({begin_ns, end_ns, activity});
  }
  return activity;
}

std::size_t Protocol::idle(double seconds) {
  const std::int64_t begin_ns = machine_.now_ns();
  machine_.idle(to_ns(seconds));
  pump();
  if (memory_s_ < kLongMemorySeconds) return add(begin_ns, machine_.now_ns());
  // A sensor that remembers for seconds tells neighbouring pauses hardly apart: they share one power.
  if (!shared_idle_) shared_idle_ = next_activity_++;
  return add(begin_ns, machine_.now_ns(), *shared_idle_);
}

// What no sample to come remembers.
void Protocol::forget() {
  const std::int64_t until_ns = machine_.now_ns() - to_ns(memory_s_ + 4 * cycle_s_);
  while (!spans_.empty() && spans_.front().end_ns < until_ns) spans_.pop_front();
  for (auto& samples : samples_) {
    while (!samples.empty() && samples.front().window_end_ns < until_ns) samples.pop_front();
  }
}

Protocol::Solved Protocol::solve() const {
  // Everything in memory is an activity of its own; older ones only keep what they left behind out of the newer ones.
  const std::vector<align::ActivitySpan> all(spans_.begin(), spans_.end());
  Solved result;
  result.activities.resize(next_activity_);
  std::vector<std::size_t> places(next_activity_, next_activity_);
  std::vector<std::size_t> ids;
  std::vector<align::ActivitySpan> spans;
  for (align::ActivitySpan span : all) {
    if (places[span.activity] == next_activity_) {
      places[span.activity] = ids.size();
      ids.push_back(span.activity);
    }
    span.activity = places[span.activity];
    spans.push_back(span);
  }
  for (const std::size_t rail : total_rails_) {
    const std::vector<PowerSample> samples(samples_[rail].begin(), samples_[rail].end());
    double largest = 1;
    for (const PowerSample& sample : samples) {
      largest = std::max(largest, std::abs(static_cast<double>(sample.power_uw)) * 1e-6);
    }
    const align::Alignment part =
        align::align(samples, spans, ids.size(),
                     {.tail = kTail,
                      .quantum_watts = static_cast<double>(machine_.facts().rails[rail].quantum_uw) * 1e-6,
                      .prior_watts = kPriorOfLargest * largest});
    for (std::size_t i = 0; i < ids.size(); ++i) {
      align::ActivityPower& sum = result.activities[ids[i]];
      sum.watts += part.activities[i].watts;
      sum.standard_error = std::hypot(sum.standard_error, part.activities[i].standard_error);
      sum.seconds = part.activities[i].seconds;
    }
    if (std::abs(part.conservation) > std::abs(result.conservation)) result.conservation = part.conservation;
    result.coverage = std::min(result.coverage, part.covered);
    result.residual_watts = std::hypot(result.residual_watts, part.residual_watts);
  }
  return result;
}

// How much alike the phases are at which samples met a loop: 1 where all saw the same part of an execution.
double Protocol::locked(const RunSpan& run) const {
  const double each = run.seconds_each();
  double worst = 0;
  for (const std::size_t rail : total_rails_) {
    std::complex<double> sum;
    int count = 0;
    for (const PowerSample& sample : samples_[rail]) {
      if (sample.window_begin_ns < run.begin_ns || sample.window_end_ns > run.end_ns) continue;
      const double window = static_cast<double>(sample.window_end_ns - sample.window_begin_ns) * kSecondsPerNanosecond;
      if (window >= each) return 0;  // every sample saw whole executions
      const double phase = static_cast<double>((sample.window_begin_ns + sample.window_end_ns) / 2 - run.begin_ns) *
                           kSecondsPerNanosecond / each;
      sum += std::polar(1.0, 2 * std::numbers::pi * (phase - std::floor(phase)));
      ++count;
    }
    if (count > 2) worst = std::max(worst, std::abs(sum) / count);
  }
  return worst;
}

// What a script would do that knows nothing of sensors: the mean of all samples read while it ran, all rails summed,
// times the time, above a single idle figure.
double Protocol::naive(const RunSpan& run) {
  double joules = 0;
  for (const auto& samples : samples_) {
    double sum = 0, idle_sum = 0;
    int count = 0, idle_count = 0;
    for (const PowerSample& sample : samples) {
      const double watts = static_cast<double>(sample.power_uw) * 1e-6;
      if (sample.t_mono_ns >= run.begin_ns && sample.t_mono_ns <= run.end_ns) {
        sum += watts, ++count;
      } else if (sample.t_mono_ns < run.begin_ns) {
        idle_sum += watts, ++idle_count;
      }
    }
    if (count > 0 && idle_count > 0) joules += (sum / count - idle_sum / idle_count) * run.seconds();
  }
  return joules / static_cast<double>(run.executions);
}

std::string Protocol::judge(const MachineState& now, const Block& block, const std::vector<double>& chunk_seconds,
                            const std::string& drift) const {
  const std::string problem = state_problem(now, first_state_, machine_.facts().engine_kind, options_.limits);
  if (!problem.empty()) return problem;
  const double usual = measurements::median(chunk_seconds);
  double lost = 0, all = 0;
  for (const double seconds : chunk_seconds) {
    lost += seconds > kSlowChunk * usual ? seconds - usual : 0;
    all += seconds;
  }
  if (lost > kMostLost * all && chunk_seconds.size() > 2) {
    return fmt::format(
        "{:.0f} % of the run's time went into parts slower than the others: end what else runs, fix the clocks",
        100 * lost / all);
  }
  if (!drift.empty()) return drift;
  if (!(block.joules > 0)) return "the run drew no more than idle";
  return {};
}

Block Protocol::measure(const std::string& name) {
  Block block;
  block.name = name;
  forget();
  (void)machine_.state();  // what others did until now is not this block's
  const std::size_t idle_before = idle(idle_s_ + jitter());

  const RunSpan first = machine_.run(1);
  const std::size_t warming = add(first.begin_ns, first.end_ns);
  block.first_seconds = first.seconds();
  // The warm-up says how long an execution takes once it is warm.
  RunSpan pilot = first;
  double warm_s = 0;
  std::uint64_t times = 1;
  while (warm_s < options_.warm_up_s) {
    pilot = machine_.run(times);
    add(pilot.begin_ns, pilot.end_ns, warming);
    warm_s += pilot.seconds();
    const double each = std::max(pilot.seconds_each(), 1e-9);
    times = static_cast<std::uint64_t>(std::max(1.0, kPilotSeconds / each));
  }
  pump();

  const std::size_t run = next_activity_++;
  std::vector<double> chunk_seconds;
  std::uint64_t executions = 0;
  double seconds = 0, lock = 0;
  double asked_s = shortest_run_s_;
  RunSpan last_part;
  for (int part = 1;; ++part) {
    RunSpan whole;
    whole.begin_ns = machine_.now_ns();
    while (whole.executions == 0 || (seconds < asked_s)) {
      const double each =
          chunk_seconds.empty() ? std::max(pilot.seconds_each(), 1e-9) : measurements::median(chunk_seconds);
      const auto chunk = static_cast<std::uint64_t>(std::max(1.0, std::round(kChunkSeconds / each)));
      const RunSpan span = machine_.run(chunk);
      add(span.begin_ns, span.end_ns, run);
      pump();
      chunk_seconds.push_back(span.seconds_each());
      executions += span.executions;
      whole.executions += span.executions;
      seconds += span.seconds();
      if (seconds < asked_s || seconds >= options_.longest_run_s) continue;
      const Solved so_far = solve();
      const align::ActivityPower& busy = so_far.activities[run];
      const align::ActivityPower& still = so_far.activities[idle_before];
      const double above = busy.watts - still.watts;
      // The idle after the run halves what the idle before it leaves open.
      const double error = std::hypot(busy.standard_error, still.standard_error / std::numbers::sqrt2);
      if (!(error < options_.target_error * std::abs(above))) asked_s += shortest_run_s_ / 2;
    }
    whole.end_ns = machine_.now_ns();
    last_part = whole;
    lock = locked(whole);
    if (lock < kMostLocked || part == kMostParts || seconds >= options_.longest_run_s) break;
    idle(idle_s_ / 2 + jitter());
    const RunSpan again = machine_.run(1);  // wakes the engine
    add(again.begin_ns, again.end_ns);
    asked_s = seconds + shortest_run_s_ / 2;
  }

  const std::size_t idle_after = idle(idle_s_ + jitter());
  const auto lost = await_rails(machine_, last_part.end_ns, samples_, [&] {
    pump();
    add(spans_.back().end_ns, machine_.now_ns(), idle_after);
  });
  if (lost) {
    block.problem = *lost;
    return block;
  }
  const MachineState now = machine_.state();
  const Solved solved = solve();
  const align::ActivityPower& busy = solved.activities[run];
  const align::ActivityPower& before = solved.activities[idle_before];
  const align::ActivityPower& after = solved.activities[idle_after];
  block.executions = executions;
  block.seconds = seconds / static_cast<double>(executions);
  block.run_watts = busy.watts;
  block.idle_watts = (before.watts + after.watts) / 2;
  const double idle_error = std::hypot(before.standard_error, after.standard_error);
  block.joules = (block.run_watts - block.idle_watts) * block.seconds;
  block.joules_error = std::hypot(busy.standard_error, idle_error / 2) * block.seconds;
  block.begin_s = static_cast<double>(first.begin_ns) * kSecondsPerNanosecond;
  block.end_s = static_cast<double>(last_part.end_ns) * kSecondsPerNanosecond;
  if (!now.temperatures.empty()) block.celsius = now.temperatures.front().celsius;
  block.coverage = solved.coverage;
  block.conservation = solved.conservation;
  worst_conservation_ = std::max(worst_conservation_, std::abs(solved.conservation));
  block.naive_joules = naive(last_part);
  block.problem = judge(now, block, chunk_seconds,
                        drift_problem(before.watts, after.watts, idle_error, block.run_watts - block.idle_watts));
  if (block.problem.empty() && lock >= kMostLocked) {
    block.problem =
        fmt::format("executions of {:.2f} ms met the sensor at the same phase every time", 1e3 * block.seconds);
  }
  return block;
}

WakeUp Protocol::measure_wake(const Block& steady, double seconds) {
  forget();
  WakeUp wake;
  const std::size_t before = idle(seconds / 4 + jitter());
  const std::size_t train = next_activity_++;
  const std::int64_t begin_ns = machine_.now_ns();
  wake.seconds = 0;
  while (static_cast<double>(machine_.now_ns() - begin_ns) * kSecondsPerNanosecond < seconds) {
    const RunSpan span = machine_.run(1);
    wake.seconds += span.seconds() - steady.seconds;
    ++wake.wakes;
    machine_.idle(to_ns(kWakePauseSeconds + jitter()));
    pump();
  }
  add(begin_ns, machine_.now_ns(), train);
  const std::size_t after = idle(seconds / 4 + jitter());
  const Solved solved = solve();
  const align::ActivityPower& busy = solved.activities[train];
  const align::ActivityPower& left = solved.activities[before];
  const align::ActivityPower& right = solved.activities[after];
  const double each_s = busy.seconds / wake.wakes;
  wake.seconds /= wake.wakes;
  wake.joules = (busy.watts - (left.watts + right.watts) / 2) * each_s - steady.joules;
  wake.joules_error =
      std::hypot(std::hypot(busy.standard_error, std::hypot(left.standard_error, right.standard_error) / 2) * each_s,
                 steady.joules_error);
  return wake;
}

}  // namespace edgejoule::calibration
