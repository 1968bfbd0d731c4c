// Products of two activations: batched, and fused into attention with its softmax.
#include <algorithm>
#include <cmath>

#include "workloads/kernel.h"
#include "workloads/matrix_views.h"

namespace edgejoule::workloads {
namespace {

// Left matrices of m x k, right ones of k x n, one of each per product.
class BatchMatmul final : public ParallelKernel {
 public:
  explicit BatchMatmul(const Workload& w)
      : ParallelKernel(w),
        products_(size_of(w, Fact::kBatch)),
        m_(size_of(w, Fact::kRowsM)),
        n_(size_of(w, Fact::kColsN)),
        k_(size_of(w, Fact::kDepthK)),
        left_(some_floats(products_ * m_ * k_, 1)),
        right_(some_floats(products_ * k_ * n_, 2)),
        y_(products_ * m_ * n_) {
    if (left_.size() + right_.size() != size_of(w, Fact::kInputElements)) {
      cannot_run(w, "its products share matrices");
    }
  }

  [[nodiscard]] Operands operands() const override { return {.inputs = {left_, right_}, .output = y_}; }

 protected:
  [[nodiscard]] std::size_t parts() const override { return products_ * m_; }
  void execute(Range range) override {
    for (std::size_t row = range.begin; row < range.end;) {
      const std::size_t product = row / m_;
      const std::size_t rows = std::min((product + 1) * m_, range.end) - row;
      const ConstMatrixMap right = matrix(std::as_const(right_).data() + product * k_ * n_, k_, n_);
      const ConstMatrixMap left = matrix(std::as_const(left_).data() + row * k_, rows, k_);
      matrix(&y_[row * n_], rows, n_).noalias() = left * right;
      row += rows;
    }
  }

 private:
  std::size_t products_, m_, n_, k_;
  std::vector<float> left_, right_, y_;
};

// Scaled dot products; several heads may share their keys and values.
class Attention final : public ParallelKernel {
 public:
  explicit Attention(const Workload& w)
      : ParallelKernel(w),
        heads_(size_of(w, Fact::kBatch) * size_of(w, Fact::kHeads)),
        sharing_(size_of(w, Fact::kHeads) / size_of(w, Fact::kKvHeads)),
        queries_(size_of(w, Fact::kRowsM)),
        context_(size_of(w, Fact::kContext)),
        depth_(size_of(w, Fact::kDepthK)),
        value_depth_(size_of(w, Fact::kValueK)),
        q_(some_floats(heads_ * queries_ * depth_, 1)),
        k_(some_floats(heads_ / sharing_ * context_ * depth_, 2)),
        v_(some_floats(heads_ / sharing_ * context_ * value_depth_, 3)),
        y_(heads_ * queries_ * value_depth_) {}

  [[nodiscard]] Operands operands() const override { return {.inputs = {q_, k_, v_}, .output = y_}; }

 protected:
  [[nodiscard]] std::size_t parts() const override { return heads_ * queries_; }
  void execute(Range range) override {
    const float scale = 1 / std::sqrt(static_cast<float>(depth_));
    RowMatrix scores;
    for (std::size_t row = range.begin; row < range.end;) {
      const std::size_t head = row / queries_;
      const std::size_t rows = std::min((head + 1) * queries_, range.end) - row;
      const std::size_t shared = head / sharing_;
      const ConstMatrixMap q = matrix(std::as_const(q_).data() + row * depth_, rows, depth_);
      const ConstMatrixMap k = matrix(std::as_const(k_).data() + shared * context_ * depth_, context_, depth_);
      const ConstMatrixMap v =
          matrix(std::as_const(v_).data() + shared * context_ * value_depth_, context_, value_depth_);
      scores.noalias() = q * k.transpose();
      for (Eigen::Index i = 0; i < scores.rows(); ++i) {
        auto score = scores.row(i).array();
        score = (scale * (score - score.maxCoeff())).exp();
        score *= 1 / score.sum();
      }
      matrix(&y_[row * value_depth_], rows, value_depth_).noalias() = scores * v;
      row += rows;
    }
  }

 private:
  std::size_t heads_, sharing_, queries_, context_, depth_, value_depth_;
  std::vector<float> q_, k_, v_, y_;
};

}  // namespace

std::unique_ptr<Kernel> make_batch_matmul(const Workload& workload) {
  if (workload.op.data_type == DataType::kFloat32) return std::make_unique<BatchMatmul>(workload);
  no_kernel(workload);
}

std::unique_ptr<Kernel> make_attention(const Workload& workload) {
  if (workload.op.data_type == DataType::kFloat32) return std::make_unique<Attention>(workload);
  no_kernel(workload);
}

}  // namespace edgejoule::workloads
