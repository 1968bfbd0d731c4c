// IrEne's public measurements (ACL 2021): transformers on one desktop GPU machine, every
// op, module and model measured on its own.
//
// Shape: ops first, then modules from the leaves up, then models; equal rows of one
// model, batch and sequence length are merged, `weight` counts them. Groups are models,
// families are bert and gpt. source_columns hold what kIreneColumns names.
// Errors: MeasurementError naming file and line.
// Source: StonyBrookNLP/irene, datasets/device_1. The dimensions of matrix products are
// not in the files: they follow exactly from FLOPs and bytes (irene_decode.cpp).
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "measurements/measurement_set.h"

namespace edgejoule::measurements {

inline constexpr std::array<std::string_view, 12> kIreneColumns = {
    "batch_size", "seq_len", "flops",   "mem_bytes",   "cpu",        "mem",
    "gpu",        "gpu_mem", "gpu_clk", "gpu_mem_clk", "times_mean", "gpu_energy_mean"};

// `folder` holds the four *_level_features.csv files.
[[nodiscard]] MeasurementSet import_irene(const std::string& folder);

// The sizes of a matrix product y(m x n) = x(m x k) w(k x n) behind a row.
struct ProductSizes {
  std::uint64_t m = 1, n = 1, k = 1;
};
// Of "Linear" and "Conv1D" rows; `megaflops` and `mebibytes` as the files have them.
[[nodiscard]] ProductSizes decode_product(bool is_conv1d, double batch, double sequence, double megaflops,
                                          double mebibytes);

}  // namespace edgejoule::measurements
