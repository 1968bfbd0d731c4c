// Coefficient tables for tests: start from a small sound one, change it, pack it.
//
// Lifetime: packed bytes own themselves; views of core borrow them.
#pragma once

#include <initializer_list>
#include <limits>
#include <string>

#include "edgejoule/core/table.h"
#include "files/file_bytes.h"
#include "schemas/table_generated.h"

namespace edgejoule::test {

// Boundary "rails" {VDD_CPU}, above idle, one CPU engine with 2 MiB of last-level
// cache, two operating points, and the roofline row: 2 pJ/MAC + 10 pJ/tensor byte.
[[nodiscard]] wire::CoefficientTableT sound_table();

// Appends a row; the reference lives until the next one is appended.
wire::RowT& add_row(wire::CoefficientTableT& table, Level level, OpKind kind, DataType data_type = DataType::kUnknown);
wire::RowT& add_class_row(wire::CoefficientTableT& table, OpClass op_class);
wire::RowT& add_module_row(wire::CoefficientTableT& table, OpKind kind, float children_gain);

struct TermSpec {
  Feature feature = Feature::kMacs;
  float coefficient = 0.0F;
  Unit unit = Unit::kPicojoule;
  float min = -std::numeric_limits<float>::infinity();
  float max = std::numeric_limits<float>::infinity();
  Tile tile = {};
};
wire::TermT& add_term(wire::RowT& row, const TermSpec& term);
void add_condition(wire::RowT& row, Feature feature, float min, float max);  // infinite: open

// Symmetric quantiles of a spread: 2.5 % at -2s, 5 % at -1.6s, 10 % at -1.3s, 25 % at
// -0.7s, 50 % at 0 and so on.
[[nodiscard]] std::unique_ptr<wire::ResidualT> residual(float s, std::uint32_t groups, float shared_sigma = 0.0F,
                                                        float independent_sigma = 0.0F);

void add_static(wire::CoefficientTableT& table, std::uint8_t engine, EngineState state, float milliwatts,
                std::uint8_t operating_point = kAnyOperatingPoint);

[[nodiscard]] files::FileBytes pack(const wire::CoefficientTableT& table);

}  // namespace edgejoule::test
