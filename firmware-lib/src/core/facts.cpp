#include "edgejoule/core/facts.h"

#include "work.h"

namespace edgejoule {
namespace {

std::uint64_t per_group(std::uint64_t channels, std::uint64_t groups) noexcept {
  return groups == 1 ? channels : quotient(channels, groups);
}

std::uint64_t value_depth(const Facts& f) noexcept {
  return f[Fact::kValueK] != 0 ? f[Fact::kValueK] : f[Fact::kDepthK];
}

// A product with a factor of zero is zero, even where the rest would overflow; the
// projection is the one part of the counts that the matrix view leaves out.
std::uint64_t macs_of(const MatrixView& view, Checked& exact) noexcept {
  if (view.batch == 0 || view.m == 0 || view.n == 0 || view.k == 0) {
    return 0;
  }
  return exact.mul(exact.mul(view.batch, view.m), exact.mul(view.n, view.k));
}

}  // namespace

bool groups_divide_channels(OpClass op_class, const Facts& f) noexcept {
  const std::uint64_t groups = f[Fact::kGroups];
  if (groups == 1 || (op_class != OpClass::kConvolution && op_class != OpClass::kTransposedConvolution)) {
    return true;
  }
  if (groups == 0) {
    return false;
  }
  const auto is_multiple = [groups](std::uint64_t channels) { return quotient(channels, groups) * groups == channels; };
  return is_multiple(f[Fact::kInC]) && is_multiple(f[Fact::kOutC]);
}

MatrixView view_of(OpClass op_class, const Facts& f, Checked& exact) noexcept {
  MatrixView view;
  const auto kernel_volume = [&] { return exact.mul(f[Fact::kKernelH], f[Fact::kKernelW], f[Fact::kKernelD]); };
  switch (op_class) {
    case OpClass::kConvolution:
      view.batch = f[Fact::kGroups];
      view.m = exact.mul(f[Fact::kBatch], exact.mul(f[Fact::kOutH], f[Fact::kOutW], f[Fact::kOutD]));
      view.n = per_group(f[Fact::kOutC], view.batch);
      view.k = exact.mul(per_group(f[Fact::kInC], view.batch), kernel_volume());
      break;
    case OpClass::kTransposedConvolution:
      view.batch = f[Fact::kGroups];
      view.m = exact.mul(f[Fact::kBatch], exact.mul(f[Fact::kInH], f[Fact::kInW], f[Fact::kInD]));
      view.n = exact.mul(per_group(f[Fact::kOutC], view.batch), kernel_volume());
      view.k = per_group(f[Fact::kInC], view.batch);
      break;
    case OpClass::kMatrix: view = {f[Fact::kBatch], f[Fact::kRowsM], f[Fact::kColsN], f[Fact::kDepthK]}; break;
    case OpClass::kRecurrent:
      view.batch = exact.mul(f[Fact::kSteps], f[Fact::kDirections]);
      view.m = f[Fact::kBatch];
      view.n = exact.mul(f[Fact::kGates], f[Fact::kColsN]);
      view.k = exact.add(f[Fact::kDepthK], f[Fact::kRecurrentK]);
      break;
    case OpClass::kAttention:
      view.batch = exact.mul(f[Fact::kBatch], f[Fact::kHeads]);
      view.m = f[Fact::kRowsM];
      view.n = f[Fact::kContext];
      view.k = exact.add(f[Fact::kDepthK], value_depth(f));
      break;
    default:  // no MACs by formula; also classes newer than this build
      break;
  }
  return view;
}

WorkCounts counts_of(OpClass op_class, const Facts& facts, const MatrixView& view, Checked& exact) noexcept {
  WorkCounts work;
  work.macs = macs_of(view, exact);
  if (op_class == OpClass::kRecurrent && facts[Fact::kProjection] != 0) {
    const std::uint64_t executions = exact.mul(facts[Fact::kBatch], facts[Fact::kSteps], facts[Fact::kDirections]);
    work.macs = exact.add(work.macs, exact.mul(executions, facts[Fact::kColsN], facts[Fact::kProjection]));
  }
  work.macs = exact.add(work.macs, facts[Fact::kStatedMacs]);
  const auto element_work = [&](Fact per_input, Fact per_output, Fact stated) {
    return exact.add(exact.add(exact.mul(facts[per_input], facts[Fact::kInputElements]),
                               exact.mul(facts[per_output], facts[Fact::kOutputElements])),
                     facts[stated]);
  };
  work.alu_ops = element_work(Fact::kAluPerInput, Fact::kAluPerOutput, Fact::kStatedAlu);
  work.special_ops = element_work(Fact::kSpecialPerInput, Fact::kSpecialPerOutput, Fact::kStatedSpecial);
  return work;
}

void repeat(WorkCounts& work, std::uint64_t repeats, Checked& exact) noexcept {
  work.macs = exact.mul(work.macs, repeats);
  work.alu_ops = exact.mul(work.alu_ops, repeats);
  work.special_ops = exact.mul(work.special_ops, repeats);
}

Result<WorkCounts> count_once(OpClass op_class, const Facts& facts) noexcept {
  if (!groups_divide_channels(op_class, facts)) {
    return Error::kBadRange;
  }
  Checked exact;
  const WorkCounts work = counts_of(op_class, facts, view_of(op_class, facts, exact), exact);
  if (exact.overflowed()) {
    return Error::kOverflow;
  }
  return work;
}

Result<WorkCounts> count_work(OpClass op_class, const Facts& facts) noexcept {
  Result<WorkCounts> once = count_once(op_class, facts);
  if (!once) {
    return once;
  }
  Checked exact;
  WorkCounts work = *once;
  repeat(work, facts[Fact::kRepeats], exact);
  if (exact.overflowed()) {
    return Error::kOverflow;
  }
  return work;
}

Result<MatrixView> matrix_view(OpClass op_class, const Facts& facts) noexcept {
  if (!groups_divide_channels(op_class, facts)) {
    return Error::kBadRange;
  }
  Checked exact;
  const MatrixView view = view_of(op_class, facts, exact);
  if (exact.overflowed()) {
    return Error::kOverflow;
  }
  return view;
}

}  // namespace edgejoule
