#include "calibration/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "calibration/network_spread.h"
#include "edgejoule/core/graph.h"
#include "files/io.h"
#include "measurements/median.h"
#include "measurements/whole_model.h"

namespace edgejoule::calibration {
namespace {

using measurements::Measurement;
using measurements::MeasurementSet;
using measurements::NodeLevel;
using Role = Measured::Role;

constexpr double kWakeSeconds = 3;
constexpr double kUsualRunSeconds = 0.1;    // that blocks take beyond the shortest run, on average
constexpr double kMostNetworkShare = 0.12;  // of the budget

double longest_hope_s(const Protocol& protocol) {
  return protocol.overhead_seconds() + protocol.shortest_run_seconds() + kUsualRunSeconds;
}

// In a small budget more shapes are worth more than longer blocks: none may take more than twice its share.
ProtocolOptions within(const SessionOptions& options, std::size_t blocks) {
  ProtocolOptions protocol = options.protocol;
  const double share_s = options.budget_s / static_cast<double>(std::max<std::size_t>(1, blocks));
  const double around_s = 2 * protocol.idle_s + protocol.warm_up_s;
  protocol.longest_run_s = std::clamp(2 * share_s - around_s, protocol.shortest_run_s,
                                      std::max(protocol.shortest_run_s, protocol.longest_run_s));
  return protocol;
}

}  // namespace

std::string engine_name(const MachineFacts& facts, int threads) {
  if (threads == facts.cores) return facts.engine;
  return fmt::format("{}-{}-thread{}", facts.engine, threads, threads == 1 ? "" : "s");
}

std::vector<workloads::Candidate> candidates_of(const MachineFacts& facts, int threads, double budget_s) {
  std::vector<workloads::Candidate> taken;
  for (workloads::Candidate& candidate : workloads::candidates({.last_level_bytes = facts.last_level_bytes,
                                         .memory_bytes = facts.memory_bytes,
                                         .max_threads = threads,
                                         .has_fp16 = facts.has_fp16})) {
    const graph::OpNode& op = candidate.workload.op;
    const DataType weight = op.weight_type == DataType::kUnknown ? op.data_type : op.weight_type;
    const bool narrow = bits_of(weight) < bits_of(op.data_type);
    if (candidate.workload.threads != threads || (narrow && budget_s < kTimeForNarrowWeightsS)) continue;
    taken.push_back(std::move(candidate));
  }
  return taken;
}

Network network_of(const files::FileBytes& graph, const std::string& name, int threads) {
  const Result<GraphView> view = GraphView::open(graph.span());
  if (!view) throw MachineError(fmt::format("network {}: {}", name, error_text(view.error())));
  Network network;
  network.name = name;
  for (std::uint32_t node = 0; node < view->size(); ++node) {
    if (view->is_module_node(node)) continue;
    workloads::Workload op;
    op.name = fmt::format("{}/{}", name, view->name(node));
    op.op.kind = view->kind(node);
    op.op.op_class = view->op_class(node);
    op.op.data_type = view->data_type(node);
    op.op.weight_type = view->weight_type(node);
    op.op.facts = view->facts(node);
    op.threads = threads;
    op.rows = workloads::rows_of(op.op);
    network.ops.push_back(std::move(op));
  }
  return network;
}

Session::Session(Machine& machine, std::vector<workloads::Candidate> candidates, std::vector<Network> networks,
                 const SessionOptions& options)
    : machine_(machine),
      candidates_(std::move(candidates)),
      networks_(std::move(networks)),
      options_(options),
      protocol_(machine, within(options, candidates_.size() + networks_.size())),
      knowledge_(candidates_, machine.facts().last_level_bytes) {
  make_plan();
}

// Where so few fit that nothing would be learned of intervals, all of them validate.
std::vector<std::size_t> Session::networks_within(std::size_t most) const {
  std::vector<std::size_t> all, validating;
  for (std::size_t i = 0; i < networks_.size(); ++i) {
    if (all.size() < most) all.push_back(i);
    if (validating.size() < most && !networks_[i].for_spread) validating.push_back(i);
  }
  const auto for_spread =
      std::count_if(all.begin(), all.end(), [&](std::size_t network) { return networks_[network].for_spread; });
  // Some of a plan find no time.
  return static_cast<std::size_t>(for_spread) < 2 * kFewestForSpread ? validating : all;
}

void Session::make_plan() {
  const double block_s = longest_hope_s(protocol_);
  const std::vector<std::size_t> networks =
      networks_within(static_cast<std::size_t>(kMostNetworkShare * options_.budget_s / block_s));
  const double fixed_s = static_cast<double>(networks.size()) * block_s + kWakeSeconds + 2;
  DesignRequest request;
  request.budget_seconds = std::max(block_s, options_.budget_s - fixed_s);
  request.expected_seconds.assign(candidates_.size(), block_s);
  request.last_level_bytes = machine_.facts().last_level_bytes;
  request.block_error = options_.block_error;
  const Design design = calibration::design(candidates_, request);
  expected_ = design.expected;
  for (std::size_t key = 0; key < expected_.size(); ++key) {
    if (expected_[key].measured == 0) knowledge_.leave_out(key);
  }
  // Networks are spread over the time, so that ending early still leaves some to test on.
  const std::size_t every = std::max<std::size_t>(1, design.order.size() / (networks.size() + 1));
  auto network = networks.begin();
  const auto next_network = [&] {
    plan_.push_back({networks_[*network].for_spread ? Role::kSpreadNetwork : Role::kNetwork, *network});
    ++network;
  };
  for (std::size_t i = 0; i < design.order.size(); ++i) {
    const std::size_t candidate = design.order[i];
    plan_.push_back({candidates_[candidate].held_out ? Role::kHeldOut : Role::kFit, candidate});
    if (network != networks.end() && (i + 1) % every == 0) next_network();
  }
  while (network != networks.end()) next_network();
  planned_seconds_ = static_cast<double>(plan_.size()) * block_s + kWakeSeconds + 2;
}

std::string Session::name_of(const Step& step) const {
  return Measured::is_network(step.role) ? "network:" + networks_[step.index].name
                                         : candidates_[step.index].workload.name;
}

const MachineState& Session::settle() {
  if (!settled_) {
    protocol_.settle();
    settled_ = true;
  }
  return protocol_.first_state();
}

std::size_t Session::take_over(const JournalContent& earlier) {
  // Not only of this plan: another budget chose others, which are as good.
  std::map<std::string, Step> known;
  const auto know = [&](const Step& step) { known.emplace(name_of(step), step); };
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    know({candidates_[i].held_out ? Role::kHeldOut : Role::kFit, i});
  }
  for (std::size_t i = 0; i < networks_.size(); ++i) {
    know({networks_[i].for_spread ? Role::kSpreadNetwork : Role::kNetwork, i});
  }
  std::size_t unknown = 0;
  std::set<std::string> done;
  for (const Block& block : earlier.blocks) {
    const auto found = known.find(block.name);
    if (found == known.end()) {
      ++unknown;
      continue;
    }
    const Step& step = found->second;
    measured_.push_back({step.role, step.index, block});
    if (!block.problem.empty()) continue;
    done.insert(block.name);
    spent_before_s_ += longest_hope_s(protocol_);
    if (step.role == Role::kFit) knowledge_.measured(step.index, block.relative_error());
  }
  std::vector<Step> left;
  for (const Step& step : plan_) {
    if (done.count(name_of(step)) == 0) left.push_back(step);
  }
  plan_ = std::move(left);
  wake_ = earlier.wake;
  return unknown;
}

