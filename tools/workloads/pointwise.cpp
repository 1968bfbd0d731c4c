// Elementwise ops and activations.
#include <Eigen/Dense>
#include <algorithm>

#include "workloads/integer_math.h"
#include "workloads/kernel.h"

namespace edgejoule::workloads {
namespace {

// Elements beside the first input, which is as large as the output; a constant one stands among the parameters.
std::size_t second_input(const Workload& workload) {
  return size_of(workload, Fact::kInputElements) + size_of(workload, Fact::kParameters) -
         size_of(workload, Fact::kOutputElements);
}

using Array = Eigen::Map<Eigen::ArrayXf>;
using ConstArray = Eigen::Map<const Eigen::ArrayXf>;
using Compute = void (*)(const ConstArray& a, const ConstArray& b, Array& out);

template <class Value>
auto sigmoid(const Value& x) {
  return 1 / (1 + (-x).exp());
}

// Null where there is none. `b` is empty for activations.
Compute compute_of(OpKind kind) {
  switch (kind) {
    case OpKind::kAdd: return [](const ConstArray& a, const ConstArray& b, Array& out) { out = a + b; };
    case OpKind::kMul: return [](const ConstArray& a, const ConstArray& b, Array& out) { out = a * b; };
    case OpKind::kRelu: return [](const ConstArray& a, const ConstArray&, Array& out) { out = a.max(0); };
    case OpKind::kRelu6: return [](const ConstArray& a, const ConstArray&, Array& out) { out = a.max(0).min(6); };
    case OpKind::kSigmoid: return [](const ConstArray& a, const ConstArray&, Array& out) { out = sigmoid(a); };
    case OpKind::kTanh: return [](const ConstArray& a, const ConstArray&, Array& out) { out = a.tanh(); };
    case OpKind::kSilu: return [](const ConstArray& a, const ConstArray&, Array& out) { out = a * sigmoid(a); };
    case OpKind::kHardSwish:
      return [](const ConstArray& a, const ConstArray&, Array& out) { out = a * (a + 3).max(0).min(6) / 6; };
    case OpKind::kGelu:  // the tanh form
      return [](const ConstArray& a, const ConstArray&, Array& out) {
        out = 0.5F * a * (1 + (0.7978845608F * (a + 0.044715F * a * a * a)).tanh());
      };
    default: return nullptr;
  }
}

// The smaller of two inputs begins again where it ends: one value per channel, or per token.
class PointwiseFloat final : public ParallelKernel {
 public:
  PointwiseFloat(const Workload& workload, Compute compute)
      : ParallelKernel(workload),
        compute_(compute),
        a_(some_floats(size_of(workload, Fact::kOutputElements), 1, -4, 4)),
        b_(some_floats(second_input(workload), 2, -4, 4)),
        out_(a_.size()) {}

  [[nodiscard]] Operands operands() const override {
    Operands all{.inputs = {a_}, .output = out_};
    if (!b_.empty()) all.inputs.push_back(b_);
    return all;
  }

 protected:
  [[nodiscard]] std::size_t parts() const override { return out_.size(); }
  void execute(Range range) override {
    for (std::size_t at = range.begin; at < range.end;) {
      const std::size_t place = b_.empty() ? 0 : at % b_.size();
      const std::size_t size = b_.empty() ? range.end - at : std::min(range.end - at, b_.size() - place);
      const auto count = static_cast<Eigen::Index>(size);
      Array out(&out_[at], count);
      const ConstArray a(&a_[at], count);
      const ConstArray b(b_.empty() ? nullptr : &b_[place], b_.empty() ? 0 : count);
      compute_(a, b, out);
      at += size;
    }
  }

 private:
  Compute compute_;
  std::vector<float> a_, b_, out_;
};

// Both inputs have scales of their own: rescaled, added, rounded.
class AddInt8 final : public ParallelKernel {
 public:
  explicit AddInt8(const Workload& workload)
      : ParallelKernel(workload),
        a_(some_int8(size_of(workload, Fact::kOutputElements), 1)),
        b_(some_int8(a_.size(), 2)),
        out_(a_.size()) {}

  [[nodiscard]] Operands operands() const override {
    return {.inputs = {as_floats(a_), as_floats(b_), {kScaleA, kScaleB}}, .output = as_floats(out_)};
  }

 protected:
  [[nodiscard]] std::size_t parts() const override { return out_.size(); }
  void execute(Range range) override {
    for (std::size_t i = range.begin; i < range.end; ++i) {
      const float sum = kScaleA * static_cast<float>(a_[i]) + kScaleB * static_cast<float>(b_[i]);
      out_[i] = static_cast<std::int8_t>(std::clamp(std::nearbyint(sum), -128.0F, 127.0F));
    }
  }

 private:
  static constexpr float kScaleA = 0.75F;
  static constexpr float kScaleB = 0.375F;
  std::vector<std::int8_t> a_, b_, out_;
};

}  // namespace

std::unique_ptr<Kernel> make_pointwise(const Workload& workload) {
  const std::size_t inputs = size_of(workload, Fact::kInputElements);
  const std::size_t outputs = size_of(workload, Fact::kOutputElements);
  const bool is_binary = workload.op.op_class == OpClass::kElementwise;
  const std::size_t second = inputs < outputs ? 0 : second_input(workload);
  const bool is_int8 = workload.op.data_type == DataType::kInt8;
  if (inputs < outputs || (second != 0) != is_binary || (is_binary && outputs % second != 0) ||
      (is_binary && is_int8 && second != outputs)) {
    cannot_run(workload, "inputs of different sizes");
  }
  if (workload.op.data_type == DataType::kFloat32) {
    const Compute compute = compute_of(workload.op.kind);
    if (compute != nullptr) return std::make_unique<PointwiseFloat>(workload, compute);
  }
  if (is_int8 && workload.op.kind == OpKind::kAdd) return std::make_unique<AddInt8>(workload);
  no_kernel(workload);
}

}  // namespace edgejoule::workloads
