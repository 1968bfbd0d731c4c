#include "graph/transistor_ops.h"

#include <bit>

namespace edgejoule::graph {
namespace {

constexpr std::uint64_t kHalfAdder = 14;
constexpr std::uint64_t kMultiplexer = 10;       // AOI22 and inverter; the inverted select is shared by a row
constexpr std::uint64_t kPassMultiplexer = 4;    // two transmission gates
constexpr std::uint64_t kLeadingZeroPerBit = 8;  // AND of the prefix, inverter

struct FloatFormat {
  std::uint32_t exponent = 0;
  std::uint32_t mantissa = 0;  // with the hidden bit
};

// n bits, log2(n) stages, one multiplexer each.
constexpr std::uint64_t barrel_shifter(std::uint32_t bits) {
  return kMultiplexer * bits * static_cast<std::uint32_t>(std::bit_width(bits - 1));
}

// Exponent difference, swap of the mantissas, alignment, addition, leading zeros,
// normalisation, exponent correction, rounding. Guard, round and sticky bits make
// the inner width three more: fp32 4606.
constexpr std::uint64_t float_add(FloatFormat f) {
  const std::uint32_t inner = f.mantissa + 3;
  return 2 * adder_transistors(f.exponent) + 2 * kPassMultiplexer * f.mantissa + 2 * barrel_shifter(inner) +
         adder_transistors(inner) + kLeadingZeroPerBit * inner + kHalfAdder * f.mantissa;
}

// Mantissa product, exponents added and the bias taken off, one step of
// normalisation, rounding: fp32 19572.
constexpr std::uint64_t float_multiply(FloatFormat f) {
  return multiplier_transistors(f.mantissa) + 2 * adder_transistors(f.exponent) + kMultiplexer * f.mantissa +
         kHalfAdder * f.mantissa;
}

// Newton-Raphson and polynomials in terms of fused multiply-adds (METHODS, section 3).
// A seed is one integer operation on the bits of the number.
constexpr std::uint64_t kDivideSteps = 5;
constexpr std::uint64_t kRootSteps = 7;
constexpr std::uint64_t kExponentialSteps = 10;

constexpr void add_special(TransistorCost& cost, std::uint64_t step, std::uint64_t integer_op) {
  cost.divide = integer_op + kDivideSteps * step;
  cost.square_root = integer_op + kRootSteps * step;
  cost.exponential = 2 * integer_op + kExponentialSteps * step;
}

constexpr TransistorCost float_cost(std::uint32_t bits, FloatFormat format, FloatFormat accumulator) {
  TransistorCost cost;
  cost.add = float_add(format);
  cost.multiply = float_multiply(format);
  cost.compare = adder_transistors(bits);  // sign and magnitude compare as integers
  cost.multiply_accumulate = cost.multiply + float_add(accumulator);
  add_special(cost, cost.multiply + cost.add, adder_transistors(bits));
  return cost;
}

// Products go into a wide accumulator. Special functions of narrow integers are
// computed in 32-bit fixed point, as integer kernels without look-up tables do.
constexpr TransistorCost integer_cost(std::uint32_t bits) {
  const std::uint32_t accumulator = bits > 32 ? bits : 32;
  TransistorCost cost;
  cost.add = adder_transistors(bits);
  cost.multiply = multiplier_transistors(bits);
  cost.compare = cost.add;
  cost.multiply_accumulate = cost.multiply + adder_transistors(accumulator);
  add_special(cost, multiplier_transistors(accumulator) + adder_transistors(accumulator),
              adder_transistors(accumulator));
  return cost;
}

// A complex product is four real products and two sums.
constexpr TransistorCost complex_cost(const TransistorCost& real) {
  TransistorCost cost;
  cost.add = 2 * real.add;
  cost.multiply = 4 * real.multiply + 2 * real.add;
  cost.compare = 2 * real.compare;
  cost.multiply_accumulate = cost.multiply + cost.add;
  add_special(cost, cost.multiply + cost.add, 2 * real.compare);
  return cost;
}

constexpr FloatFormat kDouble{.exponent = 11, .mantissa = 53};
constexpr FloatFormat kSingle{.exponent = 8, .mantissa = 24};
constexpr FloatFormat kHalf{.exponent = 5, .mantissa = 11};
constexpr FloatFormat kBrain{.exponent = 8, .mantissa = 8};
constexpr FloatFormat kQuarter{.exponent = 4, .mantissa = 4};

}  // namespace

TransistorCost transistor_cost(DataType type) {
  switch (type) {
    case DataType::kFloat64: return float_cost(64, kDouble, kDouble);
    case DataType::kFloat32: return float_cost(32, kSingle, kSingle);
    case DataType::kFloat16: return float_cost(16, kHalf, kHalf);
    case DataType::kBfloat16: return float_cost(16, kBrain, kSingle);  // Arm BFDOT and GPUs add in fp32
    case DataType::kFloat8: return float_cost(8, kQuarter, kSingle);
    case DataType::kComplex64: return complex_cost(float_cost(32, kSingle, kSingle));
    case DataType::kInt4:
    case DataType::kUint4:
    case DataType::kInt8:
    case DataType::kUint8:
    case DataType::kBoolean:
    case DataType::kInt16:
    case DataType::kUint16:
    case DataType::kInt32:
    case DataType::kUint32:
    case DataType::kInt64:
    case DataType::kUint64: return integer_cost(bits_of(type));
    case DataType::kUnknown:
    case DataType::kString: return {};
  }
  return {};
}

std::uint64_t transistor_ops(const ScalarWork& work, const TransistorCost& cost) {
  return work.add * cost.add + work.multiply * cost.multiply + work.compare * cost.compare + work.divide * cost.divide +
         work.square_root * cost.square_root + work.exponential * cost.exponential;
}

}  // namespace edgejoule::graph
