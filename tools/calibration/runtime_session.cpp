#include "calibration/runtime_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "calibration/design.h"
#include "files/io.h"
#include "measurements/median.h"
#include "measurements/whole_model.h"

namespace edgejoule::calibration {
namespace {

// What the runtime can be asked for, whatever the budget.
std::vector<workloads::Candidate> candidates_for(const MachineFacts& facts, const RuntimeOptions& options,
                                                 import::ModelFormat format) {
  constexpr double kNoneForNarrowWeights = 0;  // models of 4-bit weights are not written
  std::vector<workloads::Candidate> candidates = candidates_of(facts, 1, kNoneForNarrowWeights);
  std::erase_if(candidates, [&](const workloads::Candidate& candidate) {
    const graph::OpNode& op = candidate.workload.op;
    const bool wanted =
        options.kinds.empty() || std::find(options.kinds.begin(), options.kinds.end(), op.kind) != options.kinds.end();
    return !wanted || !import::can_write(format, {.op = op, .rows = candidate.workload.rows});
  });
  return candidates;
}

}  // namespace

RuntimeSession::RuntimeSession(Machine& machine, MachineFacts facts, RuntimeCommand& command, RuntimeOptions options)
    : machine_(machine),
      facts_(std::move(facts)),
      command_(command),
      options_(std::move(options)),
      bench_(machine, command) {
  const std::vector<workloads::Candidate> candidates = candidates_for(facts_, options_, command.format());
  experiments_ = experiments_of(candidates, command);
  make_plan(candidates);
}

// What teaches most per second comes first, every kind before any kind's second.
void RuntimeSession::make_plan(const std::vector<workloads::Candidate>& candidates) {
  DesignRequest request;
  request.budget_seconds = options_.budget_s;
  request.expected_seconds.assign(candidates.size(), bench_.least_seconds());
  request.last_level_bytes = facts_.last_level_bytes;
  request.held_out_share = options_.held_out_share;
  std::vector<workloads::Candidate> chosen;
  for (const std::size_t i : design(candidates, request).order) chosen.push_back(candidates[i]);
  std::map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < experiments_.size(); ++i) known.emplace(experiments_[i].name, i);
  for (const Experiment& experiment : experiments_of(chosen, command_)) {
    plan_.push_back({known.at(experiment.name)});
  }
  std::stable_partition(plan_.begin(), plan_.end(),
                        [&](const Step& step) { return !experiments_[step.experiment].held_out; });
}

std::vector<const Experiment*> RuntimeSession::plan() const {
  std::vector<const Experiment*> out;
  for (const Step& step : plan_) out.push_back(&experiments_[step.experiment]);
  return out;
}

const MachineState& RuntimeSession::settle() {
  if (!settled_) state_ = machine_.state();
  settled_ = true;
  return state_;
}

void RuntimeSession::note(const std::string& text) {
  outcome_.notes.push_back(text);
}

std::size_t RuntimeSession::take_over(const JournalContent& earlier) {
  for (const Block& block : earlier.blocks) {
    spent_before_s_ += block.end_s - block.begin_s;
    if (!block.problem.empty()) continue;
    const auto found = std::find_if(experiments_.begin(), experiments_.end(),
                                    [&](const Experiment& experiment) { return experiment.name == block.name; });
    if (found == experiments_.end()) {
      note(fmt::format("{} is not among the experiments any more", block.name));
      continue;
    }
    const auto index = static_cast<std::size_t>(found - experiments_.begin());
    try {
      measured_.push_back(
          {index, engine_of(*found, command_.model_of(*found), command_.earlier_profile(*found)), block});
    } catch (const std::runtime_error& error) {
      note(error.what());
      continue;
    }
    std::erase_if(plan_, [&](const Step& step) { return step.experiment == index; });
  }
  return measured_.size();
}

RuntimeSession::Measured RuntimeSession::measure(const Step& step, const std::function<bool()>& ended) {
  const Experiment& experiment = experiments_[step.experiment];
  Measured done{.experiment = step.experiment, .engine = {}, .block = {}};
  bool command_failed = false, not_seen = false;
  Block& block = done.block;
  block.name = experiment.name;
  block.attempt = step.attempt;
  block.begin_s = seconds(machine_.now_ns());
  (void)machine_.state();  // other programs' load counts from here
  try {
    BenchResult result = bench_.measure(experiment, ended);
    for (const std::string& text : result.engine.notes) note(fmt::format("{}: {}", experiment.name, text));
    done.engine = std::move(result.engine);
    block.joules = result.energy.joules;
    block.joules_error = result.joules_error;
    block.seconds = result.energy.seconds;
    block.idle_watts = result.idle_watts;
    block.run_watts = result.run_watts;
    block.executions = result.inferences;
    block.problem = result.problem;
  } catch (const Interrupted&) {
    throw;
  } catch (const RailLost&) {
    throw;
  } catch (const NotSeen& error) {
    block.problem = error.what();
    not_seen = true;
  } catch (const std::runtime_error& error) {
    block.problem = error.what();
    command_failed = true;
  }
  block.end_s = seconds(machine_.now_ns());
  const MachineState now = machine_.state();
  if (!now.temperatures.empty()) block.celsius = now.temperatures.front().celsius;
  // A command that failed did so whatever the state was.
  const std::string disturbed =
      command_failed ? std::string() : state_problem(now, state_, facts_.engine_kind, options_.limits);
  if (!disturbed.empty()) block.problem = disturbed;
  done.again = !command_failed && (!not_seen || !disturbed.empty());
  return done;
}

