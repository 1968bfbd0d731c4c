// What ops cost on an emulated board, in joules and seconds: a truth that nobody who calibrates may know.
//
// It is not of the form that tables have: libraries switch algorithms, caches overflow, compute and memory overlap,
// threads get in each other's way. It counts its own work from plain dimensions and knows nothing of features, tables
// or the fit.
// Units: joules, seconds, watts, bytes; what a rail shows on top (conversion losses) is live_board.h's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "edgejoule/core/op_kinds.h"

namespace edgejoule::emulated_board {

// One execution of an op.
struct LawOp {
  OpKind kind = OpKind::kUnknown;
  DataType type = DataType::kFloat32;  // of the arithmetic
  std::uint8_t weight_bits = 32;
  int threads = 1;
  // batch x (m x k) times (k x n); attention: heads in batch, m queries, n keys, k and value_k deep
  double batch = 1, m = 1, n = 1, k = 1, value_k = 0;
  // convolutions
  double in_h = 1, in_w = 1, in_c = 1, out_h = 1, out_w = 1, out_c = 1;
  double kernel_h = 1, kernel_w = 1, stride = 1, dilation = 1, groups = 1;
  // elements, and sizes of the tensors
  double elements_in = 0, elements_out = 0;
  double input_bytes = 0, output_bytes = 0, weight_bytes = 0;
  double repeats = 1;
  // Weights of the whole model that it belongs to; 0: it runs alone, over and over.
  double model_weight_bytes = 0;
};

struct Cost {
  double seconds = 0;
  double engine_joules = 0;  // above the engine being off
  double memory_joules = 0;
  [[nodiscard]] double joules() const { return engine_joules + memory_joules; }
};

// How the truth differs from a sum of work and bytes; everything off is a law that a table can express.
struct Behaviour {
  bool switches = false;   // Winograd, direct and unfolded convolutions; small and large matrix kernels
  bool cache = false;      // traffic beyond the last-level cache costs DRAM, with a soft step
  bool overlap = false;    // the slower of compute and memory decides the time, softly
  bool residency = false;  // a model's weights are read from DRAM where they do not all fit
  bool texture = false;    // a few per cent that nobody can explain, fixed for each shape
};

struct LawEngine {
  std::string name;
  std::string kind = "cpu";  // cpu, gpu, dla, npu
  int threads = 1;
  double gmacs_per_s = 8;    // one thread, fp32
  double gbytes_per_s = 12;  // through the cache
  double pj_mac = 9;         // fp32
  double pj_byte = 2.0;      // through the cache
  double pj_element = 4;     // one simple operation
  double pj_special = 60;    // one exponential, division or root
  double launch_us = 4;
  double launch_uj = 3;
  double last_level_bytes = 4e6;
  double on_w = 0.15;  // beside the work, as long as it runs
  double idle_w = 0.10;
  double gated_w = 0.02;
  double gate_after_ms = 3;
  double wake_uj = 400;
  double wake_us = 300;
};

struct LawMemory {
  double gbytes_per_s = 20;
  double pj_byte = 45;
  double idle_w = 0.35;
};

// Clocks and voltage relative to those that the engine's figures are of.
struct LawPoint {
  std::string name;
  double cpu_mhz = 0, gpu_mhz = 0, memory_mhz = 0, millivolts = 0;
};

class Law {
 public:
  std::vector<LawEngine> engines;
  LawMemory memory;
  Behaviour behaviour;
  std::vector<LawPoint> points;  // the first is the one that the figures are of
  std::uint64_t texture_seed = 1;

  // Warm, at a steady temperature, nothing else running. Precondition: engine and point exist.
  [[nodiscard]] Cost cost(const LawOp& op, std::size_t engine, std::size_t point) const;

  // Another board of the same kind: every cost of engines and memory times up to 1 +- `spread`, drawn from the seed.
  void randomise(std::uint64_t seed, double spread);
};

}  // namespace edgejoule::emulated_board
