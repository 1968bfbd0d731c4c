// What all kernels share: buffers, numbers to fill them with, the split among threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "workloads/team.h"
#include "workloads/workload.h"

namespace edgejoule::workloads {

struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
  [[nodiscard]] std::size_t size() const { return end - begin; }
};
// The part of 0 .. total that belongs to one of `parts`, even to one element.
[[nodiscard]] Range share_of(std::size_t total, int part, int parts);

// Numbers that look like activations and weights and are the same every time: no
// special values, so that no kernel meets denormals.
[[nodiscard]] std::vector<float> some_floats(std::size_t count, std::uint32_t seed, float low = -1, float high = 1);
[[nodiscard]] std::vector<std::int8_t> some_int8(std::size_t count, std::uint32_t seed);
[[nodiscard]] std::vector<std::int32_t> some_int32(std::size_t count, std::uint32_t seed, std::int32_t limit);

template <class T>
[[nodiscard]] std::vector<float> as_floats(const std::vector<T>& values) {
  return {values.begin(), values.end()};
}

// One execution is split into parts that write different outputs.
class ParallelKernel : public Kernel {
 public:
  explicit ParallelKernel(const Workload& workload) : team_(workload.threads) {}
  void run(std::uint64_t executions) final;

 protected:
  // How many things can be split among threads, and a range of them.
  [[nodiscard]] virtual std::size_t parts() const = 0;
  virtual void execute(Range range) = 0;

 private:
  Team team_;
};

// A fact as a size in memory.
[[nodiscard]] inline std::size_t size_of(const Workload& workload, Fact fact) {
  return static_cast<std::size_t>(workload.op.facts[fact]);
}

[[noreturn]] void cannot_run(const Workload& workload, const std::string& why);
// Of this kind or with these types.
[[noreturn]] void no_kernel(const Workload& workload);

// One maker per family; each throws WorkloadError for what it does not know.
[[nodiscard]] std::unique_ptr<Kernel> make_convolution(const Workload& workload);
[[nodiscard]] std::unique_ptr<Kernel> make_dense(const Workload& workload);
[[nodiscard]] std::unique_ptr<Kernel> make_batch_matmul(const Workload& workload);
[[nodiscard]] std::unique_ptr<Kernel> make_attention(const Workload& workload);
[[nodiscard]] std::unique_ptr<Kernel> make_pointwise(const Workload& workload);
[[nodiscard]] std::unique_ptr<Kernel> make_rows(const Workload& workload);
[[nodiscard]] std::unique_ptr<Kernel> make_pooling(const Workload& workload);
[[nodiscard]] std::unique_ptr<Kernel> make_lookup(const Workload& workload);
[[nodiscard]] std::unique_ptr<Kernel> make_movement(const Workload& workload);
[[nodiscard]] std::unique_ptr<Kernel> make_half(const Workload& workload);

}  // namespace edgejoule::workloads
