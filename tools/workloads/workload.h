// Workloads that calibration runs without any runtime: real kernels on this machine's
// cores, described by the same facts as an importer would give the same op.
//
// Shape: what prepare() computes follows from the facts alone, besides `rows`;
// activations lie channels last, weights lie one output after the other (TFLite's order).
// Data types: float32; int8 with one scale per output channel and exact 32-bit sums;
// int4 weights (the data type says float32 then) in blocks of 32 with a float16 scale,
// dequantised on the fly; float16 where the machine computes in it.
// Errors: WorkloadError where this machine or this build cannot run it (float16
// without the instructions, not enough memory, a kind without a kernel).
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "graph/ops.h"

namespace edgejoule::workloads {

struct WorkloadError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Workload {
  std::string name;  // unique and stable: what a journal is resumed by
  graph::OpNode op;  // facts of ONE execution, as import would make them
  int threads = 1;
  // Of a softmax, a normalisation, a mean or a transpose: rows of its matrix; their facts
  // have no place for them.
  std::uint64_t rows = 1;
};

// Rows of an op of a network, as far as its facts tell them; 1 where they do not.
[[nodiscard]] std::uint64_t rows_of(const graph::OpNode& op);

// What one execution read and wrote, as numbers, for those who check it. Integers are
// exact; float16 and int4 are what they stand for.
struct Operands {
  std::vector<std::vector<float>> inputs;  // activations, then weights, bias, scales where there are
  std::vector<float> output;
  float output_scale = 1;  // int8: real value of one step of the output
};

// Buffers are prepared, threads started; destroying it ends them.
class Kernel {
 public:
  Kernel() = default;
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;
  virtual ~Kernel() = default;

  // Every execution computes everything again.
  virtual void run(std::uint64_t executions) = 0;
  [[nodiscard]] virtual Operands operands() const = 0;
};

[[nodiscard]] std::unique_ptr<Kernel> prepare(const Workload& workload);

// Whether this machine computes in float16 and this build can make use of it.
[[nodiscard]] bool has_fp16();

struct CandidateOptions {
  std::uint64_t last_level_bytes = 2U << 20U;  // footprints are chosen well below and well above it
  std::uint64_t memory_bytes = 1U << 30U;      // what all buffers of one workload may take
  int max_threads = 1;
  bool has_fp16 = false;
};

struct Candidate {
  Workload workload;
  bool held_out = false;  // for validation only
  double importance = 1;  // of its kind: how much networks tend to spend on it, against others
};

// Deterministic: many more than a budget allows, the kinds that networks spend most
// on first.
[[nodiscard]] std::vector<Candidate> candidates(const CandidateOptions& options);

}  // namespace edgejoule::workloads
