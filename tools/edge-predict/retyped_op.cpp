#include "retyped_op.h"

#include <algorithm>
#include <optional>

#include "edgejoule/core/facts.h"
#include "graph/data_types.h"
#include "graph/exact.h"
#include "graph/op_work.h"
#include "graph/transistor_ops.h"

namespace edgejoule::predict {
namespace {

using graph::Exact;
using graph::OpNode;
using graph::ScalarWork;

constexpr ScalarWork kRescaling{.add = 2, .multiply = 1};  // of results of integer arithmetic
constexpr std::uint64_t kScaleBytes = 4;
constexpr std::uint64_t kIntegerBiasBytes = 4;

bool is_integer(DataType type) {
  return type == DataType::kInt8 || type == DataType::kUint8;
}

bool is_product(OpClass op_class) {
  return op_class == OpClass::kConvolution || op_class == OpClass::kTransposedConvolution ||
         op_class == OpClass::kMatrix;
}

// Without biases.
std::uint64_t matrix_weights(const OpNode& op) {
  const Exact exact(op.name);
  const Facts& f = op.facts;
  if (op.kind == OpKind::kDense) return exact.mul(f[Fact::kColsN], f[Fact::kDepthK]);
  if (op.op_class == OpClass::kConvolution || op.op_class == OpClass::kTransposedConvolution) {
    return exact.mul(f[Fact::kOutC], f[Fact::kInC] / std::max<std::uint64_t>(1, f[Fact::kGroups]), f[Fact::kKernelD],
                     f[Fact::kKernelH], f[Fact::kKernelW]);
  }
  return 0;
}

std::uint64_t output_channels(const OpNode& op) {
  return op.kind == OpKind::kDense ? op.facts[Fact::kColsN] : op.facts[Fact::kOutC];
}

// Transistor operations as graph/ops.cpp adds them up, from the facts alone; nothing
// where element work is not what the kind of the op says.
class Transistors {
 public:
  static std::optional<Transistors> of(const OpNode& op) {
    const Facts& f = op.facts;
    const Result<WorkCounts> counts = count_work(op.op_class, f);
    if (!counts.ok()) return std::nullopt;
    Transistors t;
    t.op_ = &op;
    t.macs_ = counts->macs;
    graph::OpWork work = graph::work_of(op.kind);
    const OpKind activation = static_cast<OpKind>(f[Fact::kFusedActivation]);
    if (activation != OpKind::kUnknown) {
      work.per_output = work.per_output + graph::work_of(activation).per_output;
    }
    if (is_product(op.op_class) && is_integer(op.data_type)) work.per_output = work.per_output + kRescaling;
    const std::uint64_t stated = f[Fact::kAluPerOutput];
    if (f[Fact::kAluPerInput] != work.per_input.alu() || f[Fact::kSpecialPerInput] != work.per_input.special() ||
        f[Fact::kSpecialPerOutput] != work.per_output.special() || stated < work.per_output.alu()) {
      return std::nullopt;
    }
    // Biases, the windows of pools, sums of several inputs; l2 pools multiply as well.
    const auto rest = static_cast<std::uint32_t>(stated - work.per_output.alu());
    if (op.kind == OpKind::kMaxPool2d) {
      work.per_output.compare += rest;
    } else if (op.kind == OpKind::kL2Pool2d) {
      work.per_output.add += rest / 2;
      work.per_output.multiply += rest - rest / 2;
    } else {
      work.per_output.add += rest;
    }
    t.per_input_ = work.per_input;
    t.per_output_ = work.per_output;
    if (f[Fact::kStatedAlu] != 0 || f[Fact::kStatedSpecial] != 0) {
      // Work per row, or a sum and a product for each of something (unpacking, turning).
      t.extra_ = work.per_row.alu() + work.per_row.special() != 0 ? work.per_row : ScalarWork{.add = 1, .multiply = 1};
      const std::uint64_t each = t.extra_.alu() != 0 ? t.extra_.alu() : t.extra_.special();
      t.times_ = (t.extra_.alu() != 0 ? f[Fact::kStatedAlu] : f[Fact::kStatedSpecial]) / each;
    }
    if (t.count(op.data_type) != f[Fact::kTransistorOps]) return std::nullopt;
    return t;
  }

  void add_per_output(const ScalarWork& work) { per_output_ = per_output_ + work; }

  [[nodiscard]] std::uint64_t count(DataType type) const {
    const Exact exact(op_->name);
    const graph::TransistorCost cost = graph::transistor_cost(type);
    return exact.add(exact.mul(macs_, cost.multiply_accumulate),
                     exact.mul(op_->facts[Fact::kInputElements], graph::transistor_ops(per_input_, cost)),
                     exact.mul(op_->facts[Fact::kOutputElements], graph::transistor_ops(per_output_, cost)),
                     exact.mul(times_, graph::transistor_ops(extra_, cost)));
  }

