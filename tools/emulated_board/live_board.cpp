#include "emulated_board/live_board.h"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace edgejoule::emulated_board {
namespace {

constexpr std::int64_t kMicrosecond = 1'000;
constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr double kSecondsPerNanosecond = 1e-9;
// Power is constant for so long; a conversion integrates over several of them.
constexpr std::int64_t kLongestStepNs = kMillisecond;
constexpr std::int64_t kShortestStepNs = 200 * kMicrosecond;
constexpr std::int64_t kRememberNs = 2 * kSecond;  // chips integrate far shorter windows
constexpr double kLeakReferenceC = 50;
constexpr double kWanderSeconds = 5;
constexpr double kThrottledClock = 0.5;
constexpr double kChangedClock = 0.7;

}  // namespace

LiveBoard::LiveBoard(BoardLaw law, std::uint64_t seed)
    : law_(std::move(law)), last_busy_ns_(law_.law.engines.size(), -kSecond) {
  std::seed_seq mixed{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32), 11U};
  random_.seed(mixed);
  std::map<std::string, std::shared_ptr<const PowerTrace>> traces;
  for (const LiveRail& rail : law_.rails) {
    traces_.push_back(std::make_shared<PowerTrace>(PowerTrace::piecewise({{-1, rail.volts, 0.0}})));
    traces.emplace(rail.label, traces_.back());
  }
  std::istringstream chips(law_.chip_lines);
  board_ = read_board(chips, law_.name, ".", std::move(traces));
  double idle_w = law_.soc_w + law_.other_w + law_.law.memory.idle_w;
  for (const LawEngine& engine : law_.law.engines) idle_w += engine.gated_w;
  temperature_c_ = law_.thermal.ambient_c + law_.thermal.k_per_w * idle_w;
  next_others_ns_ = static_cast<std::int64_t>(law_.others.every_s * 1e9 * 0.4);
}

bool LiveBoard::fault(ScheduledFault::Kind kind) const {
  return std::any_of(law_.faults.begin(), law_.faults.end(), [&](const ScheduledFault& f) {
    return f.kind == kind && now_ns_ >= f.begin_ns && now_ns_ < f.end_ns;
  });
}

bool LiveBoard::others_run() const {
  return now_ns_ < others_until_ns_ || fault(ScheduledFault::Kind::kOthers);
}

double LiveBoard::slowdown() const {
  double factor = others_run() ? law_.others.slowdown : 1.0;
  if (fault(ScheduledFault::Kind::kThrottle) || temperature_c_ > law_.thermal.throttle_c) factor /= kThrottledClock;
  if (fault(ScheduledFault::Kind::kClock)) factor /= kChangedClock;
  return factor;
}

void LiveBoard::schedule_faults() {
  const bool rail_fault = fault(ScheduledFault::Kind::kRail);
  if (rail_fault == rail_fault_on_) return;
  rail_fault_on_ = rail_fault;
  if (rail_fault) {
    board_.bus.faults().add(parse_fault("nak"));
  } else {
    board_.bus.faults().clear();
  }
}

void LiveBoard::step(std::int64_t ns, const Load& load, bool running, std::size_t engine) {
  const double seconds = static_cast<double>(ns) * kSecondsPerNanosecond;
  double engines_w = load.engine_w;
  for (std::size_t i = 0; i < law_.law.engines.size(); ++i) {
    if (running && i == engine) continue;
    const LawEngine& e = law_.law.engines[i];
    const bool gated = now_ns_ - last_busy_ns_[i] > static_cast<std::int64_t>(e.gate_after_ms * 1e6);
    engines_w += gated ? e.gated_w : e.idle_w;
  }
  engines_w += law_.thermal.leak_w * std::exp(law_.thermal.leak_per_k * (temperature_c_ - kLeakReferenceC));
  if (law_.noise.watts > 0) {
    engines_w +=
        law_.noise.watts * normal_(random_) * std::sqrt(static_cast<double>(kLongestStepNs) / static_cast<double>(ns));
  }
  if (others_run()) {
    engines_w += law_.others.watts;
    other_load_s_ += seconds;
  }
  const double memory_w = law_.law.memory.idle_w + load.memory_w;
  double total_w = engines_w + memory_w + law_.soc_w + law_.other_w;
  for (std::size_t i = 0; i < law_.rails.size(); ++i) {
    const LiveRail& rail = law_.rails[i];
    const double watts = (rail.engines ? engines_w : 0) + (rail.memory ? memory_w : 0) + (rail.soc ? law_.soc_w : 0) +
                         (rail.other ? law_.other_w : 0);
    traces_[i]->append({now_ns_, rail.volts, watts * (1 + rail.loss) / rail.volts});
  }
  const Thermal& thermal = law_.thermal;
  temperature_c_ += seconds / thermal.seconds * (thermal.ambient_c + thermal.k_per_w * total_w - temperature_c_);
  if (law_.noise.wander > 0) {
    if (wander_.empty()) wander_.assign(1, 0.0);
    const double keep = std::exp(-seconds / kWanderSeconds);
    wander_[0] = keep * wander_[0] + std::sqrt(1 - keep * keep) * law_.noise.wander * normal_(random_);
    wander_now_ = 1 + wander_[0];
  }
  now_ns_ += ns;
  if (running) last_busy_ns_[engine] = now_ns_;
  if (law_.others.every_s > 0 && now_ns_ >= next_others_ns_) {
    others_until_ns_ = now_ns_ + static_cast<std::int64_t>(law_.others.for_ms * 1e6);
    std::exponential_distribution<double> pause(1.0);
    next_others_ns_ = others_until_ns_ + static_cast<std::int64_t>(law_.others.every_s * 1e9 * pause(random_));
  }
  schedule_faults();
  for (const auto& trace : traces_) trace->forget_before(now_ns_ - kRememberNs);
  if (on_time) on_time();
}