void Session::prepare(const Step& step) {
  if (Measured::is_network(step.role)) {
    machine_.prepare_network(networks_[step.index].ops);
  } else {
    machine_.prepare(candidates_[step.index].workload);
  }
}

void Session::note(const std::string& warning) {
  if (std::find(outcome_.warnings.begin(), outcome_.warnings.end(), warning) == outcome_.warnings.end()) {
    outcome_.warnings.push_back(warning);
  }
}

void Session::run(Journal& journal, const std::function<void(const Progress&)>& show,
                  const std::function<bool()>& ended) {
  (void)settle();
  const double begin_s = static_cast<double>(machine_.now_ns()) * 1e-9;
  const auto spent_s = [&] { return static_cast<double>(machine_.now_ns()) * 1e-9 - begin_s; };
  const double budget_s = options_.budget_s - spent_before_s_;
  const std::size_t before = measured_.size();
  Progress progress;
  int faults_in_a_row = 0;
  double block_s = longest_hope_s(protocol_);
  for (std::size_t next = 0; next < plan_.size(); ++next) {
    const Step step = plan_[next];
    if (ended()) {
      outcome_.interrupted = true;
      break;
    }
    if (spent_s() + block_s > budget_s) break;
    const std::size_t left = plan_.size() - next;
    progress.done = measured_.size();
    progress.planned = measured_.size() + left;
    progress.seconds_left = std::min(budget_s - spent_s(), static_cast<double>(left) * block_s);
    progress.expected_error = knowledge_.mean_uncertainty();
    progress.doing = name_of(step);
    progress.block = nullptr;
    show(progress);
    try {
      prepare(step);
    } catch (const workloads::WorkloadError& error) {
      note(fmt::format("{} was left out: {}", progress.doing, error.what()));
      continue;
    }
    const double block_begin_s = spent_s();
    Measured done{step.role, step.index, protocol_.measure(progress.doing)};
    done.block.attempt = step.attempt;
    if (const auto problem = machine_.rail_problem()) {
      outcome_.fault = *problem;
      break;  // the block saw part of it: not kept
    }
    block_s = 0.9 * block_s + 0.1 * (spent_s() - block_begin_s);
    if (step.role == Role::kFit && done.block.problem.empty()) {
      knowledge_.measured(step.index, std::max(1e-3, done.block.relative_error()));
    }
    if (!wake_ && done.block.problem.empty() && !Measured::is_network(step.role) && done.block.seconds < 0.005) {
      wake_ = protocol_.measure_wake(done.block, kWakeSeconds);
      if (const auto problem = journal.append(*wake_)) note(*problem);
    }
    if (const auto problem = journal.append(done.block)) note(*problem);
    measured_.push_back(done);
    progress.done = measured_.size();
    progress.expected_error = knowledge_.mean_uncertainty();
    progress.seconds_left = std::max(0.0, std::min(budget_s - spent_s(), static_cast<double>(left - 1) * block_s));
    progress.block = &measured_.back().block;
    show(progress);
    if (done.block.problem.empty()) {
      faults_in_a_row = 0;
      continue;
    }
    if (++faults_in_a_row >= options_.patience.most_in_a_row) {
      outcome_.fault = fmt::format("{} blocks in a row could not be measured, the last because {}", faults_in_a_row,
                                   done.block.problem);
      break;
    }
    machine_.idle(options_.patience.pause_ns(faults_in_a_row));
    if (step.attempt < options_.most_attempts) {
      // Not at once: what disturbed it may still be there.
      ++outcome_.repeated;
      constexpr std::size_t kLater = 3;
      const std::size_t at = std::min(plan_.size(), next + 1 + kLater);
      plan_.insert(plan_.begin() + static_cast<std::ptrdiff_t>(at), {step.role, step.index, step.attempt + 1});
    } else {
      ++outcome_.given_up;
    }
  }
  outcome_.complete = !outcome_.interrupted && outcome_.fault.empty();
  if (measured_.size() == before && outcome_.complete) {
    note("The budget was spent before anything new could be measured: give more with --budget");
  }
}