void RuntimeSession::run(Journal& journal, const std::function<void(const RuntimeProgress&)>& show,
                         const std::function<bool()>& ended) {
  (void)settle();
  const double begin_s = seconds(machine_.now_ns());
  const auto spent_s = [&] { return spent_before_s_ + seconds(machine_.now_ns()) - begin_s; };
  const auto over = [&] { return ended() || spent_s() > options_.budget_s; };
  double engine_s = bench_.least_seconds();
  int failures = 0;  // in a row, of one sort
  bool again = true;
  std::size_t number = measured_.size();
  bool measured_any = false;
  for (std::size_t next = 0; next < plan_.size(); ++next) {
    const Step step = plan_[next];
    const Experiment& experiment = experiments_[step.experiment];
    if (ended()) {
      outcome_.interrupted = true;
      break;
    }
    const double until_s = options_.budget_s * (experiment.held_out ? 1 : 1 - options_.held_out_share);
    if (spent_s() + engine_s > until_s) continue;
    const double before_s = spent_s();
    Measured done;
    try {
      done = measure(step, over);
    } catch (const Interrupted&) {
      outcome_.interrupted = ended();
      if (!outcome_.interrupted) note(fmt::format("{} was under way when the budget was spent", experiment.name));
      break;
    } catch (const RailLost& lost) {
      outcome_.fault = lost.what();  // the engine saw part of it: not kept
      break;
    }
    if (done.again) engine_s = 0.8 * engine_s + 0.2 * (spent_s() - before_s);
    if (const auto problem = journal.append(done.block)) note(*problem);
    const RuntimeProgress progress{++number, number + plan_.size() - next - 1, &experiment, &done.block,
                                   std::max(0.0, options_.budget_s - spent_s())};
    show(progress);
    if (done.block.problem.empty()) {
      measured_any = true;
      failures = 0;
      measured_.push_back(std::move(done));
      continue;
    }
    if (done.again && step.attempt < options_.most_attempts) {
      constexpr std::size_t kLater = 3;
      const std::size_t at = std::min(plan_.size(), next + 1 + kLater);
      plan_.insert(plan_.begin() + static_cast<std::ptrdiff_t>(at), {step.experiment, step.attempt + 1});
    } else {
      ++outcome_.failed;
      given_up_.push_back({experiment.name, done.block.problem});
    }
    failures = done.again == again ? failures + 1 : 1;
    again = done.again;
    const int most = again ? options_.patience.most_in_a_row : options_.most_failures_in_a_row;
    if (failures >= most) {
      outcome_.fault =
          fmt::format("{} engines in a row could not be measured, the last because {}", failures, done.block.problem);
      break;
    }
    if (again) machine_.idle(options_.patience.pause_ns(failures));
  }
  outcome_.complete = !outcome_.interrupted && outcome_.fault.empty();
  if (!measured_any && outcome_.complete && !plan_.empty()) {
    note("The budget was spent before anything new could be measured: give more with --budget");
  }
}

measurements::MeasurementSet RuntimeSession::set_of(bool held_out) const {
  measurements::MeasurementSet set = nothing_measured(facts_);
  set.protocol =
      "edge-calibrate runtime: a short and a long run of each engine, idle around both, their difference by inference";
  std::vector<double> idle_watts;
  std::string digest;
  for (const Measured& measured : measured_) {
    idle_watts.push_back(measured.block.idle_watts);
    if (experiments_[measured.experiment].held_out != held_out) continue;
    measurements::Measurement m =
        measurement_of(measured.engine, {.joules = measured.block.joules, .seconds = measured.block.seconds});
    m.repetitions = static_cast<std::uint32_t>(std::min<std::uint64_t>(measured.block.executions, 0xFFFFFFFFU));
    digest += fmt::format("{} {} {}\n", m.origin, m.energy_joules, m.time_seconds);
    measurements::take_if_above_zero(std::move(m), set);
  }
  if (!held_out) set.excluded.insert(set.excluded.end(), given_up_.begin(), given_up_.end());
  set.idle_watts = idle_watts.empty() ? -1 : measurements::median(std::move(idle_watts));
  set.sha256 = files::sha256(digest);
  return set;
}

measurements::MeasurementSet RuntimeSession::fit_set() const {
  return set_of(false);
}

measurements::MeasurementSet RuntimeSession::held_out_set() const {
  return set_of(true);
}

std::vector<MeasuredEngine> RuntimeSession::fit_engines() const {
  std::vector<MeasuredEngine> engines;
  for (const Measured& measured : measured_) {
    if (experiments_[measured.experiment].held_out || measured.block.joules <= 0) continue;
    engines.push_back({measured.engine, {.joules = measured.block.joules, .seconds = measured.block.seconds}});
  }
  return engines;
}

}  // namespace edgejoule::calibration
