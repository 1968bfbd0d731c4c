#include "emulated_board/law.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace edgejoule::emulated_board {
namespace {

constexpr double kPico = 1e-12;
constexpr double kMicro = 1e-6;
constexpr double kGiga = 1e9;

enum class Family { kMatrix, kConvolution, kAttention, kElements };

Family family_of(OpKind kind) {
  switch (kind) {
    case OpKind::kConv2d:
    case OpKind::kConv1d:
    case OpKind::kConv3d:
    case OpKind::kDepthwiseConv2d: return Family::kConvolution;
    case OpKind::kDense:
    case OpKind::kBatchMatmul: return Family::kMatrix;
    case OpKind::kAttention: return Family::kAttention;
    default: return Family::kElements;
  }
}

// Simple and special operations per element of the larger side.
struct ElementWork {
  double simple = 1;
  double special = 0;
};

ElementWork element_work(OpKind kind) {
  switch (kind) {
    case OpKind::kSoftmax:
    case OpKind::kLogSoftmax: return {5, 1.1};
    case OpKind::kLayerNorm:
    case OpKind::kInstanceNorm:
    case OpKind::kGroupNorm: return {8, 0.02};
    case OpKind::kRmsNorm: return {5, 0.02};
    case OpKind::kBatchNorm: return {2, 0};
    case OpKind::kGelu: return {7, 1.3};
    case OpKind::kSigmoid:
    case OpKind::kSilu:
    case OpKind::kTanh:
    case OpKind::kExp:
    case OpKind::kErf:
    case OpKind::kLog: return {3, 1.2};
    case OpKind::kHardSwish:
    case OpKind::kHardSigmoid: return {4, 0};
    case OpKind::kDiv:
    case OpKind::kSqrt:
    case OpKind::kRsqrt:
    case OpKind::kReciprocal: return {1, 0.6};
    case OpKind::kReshape:
    case OpKind::kIdentity:
    case OpKind::kShape: return {0, 0};
    case OpKind::kCopy:
    case OpKind::kConcatenation:
    case OpKind::kSlice:
    case OpKind::kPad:
    case OpKind::kTranspose:
    case OpKind::kEmbedding:
    case OpKind::kGather: return {0.3, 0};
    default: return {1.2, 0};
  }
}

// Energy of a multiply-accumulate and how many go at once, against fp32.
struct TypeFactors {
  double energy = 1;
  double speed = 1;
};

TypeFactors factors_of(DataType type, int weight_bits) {
  if (weight_bits == 4) return {0.52, 1.7};  // unpacked before they are multiplied
  switch (type) {
    case DataType::kFloat16:
    case DataType::kBfloat16: return {0.46, 1.9};
    case DataType::kInt8:
    case DataType::kUint8: return {0.24, 3.4};
    case DataType::kInt16: return {0.5, 1.8};
    default: return {};
  }
}

double round_up(double value, double to) {
  return std::ceil(value / to) * to;
}

// What the algorithm chosen for the op does.
struct Work {
  double macs = 0;
  double efficiency = 1;  // of the arithmetic units
  double simple = 0, special = 0;
  double reads = 0;  // bytes beside the tensors themselves: unfolded patches, transforms, re-read panels
};

Work matrix_work(double batch, double m, double n, double k, double element_bytes, bool switches) {
  Work work;
  if (!switches) {
    work.macs = batch * m * n * k;
    return work;
  }
  if (m < 4) {  // vector times matrix: no tiles, bound by reading the matrix
    work.macs = batch * m * n * k;
    work.efficiency = 0.45;
  } else if (m * n * k < 32.0 * 32 * 32) {  // a kernel that does not pack
    work.macs = batch * round_up(m, 4) * round_up(n, 4) * k;
    work.efficiency = 0.4;
  } else {
    work.macs = batch * round_up(m, 4) * round_up(n, 8) * k;
    work.efficiency = 0.9 * k / (k + 24);
    const double panels = std::ceil(n / 256);
    work.reads = batch * element_bytes * (m * k * std::max(0.0, panels - 1) + m * k + n * k);
  }
  return work;
}

Work convolution_work(const LawOp& op, double element_bytes, bool switches) {
  const double positions = op.batch * op.out_h * op.out_w;
  const double area = op.kernel_h * op.kernel_w;
  const double in_group = op.in_c / op.groups, out_group = op.out_c / op.groups;
  Work work;
  work.macs = positions * op.out_c * in_group * area;
  if (!switches) return work;
  if (in_group == 1 && op.groups > 1) {  // depthwise, direct
    work.efficiency = op.stride > 1 ? 0.14 : 0.2;
    work.reads = 0.5 * positions * op.out_c * op.kernel_h * element_bytes;
    return work;
  }
  const bool pointwise = area == 1 && op.stride == 1;
  if (op.kernel_h == 3 && op.kernel_w == 3 && op.stride == 1 && op.dilation == 1 && in_group >= 32 && out_group >= 32 &&
      op.out_h * op.out_w >= 64) {  // Winograd, tiles of 4 x 4 outputs
    const double tiles = op.batch * std::ceil(op.out_h / 4) * std::ceil(op.out_w / 4);
    work.macs = tiles * 36 * op.in_c * out_group;
    work.simple = tiles * (144 * op.in_c + 100 * op.out_c);
    work.reads = tiles * 36 * (op.in_c + op.out_c) * element_bytes;
    work.efficiency = 0.75;
    return work;
  }
  work = matrix_work(op.groups, positions, out_group, in_group * area, element_bytes, true);
  if (!pointwise) work.reads += 2 * positions * op.groups * in_group * area * element_bytes;
  return work;
}

Work work_of(const LawOp& op, bool switches) {
  const double element_bytes = std::max(0.5, bits_of(op.type) / 8.0);
  switch (family_of(op.kind)) {
    case Family::kMatrix: return matrix_work(op.batch, op.m, op.n, op.k, element_bytes, switches);
    case Family::kConvolution: return convolution_work(op, element_bytes, switches);
    case Family::kAttention: {
      const double value_k = op.value_k > 0 ? op.value_k : op.k;
      Work work = matrix_work(op.batch, op.m, op.n, op.k + value_k, element_bytes, switches);
      const double scores = op.batch * op.m * op.n;
      const ElementWork softmax = element_work(OpKind::kSoftmax);
      work.simple += scores * softmax.simple;
      work.special += scores * softmax.special;
      return work;
    }
    case Family::kElements: {
      const ElementWork each = element_work(op.kind);
      const double elements = std::max(op.elements_in, op.elements_out);
      Work work;
      work.simple = each.simple * elements;
      work.special = each.special * elements;
      return work;
    }
  }
  return {};
}

// 0 far below, 1 far above, a step about an octave wide.
double soft_step(double ratio) {
  const double r4 = ratio * ratio * ratio * ratio;
  return r4 / (1 + r4);
}

double soft_maximum(double a, double b) {
  return std::pow(a * a * a + b * b * b, 1.0 / 3);
}

// A few per cent that depend on the shape alone.
double texture_of(const LawOp& op, std::uint64_t seed) {
  std::seed_seq mixed{static_cast<std::uint32_t>(seed),
                      static_cast<std::uint32_t>(seed >> 32),
                      static_cast<std::uint32_t>(op.kind),
                      static_cast<std::uint32_t>(op.elements_in),
                      static_cast<std::uint32_t>(op.elements_out),
                      static_cast<std::uint32_t>(op.weight_bytes),
                      static_cast<std::uint32_t>(op.input_bytes)};
  std::mt19937 random;
  random.seed(mixed);
  constexpr double kWidth = 0.03;
  return 1 + kWidth * (2 * static_cast<double>(random()) / static_cast<double>(std::mt19937::max()) - 1);
}

}  // namespace

