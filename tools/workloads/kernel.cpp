#include "workloads/kernel.h"

#include <fmt/format.h>

#include <new>
#include <system_error>

namespace edgejoule::workloads {
namespace {

// Knuth's MMIX: enough to keep neighbours different, and the same on every machine.
class Numbers {
 public:
  explicit Numbers(std::uint32_t seed) : state_(seed * 2654435761ULL + 1) {}
  std::uint32_t next() {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::uint32_t>(state_ >> 40U);
  }

 private:
  std::uint64_t state_;
};

constexpr float kSteps = 1U << 24U;

}  // namespace

Range share_of(std::size_t total, int part, int parts) {
  const auto of = static_cast<std::size_t>(parts);
  const auto i = static_cast<std::size_t>(part);
  return {total * i / of, total * (i + 1) / of};
}

std::vector<float> some_floats(std::size_t count, std::uint32_t seed, float low, float high) {
  Numbers numbers(seed);
  std::vector<float> out(count);
  for (float& value : out) {
    value = low + (high - low) * ((static_cast<float>(numbers.next()) + 0.5F) / kSteps);
  }
  return out;
}

std::vector<std::int8_t> some_int8(std::size_t count, std::uint32_t seed) {
  Numbers numbers(seed);
  std::vector<std::int8_t> out(count);
  for (std::int8_t& value : out) {
    value = static_cast<std::int8_t>(static_cast<std::int32_t>(numbers.next() % 255U) - 127);
  }
  return out;
}

std::vector<std::int32_t> some_int32(std::size_t count, std::uint32_t seed, std::int32_t limit) {
  Numbers numbers(seed);
  std::vector<std::int32_t> out(count);
  for (std::int32_t& value : out) {
    value = static_cast<std::int32_t>(numbers.next() % (2U * static_cast<std::uint32_t>(limit) + 1)) - limit;
  }
  return out;
}

void ParallelKernel::run(std::uint64_t executions) {
  const std::function<void(int)> work = [this](int part) {
    const Range range = share_of(parts(), part, team_.size());
    if (range.size() != 0) execute(range);
  };
  for (std::uint64_t i = 0; i < executions; ++i) team_.run(work);
}

void cannot_run(const Workload& workload, const std::string& why) {
  throw WorkloadError(fmt::format("workload {}: {}", workload.name, why));
}

void no_kernel(const Workload& workload) {
  const graph::OpNode& op = workload.op;
  cannot_run(workload, fmt::format("there is no kernel for {} of {}{}", name_of(op.kind), name_of(op.data_type),
                                   op.weight_type == DataType::kUnknown
                                       ? std::string()
                                       : fmt::format(" with weights of {}", name_of(op.weight_type))));
}

std::uint64_t rows_of(const graph::OpNode& op) {
  const std::uint64_t elements = op.facts[Fact::kInputElements], parameters = op.facts[Fact::kParameters];
  std::uint64_t rows = 1;
  switch (op.kind) {
    case OpKind::kLayerNorm: rows = parameters == 0 ? 1 : 2 * elements / parameters; break;
    case OpKind::kRmsNorm: rows = parameters == 0 ? 1 : elements / parameters; break;
    case OpKind::kSoftmax: rows = op.facts[Fact::kStatedSpecial]; break;  // one division for each
    case OpKind::kMean: rows = op.facts[Fact::kOutputElements]; break;
    case OpKind::kTranspose: rows = op.facts[Fact::kTokens]; break;
    default: break;
  }
  return rows != 0 && elements % rows == 0 ? rows : 1;
}

std::unique_ptr<Kernel> prepare(const Workload& workload) {
  if (workload.threads < 1) cannot_run(workload, "needs at least one thread");
  try {
    if (workload.op.data_type == DataType::kFloat16) return make_half(workload);
    switch (workload.op.op_class) {
      case OpClass::kConvolution: return make_convolution(workload);
      case OpClass::kMatrix:
        return workload.op.kind == OpKind::kBatchMatmul ? make_batch_matmul(workload) : make_dense(workload);
      case OpClass::kAttention: return make_attention(workload);
      case OpClass::kElementwise:
      case OpClass::kActivation: return make_pointwise(workload);
      case OpClass::kSoftmax:
      case OpClass::kNormalisation:
      case OpClass::kReduction: return make_rows(workload);
      case OpClass::kPooling: return make_pooling(workload);
      case OpClass::kLookup: return make_lookup(workload);
      case OpClass::kDataMovement: return make_movement(workload);
      default: no_kernel(workload);
    }
  } catch (const std::bad_alloc&) {
    cannot_run(workload, "not enough memory for its tensors; state a smaller memory limit");
  } catch (const std::system_error& error) {
    cannot_run(workload, fmt::format("its {} threads cannot be started ({})", workload.threads, error.what()));
  }
}

}  // namespace edgejoule::workloads