double Session::idle_watts() const {
  std::vector<double> watts;
  for (const Measured& measured : measured_) {
    if (measured.block.problem.empty()) watts.push_back(measured.block.idle_watts);
  }
  return watts.empty() ? -1 : measurements::median(std::move(watts));
}

std::string Ending::text() const {
  if (complete) return {};
  return interrupted ? "ended early because somebody asked for it" : "ended early: " + fault;
}

MeasurementSet nothing_measured(const MachineFacts& facts) {
  MeasurementSet set;
  set.boundary = facts.boundary;
  for (const RailFacts& rail : facts.rails) {
    if (rail.in_total) set.rails.push_back(rail.label);
  }
  set.boundary_description = facts.boundary_description;
  set.baseline = BaselineKind::kAboveIdle;
  set.idle_state = "sampler running, nothing else";
  set.board = facts.board, set.board_compatible = facts.compatible, set.os_release = facts.os_release;
  set.runtime = facts.runtime, set.backend = facts.backend;
  set.engine = facts.engine, set.engine_kind = facts.engine_kind;
  set.last_level_bytes = facts.last_level_bytes;
  set.source = facts.source;
  return set;
}

MeasurementSet Session::set_of(std::initializer_list<Role> roles) const {
  MeasurementSet set = nothing_measured(machine_.facts());
  set.engine = engine_name(machine_.facts(), options_.threads);
  set.idle_watts = idle_watts();
  set.protocol = fmt::format(
      "edge-calibrate run: idle bracketing each block, starts jittered, repeated until a standard error of {:.1f} % or "
      "{:.1f} s; {} threads",
      100 * options_.protocol.target_error, options_.protocol.longest_run_s, options_.threads);
  std::string digest;
  for (const Measured& measured : measured_) {
    if (std::find(roles.begin(), roles.end(), measured.role) == roles.end()) continue;
    const Block& block = measured.block;
    if (!block.problem.empty()) {
      if (block.attempt >= options_.most_attempts) set.excluded.push_back({block.name, block.problem});
      continue;
    }
    Measurement m;
    if (Measured::is_network(measured.role)) {
      const Network& network = networks_[measured.index];
      measurements::ModelParts parts;
      auto list = std::make_shared<std::vector<measurements::Part>>();
      bool one_type = true;
      for (const workloads::Workload& op : network.ops) {
        list->push_back({op.op.kind, op.op.op_class, op.op.data_type, op.op.facts, 1});
        one_type = one_type && op.op.data_type == network.ops.front().op.data_type;
      }
      if (one_type && !network.ops.empty()) parts.data_type = network.ops.front().op.data_type;
      parts.family = network.name;
      parts.parts = std::move(list);
      m = measurements::whole_model(parts, network.name);
    } else {
      const workloads::Workload& workload = candidates_[measured.index].workload;
      m.kind = workload.op.kind;
      m.op_class = workload.op.op_class == OpClass::kUnknown ? class_of(m.kind) : workload.op.op_class;
      m.data_type = workload.op.data_type;
      m.facts = workload.op.facts;
      m.group = workload.name;
    }
    m.energy_joules = block.joules;
    m.time_seconds = block.seconds;
    m.repetitions = static_cast<std::uint32_t>(std::min<std::uint64_t>(block.executions, 0xFFFFFFFFU));
    m.origin = block.name;
    digest += fmt::format("{} {} {}\n", block.name, block.joules, block.seconds);
    measurements::take_if_above_zero(std::move(m), set);
  }
  set.sha256 = files::sha256(digest);
  return set;
}

MeasurementSet Session::fit_set() const {
  return set_of({Role::kFit});
}

MeasurementSet Session::spread_set() const {
  return set_of({Role::kSpreadNetwork});
}

MeasurementSet Session::held_out_set() const {
  return set_of({Role::kHeldOut, Role::kNetwork});
}

}  // namespace edgejoule::calibration
