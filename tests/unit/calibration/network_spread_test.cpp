#include "calibration/network_spread.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <random>

#include "fit/table_writer.h"
#include "graph/ops.h"
#include "measurements/whole_model.h"
#include "pricing/set_pricer.h"
#include "support/measured_ops.h"

namespace edgejoule::calibration {
namespace {

using measurements::Measurement;
using measurements::MeasurementSet;

graph::OpNode stream(std::uint64_t elements) {
  const graph::ElementwiseParams p{
      .kind = OpKind::kRelu, .inputs = {{.elements = elements}}, .output = {.elements = elements}};
  return graph::elementwise({}, p);
}

double joules_of(std::uint64_t elements) {
  return 1e-5 + 1e-10 * static_cast<double>(elements);
}

// Single ops, each a per cent off for reasons of its own.
MeasurementSet ops() {
  MeasurementSet set = test::empty_set();
  std::mt19937 random(11);
  std::normal_distribution<double> noise(0, 0.01);
  for (int i = 0; i < 40; ++i) {
    const auto elements = static_cast<std::uint64_t>(10'000 * (i + 1));
    const double joules = joules_of(elements) * std::exp(noise(random));
    set.measurements.push_back(test::measured_op(stream(elements), joules, "size" + std::to_string(i)));
  }
  return set;
}

// Networks of thirty such ops, all of one off by the same.
MeasurementSet networks(int count, double sigma, std::uint32_t seed) {
  MeasurementSet set = test::empty_set();
  std::mt19937 random(seed);
  std::normal_distribution<double> alike(0, sigma);
  std::uniform_int_distribution<std::uint64_t> size(10'000, 400'000);
  for (int n = 0; n < count; ++n) {
    measurements::ModelParts parts;
    auto list = std::make_shared<std::vector<measurements::Part>>();
    double joules = 0;
    for (int i = 0; i < 30; ++i) {
      const std::uint64_t elements = size(random);
      const graph::OpNode op = stream(elements);
      list->push_back({op.kind, op.op_class, DataType::kFloat32, op.facts, 1});
      joules += joules_of(elements);
    }
    parts.data_type = DataType::kFloat32;
    parts.family = "network" + std::to_string(n);
    parts.parts = std::move(list);
    Measurement m = measurements::whole_model(parts, parts.family);
    m.energy_joules = joules * std::exp(alike(random));
    m.origin = parts.family;
    set.measurements.push_back(m);
  }
  return set;
}

double share_inside(const MeasurementSet& set, const fit::FittedTable& fitted, const MeasurementSet& others) {
  pricing::SetPricer pricer(others, fit::write_table(fitted, set, {"test", "2026-01-01", "test"}), {});
  double inside = 0;
  for (std::size_t i = 0; i < others.measurements.size(); ++i) {
    const pricing::Priced priced = pricer.price(i);
    EXPECT_EQ(priced.problem, "");
    const double joules = others.measurements[i].energy_joules;
    inside += joules >= priced.lower && joules <= priced.upper ? 1 : 0;
  }
  return inside / static_cast<double>(others.measurements.size());
}

TEST(NetworkSpread, WidensIntervalsUntilTheyHoldOfOtherNetworks) {
  const MeasurementSet set = ops();
  const MeasurementSet unseen = networks(200, 0.08, 2);
  fit::FittedTable fitted = fit::fit_table(set);
  EXPECT_LT(share_inside(set, fitted, unseen), 0.5) << "rows alone promise what they cannot hold";
  const NetworkSpread spread = widen_by_networks(set, networks(12, 0.08, 3), fitted);
  EXPECT_EQ(spread.networks, 12U);
  EXPECT_NEAR(spread.sigma, 0.08, 0.04);
  EXPECT_GT(share_inside(set, fitted, unseen), 0.8);
}

TEST(NetworkSpread, LeavesWhatHoldsAlready) {
  const MeasurementSet set = ops();
  fit::FittedTable fitted = fit::fit_table(set);
  const float before = fitted.rows.front().residual.shared_sigma;
  const NetworkSpread spread = widen_by_networks(set, networks(12, 0, 3), fitted);
  EXPECT_LT(spread.sigma, 0.01);
  EXPECT_NEAR(fitted.rows.front().residual.shared_sigma, before, 0.01F);
}

TEST(NetworkSpread, LearnsNothingFromTwo) {
  const MeasurementSet set = ops();
  fit::FittedTable fitted = fit::fit_table(set);
  EXPECT_EQ(widen_by_networks(set, networks(2, 0.3, 3), fitted).sigma, 0);
}

}  // namespace
}  // namespace edgejoule::calibration
