#include "import/experiment/files.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <numeric>

#include "import/experiment/ops.h"

namespace edgejoule::import {
namespace {

std::string_view name_of(ModelFormat format) {
  return format == ModelFormat::kTflite ? "TFLite" : "ONNX";
}

// A multiplicative congruential sequence, its upper bits.
class Numbers {
 public:
  std::uint32_t next() {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::uint32_t>(state_ >> 32U);
  }

 private:
  std::uint64_t state_ = 1;
};

}  // namespace

std::int64_t padding_of(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride,
                        std::int64_t dilation) {
  return std::max<std::int64_t>(0, (out - 1) * stride + (kernel - 1) * dilation + 1 - in);
}

std::int64_t elements_of(const ExperimentDims& dims) {
  return std::accumulate(dims.begin(), dims.end(), std::int64_t{1}, std::multiplies<>());
}

std::vector<std::uint8_t> weight_bytes(std::int64_t count, DataType type) {
  // A sign, a fixed exponent (2^-4) and a mantissa: neither zeros nor denormals.
  Numbers numbers;
  std::vector<std::uint8_t> out(static_cast<std::size_t>(count) * bits_of(type) / 8);
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    const std::uint32_t bits = numbers.next();
    const std::uint32_t single = (bits & 0x807FFFFFU) | 0x3D800000U;
    const auto half = static_cast<std::uint16_t>((bits & 0x83FFU) | 0x2C00U);
    const std::uint32_t small = bits & 0xFFU;
    switch (type) {
      case DataType::kFloat32: std::memcpy(&out[4 * i], &single, 4); break;
      case DataType::kFloat16: std::memcpy(&out[2 * i], &half, 2); break;
      case DataType::kInt32: std::memcpy(&out[4 * i], &small, 4); break;
      default: out[i] = static_cast<std::uint8_t>(bits >> 24U); break;
    }
  }
  return out;
}

void cannot_say(ModelFormat format, const ExperimentOp& op, std::string_view why) {
  throw ImportError(op.op.name, fmt::format("cannot be written as {}: {}", name_of(format), why),
                    "leave this op out, or use the other format");
}

void no_input(const ExperimentOp& op) {
  throw ImportError(op.op.name, "cannot take the output of the op before it",
                    "give ops whose sizes and types follow from one another");
}

namespace {

std::vector<std::uint8_t> write(ModelFormat format, std::span<const ExperimentOp> ops, bool with_data) {
  return format == ModelFormat::kTflite ? write_tflite_experiment(ops, with_data)
                                        : write_onnx_experiment(ops, with_data);
}

}  // namespace

bool can_write(ModelFormat format, const ExperimentOp& op) {
  try {
    static_cast<void>(write(format, {&op, 1}, false));
    return true;
  } catch (const ImportError&) {
    return false;
  }
}

std::vector<std::uint8_t> write_experiment(ModelFormat format, std::span<const ExperimentOp> ops) {
  if (ops.empty()) throw ImportError("experiment", "has no ops", "give at least one");
  return write(format, ops, true);
}

}  // namespace edgejoule::import