void LiveBoard::advance(std::int64_t ns, const Load& load, bool running, std::size_t engine) {
  while (ns > 0) {
    const std::int64_t part = std::min(ns, kLongestStepNs);
    step(part, load, running, engine);
    ns -= part;
  }
}

void LiveBoard::idle(std::int64_t ns) {
  advance(ns, {}, false, 0);
}

void LiveBoard::spin(std::int64_t ns, std::size_t engine) {
  advance(ns, {law_.law.engines[engine].on_w + law_.law.engines[engine].idle_w, 0}, true, engine);
}

void LiveBoard::run(const std::vector<LawOp>& ops, std::uint64_t executions, std::size_t engine, std::size_t point) {
  if (ops.empty() || executions == 0) return;
  const LawEngine& e = law_.law.engines[engine];
  if (now_ns_ - last_busy_ns_[engine] > static_cast<std::int64_t>(e.gate_after_ms * 1e6)) {
    const auto wake_ns = std::max<std::int64_t>(1, static_cast<std::int64_t>(e.wake_us * 1e3));
    advance(wake_ns, {e.wake_uj * 1e-6 / (static_cast<double>(wake_ns) * kSecondsPerNanosecond), 0}, true, engine);
  }
  std::vector<Cost> costs;
  Cost whole;
  for (const LawOp& op : ops) {
    costs.push_back(law_.law.cost(op, engine, point));
    whole.seconds += costs.back().seconds;
    whole.engine_joules += costs.back().engine_joules;
    whole.memory_joules += costs.back().memory_joules;
  }
  // What is short is merged: nobody could see it apart.
  const auto spend = [&](const Cost& cost, double times) {
    const double seconds = cost.seconds * times * slowdown();
    const auto ns = std::max<std::int64_t>(1, std::llround(seconds * 1e9));
    const double exact = static_cast<double>(ns) * kSecondsPerNanosecond;
    advance(ns, {cost.engine_joules * times * wander_now_ / exact, cost.memory_joules * times * wander_now_ / exact},
            true, engine);
  };
  const double shortest_s = static_cast<double>(kShortestStepNs) * kSecondsPerNanosecond;
  if (whole.seconds < shortest_s * 4) {
    const auto at_once = static_cast<std::uint64_t>(std::max(1.0, std::ceil(shortest_s / whole.seconds)));
    for (std::uint64_t done = 0; done < executions;) {
      const std::uint64_t now = std::min(at_once, executions - done);
      spend(whole, static_cast<double>(now));
      done += now;
    }
    return;
  }
  for (std::uint64_t i = 0; i < executions; ++i) {
    Cost pending;
    for (const Cost& cost : costs) {
      if (cost.seconds >= shortest_s) {
        // An op fetches before it computes: its power is not even.
        Cost fetch = cost, compute = cost;
        fetch.seconds *= 0.4, fetch.engine_joules *= 0.3, fetch.memory_joules *= 0.6;
        compute.seconds *= 0.6, compute.engine_joules *= 0.7, compute.memory_joules *= 0.4;
        spend(fetch, 1);
        spend(compute, 1);
        continue;
      }
      pending.seconds += cost.seconds;
      pending.engine_joules += cost.engine_joules;
      pending.memory_joules += cost.memory_joules;
      if (pending.seconds < shortest_s) continue;
      spend(pending, 1);
      pending = {};
    }
    if (pending.seconds > 0) spend(pending, 1);
  }
}

LiveBoard::State LiveBoard::take_state() {
  State state;
  state.temperature_c = temperature_c_;
  state.throttled = fault(ScheduledFault::Kind::kThrottle) || temperature_c_ > law_.thermal.throttle_c;
  state.clock = (state.throttled ? kThrottledClock : 1) * (fault(ScheduledFault::Kind::kClock) ? kChangedClock : 1);
  state.other_load_s = other_load_s_;
  other_load_s_ = 0;
  return state;
}

}  // namespace edgejoule::emulated_board
