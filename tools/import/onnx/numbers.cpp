#include "import/onnx/numbers.h"

#include <algorithm>
#include <cmath>

namespace edgejoule::import {

std::int64_t to_integer(double number) {
  constexpr double kLimit = 4.0e18;
  if (std::isnan(number)) return 0;
  return static_cast<std::int64_t>(std::clamp(number, -kLimit, kLimit));
}

bool is_integer_type(DataType type) {
  switch (type) {
    case DataType::kFloat32:
    case DataType::kFloat16:
    case DataType::kBfloat16:
    case DataType::kFloat64:
    case DataType::kFloat8: return false;
    default: return true;
  }
}

std::optional<double> calculate(OpKind kind, double a, double b, bool integers) {
  switch (kind) {
    case OpKind::kAdd:
    case OpKind::kAddN: return a + b;
    case OpKind::kSub: return a - b;
    case OpKind::kMul: return a * b;
    case OpKind::kDiv:
      if (b == 0) return std::nullopt;
      return integers ? std::trunc(a / b) : a / b;
    case OpKind::kModulo:
      if (b == 0) return std::nullopt;
      return a - b * std::floor(a / b);
    case OpKind::kMinimum: return std::min(a, b);
    case OpKind::kMaximum: return std::max(a, b);
    case OpKind::kPow: return std::pow(a, b);
    default: return std::nullopt;
  }
}

std::optional<double> compare(std::string_view op, double a, double b) {
  if (op == "Equal") return a == b ? 1.0 : 0.0;
  if (op == "Greater") return a > b ? 1.0 : 0.0;
  if (op == "GreaterOrEqual") return a >= b ? 1.0 : 0.0;
  if (op == "Less") return a < b ? 1.0 : 0.0;
  if (op == "LessOrEqual") return a <= b ? 1.0 : 0.0;
  if (op == "And") return a != 0 && b != 0 ? 1.0 : 0.0;
  if (op == "Or") return a != 0 || b != 0 ? 1.0 : 0.0;
  return std::nullopt;
}

std::optional<double> calculate(std::string_view op, double a) {
  if (op == "Floor") return std::floor(a);
  if (op == "Ceil") return std::ceil(a);
  if (op == "Round") return std::nearbyint(a);
  if (op == "Neg") return -a;
  if (op == "Abs") return std::abs(a);
  if (op == "Sqrt" && a >= 0) return std::sqrt(a);
  if (op == "Not") return a == 0 ? 1.0 : 0.0;
  return std::nullopt;
}

}  // namespace edgejoule::import