Cost Law::cost(const LawOp& op, std::size_t engine, std::size_t point) const {
  const LawEngine& e = engines[engine];
  const Work work = work_of(op, behaviour.switches);
  const bool arithmetic = family_of(op.kind) != Family::kElements;
  const TypeFactors type = arithmetic ? factors_of(op.type, op.weight_bits) : TypeFactors{};
  const double tensor_bytes = op.input_bytes + op.output_bytes + op.weight_bytes;
  const double cache_bytes = tensor_bytes + work.reads;

  double memory_bytes = 0;
  if (behaviour.cache) {
    const double beyond = soft_step(tensor_bytes / e.last_level_bytes);
    memory_bytes = beyond * (tensor_bytes + 0.25 * work.reads);
    if (behaviour.residency && op.model_weight_bytes > 0) {
      const double cold = soft_step(op.model_weight_bytes / e.last_level_bytes);
      memory_bytes += std::max(0.0, cold - beyond) * op.weight_bytes;
    }
  }

  // More threads than one: they share the caches and the memory, and wait for each other.
  const double threads = std::clamp(op.threads, 1, e.threads);
  const double useful = arithmetic ? std::pow(threads, behaviour.overlap ? 0.88 : 1.0) : std::pow(threads, 0.6);
  const double launch_s = e.launch_us * kMicro * (1 + 0.5 * (threads - 1));
  const double compute_s = work.macs / (kGiga * e.gmacs_per_s * type.speed * work.efficiency * useful) +
                           (work.simple + 4 * work.special) / (kGiga * e.gmacs_per_s * 0.5 * useful);
  const double cache_s = cache_bytes / (kGiga * e.gbytes_per_s * std::pow(threads, 0.7));
  const double memory_s = memory_bytes / (kGiga * memory.gbytes_per_s);

  Cost cost;
  const LawPoint& at = points[point];
  const LawPoint& first = points.front();
  const bool on_gpu = e.kind == "gpu";
  const auto ratio = [](double value, double of) { return value > 0 && of > 0 ? value / of : 1.0; };
  const double clock = on_gpu ? ratio(at.gpu_mhz, first.gpu_mhz) : ratio(at.cpu_mhz, first.cpu_mhz);
  const double memory_clock = ratio(at.memory_mhz, first.memory_mhz);
  const double volts = ratio(at.millivolts, first.millivolts);
  const double core_s = compute_s / clock + cache_s / clock;
  cost.seconds = launch_s / clock +
                 (behaviour.overlap ? soft_maximum(core_s, memory_s / memory_clock) : core_s + memory_s / memory_clock);

  const double wasted = arithmetic && behaviour.switches ? 1 + 0.15 * (1 / work.efficiency - 1) : 1;
  const double dynamic = e.launch_uj * kMicro * (1 + 0.3 * (threads - 1)) +
                         kPico * (e.pj_mac * type.energy * work.macs * wasted + e.pj_byte * cache_bytes +
                                  e.pj_element * work.simple + e.pj_special * work.special);
  cost.engine_joules = dynamic * volts * volts + e.on_w * volts * cost.seconds * (0.6 + 0.4 * threads);
  cost.memory_joules = kPico * memory.pj_byte * memory_bytes;
  const double texture = behaviour.texture ? texture_of(op, texture_seed) : 1.0;
  cost.engine_joules *= texture * op.repeats;
  cost.memory_joules *= op.repeats;
  cost.seconds *= op.repeats * (1 + 0.5 * (texture - 1));
  return cost;
}

void Law::randomise(std::uint64_t seed, double spread) {
  std::seed_seq mixed{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32), 7U};
  std::mt19937_64 random(mixed);
  const auto vary = [&](double& value) {
    const double share = static_cast<double>(random() >> 11) / 9007199254740992.0;
    value *= 1 + spread * (2 * share - 1);
  };
  for (LawEngine& engine : engines) {
    for (double* value : {&engine.gmacs_per_s, &engine.gbytes_per_s, &engine.pj_mac, &engine.pj_byte,
                          &engine.pj_element, &engine.pj_special, &engine.launch_us, &engine.launch_uj, &engine.on_w,
                          &engine.idle_w, &engine.gated_w, &engine.wake_uj}) {
      vary(*value);
    }
  }
  for (double* value : {&memory.gbytes_per_s, &memory.pj_byte, &memory.idle_w}) vary(*value);
  texture_seed = seed;
}

}  // namespace edgejoule::emulated_board
