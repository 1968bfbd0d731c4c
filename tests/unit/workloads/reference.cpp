#include "unit/workloads/reference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace edgejoule::test {
namespace {

using workloads::Operands;
using workloads::Workload;
using Values = std::vector<float>;

std::size_t fact(const Workload& workload, Fact which) {
  return static_cast<std::size_t>(workload.op.facts[which]);
}

double to_int8(double value) {
  return std::clamp(std::nearbyint(value), -128.0, 127.0);
}

// Finishes a sum: int8 outputs are rescaled.
double finish(const Workload& workload, const Operands& all, double sum, std::size_t channel) {
  return workload.op.data_type == DataType::kInt8 ? to_int8(sum * all.inputs.back()[channel]) : sum;
}

double bias_of(const Workload& workload, const Operands& all, std::size_t channel) {
  const std::size_t without = workload.op.data_type == DataType::kInt8 ? 3 : 2;
  return all.inputs.size() > without ? all.inputs[2][channel] : 0;
}

std::vector<double> dense(const Workload& workload, const Operands& all) {
  const std::size_t m = fact(workload, Fact::kRowsM) * fact(workload, Fact::kBatch);
  const std::size_t n = fact(workload, Fact::kColsN);
  const std::size_t k = fact(workload, Fact::kDepthK);
  EXPECT_EQ(all.inputs[0].size(), m * k);
  EXPECT_EQ(all.inputs[1].size(), n * k);
  std::vector<double> out;
  for (std::size_t row = 0; row < m; ++row) {
    for (std::size_t column = 0; column < n; ++column) {
      double sum = bias_of(workload, all, column);
      for (std::size_t i = 0; i < k; ++i) sum += double{all.inputs[0][row * k + i]} * all.inputs[1][column * k + i];
      out.push_back(finish(workload, all, sum, column));
    }
  }
  return out;
}

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

double pointwise(OpKind kind, double a, double b) {
  switch (kind) {
    case OpKind::kAdd: return a + b;
    case OpKind::kMul: return a * b;
    case OpKind::kRelu: return std::max(a, 0.0);
    case OpKind::kRelu6: return std::clamp(a, 0.0, 6.0);
    case OpKind::kSigmoid: return sigmoid(a);
    case OpKind::kTanh: return std::tanh(a);
    case OpKind::kSilu: return a * sigmoid(a);
    case OpKind::kHardSwish: return a * std::clamp(a + 3, 0.0, 6.0) / 6;
    case OpKind::kGelu: return a * 0.5 * std::erfc(-a / std::sqrt(2.0));
    default: ADD_FAILURE() << "no reference for " << name_of(kind); return 0;
  }
}

std::vector<double> elements(const Workload& workload, const Operands& all) {
  const bool is_binary = workload.op.op_class == OpClass::kElementwise;
  const bool is_int8 = workload.op.data_type == DataType::kInt8;
  const double scale_a = is_int8 ? all.inputs.back()[0] : 1;
  const double scale_b = is_int8 ? all.inputs.back()[1] : 1;
  std::vector<double> out;
  for (std::size_t i = 0; i < all.inputs[0].size(); ++i) {
    const double b = is_binary ? scale_b * all.inputs[1][i] : 0;
    const double value = pointwise(workload.op.kind, scale_a * all.inputs[0][i], b);
    out.push_back(is_int8 ? to_int8(value) : value);
  }
  return out;
}

// Sums of k products of numbers below 1; an int8 may round the other way.
double tolerance(const Workload& workload) {
  if (workload.op.data_type == DataType::kInt8) return 1;
  if (workload.op.kind == OpKind::kGelu) return 2e-3;  // the tanh form against the exact one
  return 2e-6 * std::max(4.0, static_cast<double>(workload.op.facts[Fact::kDepthK]));
}

}  // namespace

Reference reference(const Workload& workload, const Operands& operands) {
  switch (workload.op.op_class) {
    case OpClass::kMatrix: return {dense(workload, operands), tolerance(workload)};
    case OpClass::kElementwise:
    case OpClass::kActivation: return {elements(workload, operands), tolerance(workload)};
    case OpClass::kDataMovement: return {{operands.inputs[0].begin(), operands.inputs[0].end()}, 0};
    default: ADD_FAILURE() << "no reference for " << name_of(workload.op.kind); return {};
  }
}

}  // namespace edgejoule::test
