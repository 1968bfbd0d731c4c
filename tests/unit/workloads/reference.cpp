#include "unit/workloads/reference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

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

// Padding on the near side, as evenly as TFLite's SAME.
std::size_t padding(std::size_t in, std::size_t out, std::size_t kernel, std::size_t stride, std::size_t dilation) {
  const std::size_t reach = (out - 1) * stride + (kernel - 1) * dilation + 1;
  return reach > in ? (reach - in) / 2 : 0;
}

std::vector<double> convolution(const Workload& w, const Operands& all) {
  const bool is_depthwise = w.op.kind == OpKind::kDepthwiseConv2d;
  const std::size_t in_h = fact(w, Fact::kInH);
  const std::size_t in_w = fact(w, Fact::kInW);
  const std::size_t in_c = fact(w, Fact::kInC);
  const std::size_t out_c = fact(w, Fact::kOutC);
  const std::size_t kernel_h = fact(w, Fact::kKernelH);
  const std::size_t kernel_w = fact(w, Fact::kKernelW);
  const std::size_t per_group = in_c / fact(w, Fact::kGroups);
  const std::size_t out_per_group = out_c / fact(w, Fact::kGroups);
  const std::size_t pad_h =
      padding(in_h, fact(w, Fact::kOutH), kernel_h, fact(w, Fact::kStrideH), fact(w, Fact::kDilationH));
  const std::size_t pad_w =
      padding(in_w, fact(w, Fact::kOutW), kernel_w, fact(w, Fact::kStrideW), fact(w, Fact::kDilationW));
  std::vector<double> out;
  for (std::size_t y = 0; y < fact(w, Fact::kOutH); ++y) {
    for (std::size_t x = 0; x < fact(w, Fact::kOutW); ++x) {
      for (std::size_t c = 0; c < out_c; ++c) {
        double sum = bias_of(w, all, c);
        for (std::size_t tap = 0; tap < kernel_h * kernel_w; ++tap) {
          const std::size_t at_y = y * fact(w, Fact::kStrideH) + tap / kernel_w * fact(w, Fact::kDilationH) - pad_h;
          const std::size_t at_x = x * fact(w, Fact::kStrideW) + tap % kernel_w * fact(w, Fact::kDilationW) - pad_w;
          if (at_y >= in_h || at_x >= in_w) continue;  // also what wrapped below zero
          for (std::size_t i = 0; i < per_group; ++i) {
            const std::size_t in = c / out_per_group * per_group + i;
            const std::size_t weight = is_depthwise ? tap * out_c + c : (c * kernel_h * kernel_w + tap) * per_group + i;
            sum += double{all.inputs[0][(at_y * in_w + at_x) * in_c + in]} * all.inputs[1][weight];
          }
        }
        out.push_back(finish(w, all, sum, c));
      }
    }
  }
  return out;
}

std::vector<double> batch_matmul(const Workload& w, const Operands& all) {
  const std::size_t m = fact(w, Fact::kRowsM);
  const std::size_t n = fact(w, Fact::kColsN);
  const std::size_t k = fact(w, Fact::kDepthK);
  std::vector<double> out;
  for (std::size_t product = 0; product < fact(w, Fact::kBatch); ++product) {
    for (std::size_t at = 0; at < m * n; ++at) {
      double sum = 0;
      for (std::size_t i = 0; i < k; ++i) {
        sum += double{all.inputs[0][(product * m + at / n) * k + i]} * all.inputs[1][(product * k + i) * n + at % n];
      }
      out.push_back(sum);
    }
  }
  return out;
}

std::vector<double> softmax_of(std::vector<double> row) {
  double sum = 0;
  for (double& value : row) sum += value = std::exp(value);
  for (double& value : row) value /= sum;
  return row;
}

std::vector<double> attention(const Workload& w, const Operands& all) {
  const std::size_t depth = fact(w, Fact::kDepthK);
  const std::size_t context = fact(w, Fact::kContext);
  const std::size_t sharing = fact(w, Fact::kHeads) / fact(w, Fact::kKvHeads);
  std::vector<double> out;
  for (std::size_t head = 0; head < fact(w, Fact::kHeads); ++head) {
    const float* const keys = &all.inputs[1][head / sharing * context * depth];
    const float* const values = &all.inputs[2][head / sharing * context * depth];
    for (std::size_t query = 0; query < fact(w, Fact::kRowsM); ++query) {
      std::vector<double> scores;
      for (std::size_t i = 0; i < context; ++i) {
        double sum = 0;
        for (std::size_t d = 0; d < depth; ++d) {
          sum += double{all.inputs[0][(head * fact(w, Fact::kRowsM) + query) * depth + d]} * keys[i * depth + d];
        }
        scores.push_back(sum / std::sqrt(static_cast<double>(depth)));
      }
      scores = softmax_of(scores);
      for (std::size_t d = 0; d < depth; ++d) {
        double sum = 0;
        for (std::size_t i = 0; i < context; ++i) sum += scores[i] * values[i * depth + d];
        out.push_back(sum);
      }
    }
  }
  return out;
}

double mean_of(const std::vector<double>& row) {
  return std::accumulate(row.begin(), row.end(), 0.0) / static_cast<double>(row.size());
}