 private:
  const OpNode* op_ = nullptr;
  std::uint64_t macs_ = 0;
  ScalarWork per_input_;
  ScalarWork per_output_;
  ScalarWork extra_;
  std::uint64_t times_ = 0;
};

// Bytes that are exactly `elements` of the old type become as many of the new.
void retype_bytes(Facts& facts, Fact bytes, std::uint64_t elements, DataType old_type, DataType type,
                  const Exact& exact) {
  if (elements != 0 && facts[bytes] == exact.bytes(elements, old_type)) {
    facts.set(bytes, exact.bytes(elements, type));
  }
}

void retype_weights(OpNode& op, DataType old_type, DataType type, const Exact& exact) {
  Facts& f = op.facts;
  const std::uint64_t elements = f[Fact::kWeightBytes] / (bits_of(old_type) / 8);
  const std::uint64_t matrix = matrix_weights(op);
  if (is_integer(type) && matrix != 0 && elements >= matrix) {
    const std::uint64_t biases = elements - matrix;
    const std::uint64_t bytes = exact.add(exact.bytes(matrix, type), exact.mul(biases, kIntegerBiasBytes));
    if (f[Fact::kUniqueWeightBytes] != 0) f.set(Fact::kUniqueWeightBytes, bytes);
    f.set(Fact::kWeightBytes, bytes);
    f.set(Fact::kScaleBytes, kScaleBytes * (type == DataType::kInt8 ? output_channels(op) : 1));
  } else {
    const std::uint64_t unique = f[Fact::kUniqueWeightBytes] / (bits_of(old_type) / 8);
    f.set(Fact::kWeightBytes, exact.bytes(elements, type));
    f.set(Fact::kUniqueWeightBytes, exact.bytes(unique, type));
  }
}

}  // namespace

bool has_multiply_accumulates(OpClass op_class) {
  return is_product(op_class) || op_class == OpClass::kRecurrent || op_class == OpClass::kAttention;
}

UnpackingWork unpacking_work(const OpNode& op) {
  if (op.weight_type == DataType::kUnknown || bits_of(op.weight_type) >= bits_of(op.data_type)) return {};
  const ScalarWork each = graph::work_of(OpKind::kDequantize).per_output;
  const Exact exact(op.name);
  const std::uint64_t weights = matrix_weights(op);
  const UnpackingWork work{exact.mul(weights, each.alu()),
                           exact.mul(weights, graph::transistor_ops(each, graph::transistor_cost(op.data_type)))};
  // Where an importer counted none, there is none.
  return work.alu <= op.facts[Fact::kStatedAlu] && work.transistor_ops <= op.facts[Fact::kTransistorOps]
             ? work
             : UnpackingWork{};
}

bool retype(OpNode& op, DataType type) {
  const DataType old_type = op.data_type;
  if (!graph::is_float(old_type) || old_type == type) return true;
  const Exact exact(op.name);
  std::optional<Transistors> transistors = Transistors::of(op);
  Facts& f = op.facts;
  if (op.op_class != OpClass::kLookup || op.weight_type == DataType::kUnknown) {  // else the inputs are indices
    retype_bytes(f, Fact::kInputBytes, f[Fact::kInputElements], old_type, type, exact);
  }
  retype_bytes(f, Fact::kOutputBytes, f[Fact::kOutputElements], old_type, type, exact);
  if (f[Fact::kSoftmaxBytes] != 0) {
    f.set(Fact::kSoftmaxBytes, exact.bytes(f[Fact::kSoftmaxBytes] / (bits_of(old_type) / 8), type));
  }
  if (op.weight_type == old_type) {
    if (f[Fact::kWeightBytes] != 0) retype_weights(op, old_type, type, exact);
    op.weight_type = type;
  }
  if (is_product(op.op_class) && is_integer(type)) {
    f.set(Fact::kAluPerOutput, f[Fact::kAluPerOutput] + kRescaling.alu());
    if (transistors) transistors->add_per_output(kRescaling);
  }
  op.data_type = type;
  if (transistors) {
    f.set(Fact::kTransistorOps, transistors->count(type));
    return true;
  }
  const std::uint64_t now = graph::transistor_cost(type).multiply_accumulate;
  const std::uint64_t then = graph::transistor_cost(old_type).multiply_accumulate;
  const bool none = f[Fact::kTransistorOps] == 0;
  f.set(Fact::kTransistorOps, static_cast<std::uint64_t>(static_cast<double>(f[Fact::kTransistorOps]) *
                                                         static_cast<double>(now) / static_cast<double>(then)));
  return none;
}

}  // namespace edgejoule::predict
