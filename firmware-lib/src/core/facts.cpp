#include "edgejoule/core/facts.h"

#include "work.h"

namespace edgejoule {
namespace {

// A side of a class's matrix product: the facts it multiplies, kNothing ending the list.
constexpr std::uint8_t kNothing = 255;
constexpr std::uint8_t kPerGroup = 128;  // added to a fact: divided by the groups
constexpr std::uint8_t of(Fact fact) noexcept {
  return static_cast<std::uint8_t>(fact);
}
constexpr std::uint8_t per_group(Fact fact) noexcept {
  return static_cast<std::uint8_t>(of(fact) + kPerGroup);
}

constexpr std::size_t kSides = 4;  // batch, m, n, k
constexpr std::size_t kFactors = 4;
struct ClassProduct {
  OpClass op_class;
  std::uint8_t factors[kSides][kFactors];
};
// clang-format off
constexpr ClassProduct kProducts[] = {
    {OpClass::kConvolution, {
        {of(Fact::kGroups), kNothing, kNothing, kNothing},
        {of(Fact::kBatch), of(Fact::kOutH), of(Fact::kOutW), of(Fact::kOutD)},
        {per_group(Fact::kOutC), kNothing, kNothing, kNothing},
        {per_group(Fact::kInC), of(Fact::kKernelH), of(Fact::kKernelW), of(Fact::kKernelD)}}},
    {OpClass::kTransposedConvolution, {
        {of(Fact::kGroups), kNothing, kNothing, kNothing},
        {of(Fact::kBatch), of(Fact::kInH), of(Fact::kInW), of(Fact::kInD)},
        {per_group(Fact::kOutC), of(Fact::kKernelH), of(Fact::kKernelW), of(Fact::kKernelD)},
        {per_group(Fact::kInC), kNothing, kNothing, kNothing}}},
    {OpClass::kMatrix, {
        {of(Fact::kBatch), kNothing, kNothing, kNothing},
        {of(Fact::kRowsM), kNothing, kNothing, kNothing},
        {of(Fact::kColsN), kNothing, kNothing, kNothing},
        {of(Fact::kDepthK), kNothing, kNothing, kNothing}}},
    {OpClass::kRecurrent, {  // k: and recurrent_k
        {of(Fact::kSteps), of(Fact::kDirections), kNothing, kNothing},
        {of(Fact::kBatch), kNothing, kNothing, kNothing},
        {of(Fact::kGates), of(Fact::kColsN), kNothing, kNothing},
        {of(Fact::kDepthK), kNothing, kNothing, kNothing}}},
    {OpClass::kAttention, {  // k: and value_k
        {of(Fact::kBatch), of(Fact::kHeads), kNothing, kNothing},
        {of(Fact::kRowsM), kNothing, kNothing, kNothing},
        {of(Fact::kContext), kNothing, kNothing, kNothing},
        {of(Fact::kDepthK), kNothing, kNothing, kNothing}}},
};
// clang-format on

std::uint64_t side_of(const std::uint8_t (&factors)[kFactors], const Facts& facts, Checked& exact) noexcept {
  std::uint64_t product = 1;
  for (const std::uint8_t factor : factors) {
    if (factor == kNothing) {
      break;
    }
    std::uint64_t value = facts[static_cast<Fact>(factor % kPerGroup)];
    if (factor >= kPerGroup && facts[Fact::kGroups] != 1) {
      value = quotient(value, facts[Fact::kGroups]);
    }
    product = exact.mul(product, value);
  }
  return product;
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

MatrixView view_of(OpClass op_class, const Facts& facts, Checked& exact) noexcept {
  for (const ClassProduct& product : kProducts) {
    if (product.op_class != op_class) {
      continue;
    }
    MatrixView view{side_of(product.factors[0], facts, exact), side_of(product.factors[1], facts, exact),
                    side_of(product.factors[2], facts, exact), side_of(product.factors[3], facts, exact)};
    if (op_class == OpClass::kRecurrent) {
      view.k = exact.add(view.k, facts[Fact::kRecurrentK]);
    } else if (op_class == OpClass::kAttention) {
      view.k = exact.add(view.k, facts[Fact::kValueK] != 0 ? facts[Fact::kValueK] : view.k);
    }
    return view;
  }
  return {};  // no MACs by formula; also classes newer than this build
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
