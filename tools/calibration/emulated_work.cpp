#include "calibration/emulated_work.h"

#include <fmt/format.h>

namespace edgejoule::calibration {
namespace {

using emulated_board::LawOp;

EngineKind engine_kind(const std::string& kind) {
  if (kind == "gpu") return EngineKind::kGpu;
  if (kind == "dla") return EngineKind::kDla;
  return kind == "npu" ? EngineKind::kNpu : EngineKind::kCpu;
}

// Plain dimensions: the law counts what they mean by itself.
LawOp law_op(const workloads::Workload& workload) {
  const Facts& facts = workload.op.facts;
  const auto value = [&](Fact fact) { return static_cast<double>(facts[fact]); };
  LawOp op;
  op.kind = workload.op.kind;
  op.type = workload.op.data_type;
  const DataType weight = workload.op.weight_type;
  op.weight_bits = static_cast<std::uint8_t>(bits_of(weight == DataType::kUnknown ? workload.op.data_type : weight));
  op.threads = workload.threads;
  op.batch = value(Fact::kBatch);
  op.m = value(Fact::kRowsM), op.n = value(Fact::kColsN), op.k = value(Fact::kDepthK);
  if (workload.op.kind == OpKind::kAttention) {
    op.batch *= value(Fact::kHeads);
    op.n = value(Fact::kContext);
    op.value_k = value(Fact::kValueK);
  }
  op.in_h = value(Fact::kInH), op.in_w = value(Fact::kInW), op.in_c = value(Fact::kInC);
  op.out_h = value(Fact::kOutH), op.out_w = value(Fact::kOutW), op.out_c = value(Fact::kOutC);
  op.kernel_h = value(Fact::kKernelH), op.kernel_w = value(Fact::kKernelW);
  op.stride = value(Fact::kStrideH);
  op.dilation = value(Fact::kDilationH);
  op.groups = value(Fact::kGroups);
  op.elements_in = value(Fact::kInputElements), op.elements_out = value(Fact::kOutputElements);
  op.input_bytes = value(Fact::kInputBytes), op.output_bytes = value(Fact::kOutputBytes);
  op.weight_bytes = value(Fact::kWeightBytes) + value(Fact::kScaleBytes);
  op.repeats = value(Fact::kRepeats);
  return op;
}

}  // namespace

EmulatedWork::EmulatedWork(const emulated_board::BoardLaw& law, const EmulationOptions& options)
    : law_(law), seed_(options.seed) {
  const auto find = [&](const auto& list, const std::string& name, const char* what) {
    if (name.empty()) return std::size_t{0};
    std::string names;
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i].name == name) return i;
      names += (names.empty() ? "" : ", ") + list[i].name;
    }
    throw MachineError(fmt::format("{}: no {} '{}'; there are: {}", law.name, what, name, names));
  };
  engine_ = find(law.law.engines, options.engine, "engine");
  point_ = find(law.law.points, options.point, "operating point");
}

void EmulatedWork::prepare(const workloads::Workload& workload) {
  ops_ = {law_op(workload)};
}

void EmulatedWork::prepare_network(std::span<const workloads::Workload> ops) {
  ops_.clear();
  double weights = 0;
  for (const workloads::Workload& op : ops) {
    ops_.push_back(law_op(op));
    weights += static_cast<double>(op.op.facts[Fact::kUniqueWeightBytes]);
  }
  for (LawOp& op : ops_) op.model_weight_bytes = weights;
}

void EmulatedWork::run(emulated_board::LiveBoard& board, std::uint64_t executions) const {
  board.run(ops_, executions, engine_, point_);
}

void EmulatedWork::describe(MachineFacts& facts) const {
  const emulated_board::LawEngine& engine = law_.law.engines[engine_];
  facts.runtime = "edgejoule kernels";
  facts.backend = engine.name;
  facts.engine = engine.name;
  facts.engine_kind = engine_kind(engine.kind);
  facts.last_level_bytes = static_cast<std::uint64_t>(engine.last_level_bytes);
  facts.memory_bytes = 4ULL << 30U;
  facts.cores = engine.threads;
  facts.has_fp16 = true;
  facts.emulated = true;
  facts.source = fmt::format("emulated board {}, seed {}", law_.name, seed_);
}

Machine::Truth EmulatedWork::truth() const {
  double engine_gain = 0, memory_gain = 0;
  for (const emulated_board::LiveRail& rail : law_.rails) {
    if (!rail.in_total) continue;
    engine_gain += rail.engines ? 1 + rail.loss : 0;
    memory_gain += rail.memory ? 1 + rail.loss : 0;
  }
  Machine::Truth truth;
  for (const LawOp& op : ops_) {
    const emulated_board::Cost cost = law_.law.cost(op, engine_, point_);
    // While it runs, the engine does not draw what it draws when it is off.
    truth.joules += engine_gain * (cost.engine_joules - law_.law.engines[engine_].gated_w * cost.seconds) +
                    memory_gain * cost.memory_joules;
    truth.seconds += cost.seconds;
  }
  return truth;
}

}  // namespace edgejoule::calibration
