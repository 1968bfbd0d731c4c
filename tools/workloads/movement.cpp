// Data that moves without being computed with: streams, transposes, lookups.
#include <algorithm>

#include "workloads/kernel.h"

namespace edgejoule::workloads {
namespace {

// A reshape: the same bytes under other dimensions.
class View final : public Kernel {
 public:
  void run(std::uint64_t) override {}
  [[nodiscard]] Operands operands() const override { return {}; }
};

// A concatenation is one, too: what is constant of it stands among the parameters.
class Copy final : public ParallelKernel {
 public:
  explicit Copy(const Workload& workload)
      : ParallelKernel(workload),
        in_(some_floats(size_of(workload, Fact::kInputElements) + size_of(workload, Fact::kParameters), 1)),
        out_(in_.size()) {
    if (in_.size() != size_of(workload, Fact::kOutputElements)) cannot_run(workload, "it writes what it did not read");
  }

  [[nodiscard]] Operands operands() const override { return {.inputs = {in_}, .output = out_}; }

 protected:
  [[nodiscard]] std::size_t parts() const override { return in_.size(); }
  void execute(Range range) override {
    std::copy_n(in_.begin() + static_cast<std::ptrdiff_t>(range.begin), range.size(),
                out_.begin() + static_cast<std::ptrdiff_t>(range.begin));
  }

 private:
  std::vector<float> in_, out_;
};

// In square blocks, so that neither side is read or written one line per element.
class Transpose final : public ParallelKernel {
 public:
  explicit Transpose(const Workload& workload)
      : ParallelKernel(workload),
        rows_(static_cast<std::size_t>(workload.rows)),
        columns_(size_of(workload, Fact::kInputElements) / rows_),
        in_(some_floats(rows_ * columns_, 1)),
        out_(in_.size()) {}

  [[nodiscard]] Operands operands() const override { return {.inputs = {in_}, .output = out_}; }

 protected:
  [[nodiscard]] std::size_t parts() const override { return rows_; }
  void execute(Range range) override {
    constexpr std::size_t kBlock = 16;
    for (std::size_t top = range.begin; top < range.end; top += kBlock) {
      for (std::size_t left = 0; left < columns_; left += kBlock) {
        for (std::size_t row = top; row < std::min(top + kBlock, range.end); ++row) {
          for (std::size_t column = left; column < std::min(left + kBlock, columns_); ++column) {
            out_[column * rows_ + row] = in_[row * columns_ + column];
          }
        }
      }
    }
  }

 private:
  std::size_t rows_, columns_;
  std::vector<float> in_, out_;
};

// Rows of a table by number, in no order that a prefetcher knows.
class Embedding final : public ParallelKernel {
 public:
  explicit Embedding(const Workload& workload)
      : ParallelKernel(workload),
        width_(size_of(workload, Fact::kOutputElements) / size_of(workload, Fact::kInputElements)),
        table_(some_floats(size_of(workload, Fact::kParameters), 1)),
        rows_(some_int32(size_of(workload, Fact::kInputElements), 2, 1 << 22U)),
        out_(rows_.size() * width_) {
    const auto height = static_cast<std::int32_t>(table_.size() / width_);
    for (std::int32_t& row : rows_) row = (row % height + height) % height;
  }

  [[nodiscard]] Operands operands() const override { return {.inputs = {as_floats(rows_), table_}, .output = out_}; }

 protected:
  [[nodiscard]] std::size_t parts() const override { return rows_.size(); }
  void execute(Range range) override {
    for (std::size_t i = range.begin; i < range.end; ++i) {
      std::copy_n(&table_[static_cast<std::size_t>(rows_[i]) * width_], width_, &out_[i * width_]);
    }
  }

 private:
  std::size_t width_;
  std::vector<float> table_;
  std::vector<std::int32_t> rows_;
  std::vector<float> out_;
};

}  // namespace

std::unique_ptr<Kernel> make_movement(const Workload& workload) {
  const std::uint64_t elements = workload.op.facts[Fact::kInputElements];
  if (workload.op.kind == OpKind::kReshape) return std::make_unique<View>();
  if (workload.op.data_type == DataType::kFloat32) {
    if (workload.op.kind == OpKind::kCopy || workload.op.kind == OpKind::kConcatenation) {
      return std::make_unique<Copy>(workload);
    }
    if (workload.op.kind == OpKind::kTranspose) {
      if (workload.rows == 0 || elements % workload.rows != 0) {
        cannot_run(workload, "its elements are no whole number of rows");
      }
      return std::make_unique<Transpose>(workload);
    }
  }
  no_kernel(workload);
}

std::unique_ptr<Kernel> make_lookup(const Workload& workload) {
  const graph::OpNode& op = workload.op;
  if (op.kind == OpKind::kEmbedding && op.data_type == DataType::kFloat32 && op.facts[Fact::kParameters] != 0 &&
      op.facts[Fact::kInputElements] != 0) {
    return std::make_unique<Embedding>(workload);
  }
  no_kernel(workload);
}

}  // namespace edgejoule::workloads
