#include "edgejoule/core/facts.h"

#include "work.h"

namespace edgejoule {
namespace {

// One execution as `groups` products; false where groups do not divide the channels.
bool view_convolution(bool transposed, const Facts& f, OpQuantities& op) noexcept {
  MatrixView& view = op.matrix;
  view.batch = f[Fact::kGroups];
  if (view.batch == 0) {
    return false;
  }
  view.n = quotient(f[Fact::kOutC], view.batch);
  view.k = quotient(f[Fact::kInC], view.batch);
  const bool divides = view.n * view.batch == f[Fact::kOutC] && view.k * view.batch == f[Fact::kInC];
  view.m = op.out_positions;
  std::uint64_t* with_kernel = &view.k;
  if (transposed) {
    view.m = product<Fact::kBatch, Fact::kInH, Fact::kInW, Fact::kInD>(f);
    with_kernel = &view.n;
  }
  *with_kernel = times(*with_kernel, op.kernel_volume);
  return divides;
}

EDGEJOULE_INLINE_ON_64_BIT std::uint64_t element_work(const Facts& f, Fact per_input, Fact per_output,
                                                      Fact stated) noexcept {
  return plus(plus(times(f[per_input], f[Fact::kInputElements]), times(f[per_output], f[Fact::kOutputElements])),
              f[stated]);
}

}  // namespace

#if UINTPTR_MAX <= 0xFFFFFFFFU
std::uint64_t product_of_bytes(const Facts& facts, std::uint32_t numbers_plus_one) noexcept {
  std::uint64_t result = 1;
  for (; numbers_plus_one != 0; numbers_plus_one >>= 8U) {
    result = times(result, facts[static_cast<Fact>((numbers_plus_one & 0xFFU) - 1U)]);
  }
  return result;
}
#endif

Error measure(OpClass op_class, const Facts& f, OpQuantities& op) noexcept {
  op.op_class = op_class;
  op.facts = &f;
  op.kernel_volume = product<Fact::kKernelH, Fact::kKernelW, Fact::kKernelD>(f);
  op.stride_volume = product<Fact::kStrideH, Fact::kStrideW, Fact::kStrideD>(f);
  op.dilation_area = product<Fact::kDilationH, Fact::kDilationW>(f);
  op.out_positions = product<Fact::kBatch, Fact::kOutH, Fact::kOutW, Fact::kOutD>(f);
  op.activation_bytes = plus(f[Fact::kInputBytes], f[Fact::kOutputBytes]);
  op.constant_bytes = plus(f[Fact::kWeightBytes], f[Fact::kScaleBytes]);
  MatrixView& view = op.matrix;
  view = MatrixView{};
  std::uint64_t projection = 0;  // the one part of the counts that the matrix view leaves out
  switch (op_class) {
    case OpClass::kConvolution:
    case OpClass::kTransposedConvolution:
      if (!view_convolution(op_class == OpClass::kTransposedConvolution, f, op)) {
        return Error::kBadRange;
      }
      break;
    case OpClass::kMatrix: view = {f[Fact::kBatch], f[Fact::kRowsM], f[Fact::kColsN], f[Fact::kDepthK]}; break;
    case OpClass::kRecurrent:
      view = {product<Fact::kSteps, Fact::kDirections>(f), f[Fact::kBatch], product<Fact::kGates, Fact::kColsN>(f),
              plus(f[Fact::kDepthK], f[Fact::kRecurrentK])};
      if (f[Fact::kProjection] != 0) {
        projection = times(times(view.batch, view.m), product<Fact::kColsN, Fact::kProjection>(f));
      }
      break;
    case OpClass::kAttention: {
      const Fact value = f[Fact::kValueK] != 0 ? Fact::kValueK : Fact::kDepthK;
      view = {product<Fact::kBatch, Fact::kHeads>(f), f[Fact::kRowsM], f[Fact::kContext],
              plus(f[Fact::kDepthK], f[value])};
      break;
    }
    default:  // no MACs by formula; also classes newer than this build
      break;
  }
  // A product with a factor of zero is zero, even where the rest does not fit.
  const std::uint64_t macs = times(times(view.batch, view.m), times(view.n, view.k));
  op.work.macs = plus(plus(macs, projection), f[Fact::kStatedMacs]);
  op.work.alu_ops = element_work(f, Fact::kAluPerInput, Fact::kAluPerOutput, Fact::kStatedAlu);
  op.work.special_ops = element_work(f, Fact::kSpecialPerInput, Fact::kSpecialPerOutput, Fact::kStatedSpecial);
  bool all_fit = plus(op.activation_bytes, op.constant_bytes) != kTooMany;  // tensor_bytes
  for (std::size_t word = kFirstCount; word <= kLastCount; ++word) {
    all_fit &= count_at(op, word) != kTooMany;
  }
  return all_fit ? Error{} : Error::kOverflow;
}

void repeat(WorkCounts& work, std::uint64_t repeats) noexcept {
  work.macs = times(work.macs, repeats);
  work.alu_ops = times(work.alu_ops, repeats);
  work.special_ops = times(work.special_ops, repeats);
}

bool fits(const WorkCounts& work) noexcept {
  return work.macs != kTooMany && work.alu_ops != kTooMany && work.special_ops != kTooMany;
}

Result<OpQuantities> measure_op(OpClass op_class, const Facts& facts) noexcept {
  OpQuantities op;
  if (const Error error = measure(op_class, facts, op); error != Error{}) {
    return error;
  }
  return op;
}

Result<WorkCounts> count_once(OpClass op_class, const Facts& facts) noexcept {
  const Result<OpQuantities> op = measure_op(op_class, facts);
  if (!op) {
    return op.error();
  }
  return op->work;
}

Result<WorkCounts> count_work(OpClass op_class, const Facts& facts) noexcept {
  Result<WorkCounts> work = count_once(op_class, facts);
  if (work) {
    repeat(*work, facts[Fact::kRepeats]);
    if (!fits(*work)) {
      return Error::kOverflow;
    }
  }
  return work;
}

Result<MatrixView> matrix_view(OpClass op_class, const Facts& facts) noexcept {
  const Result<OpQuantities> op = measure_op(op_class, facts);
  if (!op) {
    return op.error();
  }
  return op->matrix;
}

}  // namespace edgejoule