std::vector<double> rows(const Workload& w, const Operands& all) {
  const std::size_t width = all.inputs[0].size() / w.rows;
  std::vector<double> out;
  for (std::size_t r = 0; r < w.rows; ++r) {
    const auto begin = all.inputs[0].begin() + static_cast<std::ptrdiff_t>(r * width);
    std::vector<double> row(begin, begin + static_cast<std::ptrdiff_t>(width));
    std::vector<double> squares = row;
    for (double& value : squares) value *= value;
    const double mean = mean_of(row);
    const bool is_int8 = w.op.data_type == DataType::kInt8;
    for (double& value : row) value *= is_int8 ? all.inputs[1][0] : 1;
    if (w.op.kind == OpKind::kSoftmax) row = softmax_of(row);
    for (double& value : row) value = is_int8 ? to_int8(value * 256 - 128) : value;
    if (w.op.kind == OpKind::kMean) row = {mean};
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (w.op.kind == OpKind::kLayerNorm) {
        row[i] = (row[i] - mean) / std::sqrt(mean_of(squares) - mean * mean + 1e-5) * all.inputs[1][i] +
                 all.inputs[1][width + i];
      } else if (w.op.kind == OpKind::kRmsNorm) {
        row[i] = row[i] / std::sqrt(mean_of(squares) + 1e-5) * all.inputs[1][i];
      }
    }
    out.insert(out.end(), row.begin(), row.end());
  }
  return out;
}

std::vector<double> pooling(const Workload& w, const Operands& all) {
  const std::size_t channels = fact(w, Fact::kInC);
  const std::size_t above =
      padding(fact(w, Fact::kInH), fact(w, Fact::kOutH), fact(w, Fact::kKernelH), fact(w, Fact::kStrideH), 1);
  const std::size_t before =
      padding(fact(w, Fact::kInW), fact(w, Fact::kOutW), fact(w, Fact::kKernelW), fact(w, Fact::kStrideW), 1);
  std::vector<double> out;
  for (std::size_t y = 0; y < fact(w, Fact::kOutH); ++y) {
    for (std::size_t x = 0; x < fact(w, Fact::kOutW); ++x) {
      for (std::size_t c = 0; c < channels; ++c) {
        std::vector<double> window;
        for (std::size_t tap = 0; tap < fact(w, Fact::kKernelH) * fact(w, Fact::kKernelW); ++tap) {
          // Before the first one where it wraps around.
          const std::size_t at_y = y * fact(w, Fact::kStrideH) + tap / fact(w, Fact::kKernelW) - above;
          const std::size_t at_x = x * fact(w, Fact::kStrideW) + tap % fact(w, Fact::kKernelW) - before;
          if (at_y >= fact(w, Fact::kInH) || at_x >= fact(w, Fact::kInW)) continue;
          window.push_back(all.inputs[0][(at_y * fact(w, Fact::kInW) + at_x) * channels + c]);
        }
        const double value =
            w.op.kind == OpKind::kMaxPool2d ? *std::max_element(window.begin(), window.end()) : mean_of(window);
        out.push_back(w.op.data_type == DataType::kInt8 ? to_int8(value) : value);
      }
    }
  }
  return out;
}

std::vector<double> transpose(const Workload& w, const Operands& all) {
  const std::size_t width = all.inputs[0].size() / w.rows;
  std::vector<double> out;
  for (std::size_t i = 0; i < all.inputs[0].size(); ++i) out.push_back(all.inputs[0][i % w.rows * width + i / w.rows]);
  return out;
}

std::vector<double> embedding(const Workload& w, const Operands& all) {
  const std::size_t width = fact(w, Fact::kOutputElements) / all.inputs[0].size();
  std::vector<double> out;
  for (const float row : all.inputs[0]) {
    for (std::size_t i = 0; i < width; ++i) out.push_back(all.inputs[1][static_cast<std::size_t>(row) * width + i]);
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
    const double b = is_binary ? scale_b * all.inputs[1][i % all.inputs[1].size()] : 0;
    const double value = pointwise(workload.op.kind, scale_a * all.inputs[0][i], b);
    out.push_back(is_int8 ? to_int8(value) : value);
  }
  return out;
}

double tolerance(const Workload& w) {
  if (w.op.data_type == DataType::kInt8) return 1;  // rounded the other way
  if (w.op.kind == OpKind::kGelu) return 2e-3;      // the tanh form against the exact one
  const auto terms = std::max({4.0, static_cast<double>(w.op.facts[Fact::kDepthK]),
                               static_cast<double>(w.op.facts[Fact::kKernelH] * w.op.facts[Fact::kKernelW] *
                                                   w.op.facts[Fact::kInC] / w.op.facts[Fact::kGroups])});
  const double rounding = w.op.data_type == DataType::kFloat16 ? 1e-3 : 1e-7;
  return 4 * rounding * std::sqrt(terms) * 4;
}

}  // namespace

Reference reference(const Workload& w, const Operands& all) {
  switch (w.op.op_class) {
    case OpClass::kConvolution: return {convolution(w, all), tolerance(w)};
    case OpClass::kMatrix: return {w.op.kind == OpKind::kDense ? dense(w, all) : batch_matmul(w, all), tolerance(w)};
    case OpClass::kAttention: return {attention(w, all), tolerance(w)};
    case OpClass::kElementwise:
    case OpClass::kActivation: return {elements(w, all), tolerance(w)};
    case OpClass::kSoftmax:
    case OpClass::kNormalisation:
    case OpClass::kReduction: return {rows(w, all), tolerance(w)};
    case OpClass::kPooling: return {pooling(w, all), tolerance(w)};
    case OpClass::kLookup: return {embedding(w, all), 0};
    case OpClass::kDataMovement:
      if (w.op.kind == OpKind::kTranspose) return {transpose(w, all), 0};
      return {{all.inputs[0].begin(), all.inputs[0].end()}, 0};
    default: ADD_FAILURE() << "no reference for " << name_of(w.op.kind); return {};
  }
}

}  // namespace edgejoule::test
