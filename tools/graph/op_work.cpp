#include "graph/op_work.h"

namespace edgejoule::graph {
namespace {

constexpr ScalarWork kOneAdd{.add = 1};
constexpr ScalarWork kOneMultiply{.multiply = 1};
constexpr ScalarWork kOneCompare{.compare = 1};
constexpr ScalarWork kTwoCompares{.compare = 2};
constexpr ScalarWork kOneDivide{.divide = 1};
constexpr ScalarWork kOneExponential{.exponential = 1};
// 1 / (1 + exp(-x))
constexpr ScalarWork kSigmoidWork{.add = 1, .divide = 1, .exponential = 1};
// 1 - 2 / (exp(2x) + 1)
constexpr ScalarWork kTanhWork{.add = 2, .multiply = 1, .divide = 1, .exponential = 1};
// log(1 + exp(x))
constexpr ScalarWork kSoftplusWork{.add = 1, .exponential = 2};

constexpr OpWork of_output(ScalarWork work) {
  return {.per_input = {}, .per_output = work, .per_row = {}};
}
constexpr OpWork of_input(ScalarWork work) {
  return {.per_input = work, .per_output = {}, .per_row = {}};
}
constexpr OpWork of_rows(ScalarWork per_input, ScalarWork per_row) {
  return {.per_input = per_input, .per_output = {}, .per_row = per_row};
}

}  // namespace

OpWork work_of(OpKind kind) {
  switch (kind) {
    // One operation per output element.
    case OpKind::kAdd:
    case OpKind::kSub:
    case OpKind::kNeg:
    case OpKind::kAbs:
    case OpKind::kFloor:
    case OpKind::kRound:
    case OpKind::kSign:
    case OpKind::kBitwise:
    case OpKind::kLogical: return of_output(kOneAdd);
    case OpKind::kMul:
    case OpKind::kSquare: return of_output(kOneMultiply);
    case OpKind::kMinimum:
    case OpKind::kMaximum:
    case OpKind::kCompare:
    case OpKind::kSelect:
    case OpKind::kWhere: return of_output(kOneCompare);
    case OpKind::kDiv:
    case OpKind::kReciprocal: return of_output(kOneDivide);
    case OpKind::kSqrt:
    case OpKind::kRsqrt: return of_output({.square_root = 1});
    case OpKind::kExp:
    case OpKind::kLog:
    case OpKind::kSin:
    case OpKind::kCos: return of_output(kOneExponential);
    case OpKind::kSquaredDifference: return of_output({.add = 1, .multiply = 1});
    case OpKind::kModulo: return of_output({.add = 1, .multiply = 1, .divide = 1});  // a - floor(a/b)*b
    case OpKind::kPow:
      return of_output({.multiply = 1, .exponential = 2});  // exp(b*log(a))
    // Abramowitz and Stegun 7.1.26: t = 1/(1+px), five terms in t, times exp(-x^2)
    case OpKind::kErf: return of_output({.add = 6, .multiply = 8, .divide = 1, .exponential = 1});

    // Activations.
    case OpKind::kRelu: return of_output(kOneCompare);
    case OpKind::kRelu6:
    case OpKind::kRelu0To1:
    case OpKind::kReluN1To1:
    case OpKind::kClip: return of_output(kTwoCompares);
    case OpKind::kLeakyRelu:
    case OpKind::kPrelu: return of_output({.multiply = 1, .compare = 1});
    case OpKind::kElu: return of_output({.add = 1, .compare = 1, .exponential = 1});  // x > 0 ? x : exp(x) - 1
    case OpKind::kSigmoid: return of_output(kSigmoidWork);
    case OpKind::kTanh: return of_output(kTanhWork);
    case OpKind::kHardSigmoid: return of_output({.add = 1, .multiply = 1, .compare = 2});
    case OpKind::kHardSwish: return of_output({.add = 1, .multiply = 2, .compare = 2});  // x * relu6(x+3) * (1/6)
    case OpKind::kSilu: return of_output(kSigmoidWork + kOneMultiply);
    case OpKind::kGelu: return of_output(kTanhWork + ScalarWork{.add = 2, .multiply = 2});
    case OpKind::kSoftplus: return of_output(kSoftplusWork);
    case OpKind::kMish: return of_output(kSoftplusWork + kTanhWork + kOneMultiply);

    // Compare (row maximum), subtract, exp, add (row sum), multiply; one reciprocal per row.
    case OpKind::kSoftmax: return of_rows({.add = 2, .multiply = 1, .compare = 1, .exponential = 1}, kOneDivide);
    // Compare, subtract, exp, add, subtract; one logarithm per row.
    case OpKind::kLogSoftmax: return of_rows({.add = 3, .compare = 1, .exponential = 1}, kOneExponential);
    // Sum, centre, square, sum of squares, scale, gain, bias; per row two means and one rsqrt.
    case OpKind::kLayerNorm:
    case OpKind::kInstanceNorm:
    case OpKind::kGroupNorm: return of_rows({.add = 4, .multiply = 3}, {.add = 1, .multiply = 2, .square_root = 1});
    case OpKind::kBatchNorm:
      return of_input({.add = 1, .multiply = 1});  // folded to gain and bias
    // Square, sum, scale, gain; per row one mean and one rsqrt.
    case OpKind::kRmsNorm: return of_rows({.add = 1, .multiply = 3}, {.add = 1, .multiply = 1, .square_root = 1});
    case OpKind::kL2Norm: return of_rows({.add = 1, .multiply = 2}, {.compare = 1, .square_root = 1});
    // x * (k + alpha*sum)^-beta; squares and a running window sum (one in, one out).
    case OpKind::kLocalResponseNorm: return of_input({.add = 3, .multiply = 4, .exponential = 2});

    // Reductions: each input element is met once.
    case OpKind::kSum:
    case OpKind::kCumsum:
    case OpKind::kReduceLogical: return of_input(kOneAdd);
    case OpKind::kMean:
    case OpKind::kGlobalAveragePool:
      return {.per_input = kOneAdd, .per_output = kOneMultiply, .per_row = {}};  // count is constant: times 1/n
    case OpKind::kReduceProd: return of_input(kOneMultiply);
    case OpKind::kReduceMax:
    case OpKind::kReduceMin:
    case OpKind::kGlobalMaxPool:
    case OpKind::kArgMax:
    case OpKind::kArgMin:
    case OpKind::kTopK: return of_input(kOneCompare);

    // Pooling: what is left after the window (ops.cpp adds the window).
    case OpKind::kAveragePool2d: return of_output(kOneMultiply);
    case OpKind::kL2Pool2d: return of_output({.multiply = 1, .square_root = 1});

    // Data that changes while it moves.
    case OpKind::kQuantize:
      return of_output({.add = 2, .multiply = 1, .compare = 2});  // scale, zero point, round, clamp
    case OpKind::kDequantize: return of_output({.add = 1, .multiply = 1});
    case OpKind::kCast: return of_output(kOneAdd);
    case OpKind::kOneHot: return of_output(kOneCompare);
    case OpKind::kResizeBilinear: return of_output({.add = 6, .multiply = 3});  // three of a + (b - a)*t
    case OpKind::kResizeCubic: return of_output({.add = 15, .multiply = 20});   // five rows of four taps
    default: return {};  // no element work, or none that a formula gives
  }
}

}  // namespace edgejoule::graph
