#include "measurements/irene_csv.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "fit/design.h"

namespace edgejoule::measurements {
namespace {

constexpr double kMebi = 1048576;

TEST(IreneDecoding, FindsTheSizesOfALinearLayer) {
  // batch 8, 64 tokens, 768 -> 3072 with bias; counted as the profiler does.
  const double m = 8 * 64, n = 3072, k = 768;
  const double megaflops = m * n * (2 * k + 1) * 1e-6, mebibytes = 4 * (8 * n * k + m * k + 3 * m * n) / kMebi;
  const ProductSizes sizes = decode_product(false, 8, 64, megaflops, mebibytes);
  EXPECT_EQ(sizes.m, 512U);
  EXPECT_EQ(sizes.n, 3072U);
  EXPECT_EQ(sizes.k, 768U);
}

TEST(IreneDecoding, FindsAPoolerThatSeesOneRowPerSample) {
  const double m = 16, n = 768, k = 768;
  const ProductSizes sizes = decode_product(false, 16, 96, 2 * m * n * k * 1e-6, 4 * (n * k + m * (n + k)) / kMebi);
  EXPECT_EQ(sizes.m, 16U);
  EXPECT_EQ(sizes.n, 768U);
  EXPECT_EQ(sizes.k, 768U);
}

TEST(IreneDecoding, FindsTheSizesOfGptsConv1d) {
  const double m = 24 * 32, n = 2304, k = 768;
  const ProductSizes sizes = decode_product(true, 24, 32, 2 * m * n * k * 1e-6, 4 * (n * k + m * (n + k)) / kMebi);
  EXPECT_EQ(sizes.m, 768U);
  EXPECT_EQ(sizes.n, 2304U);
  EXPECT_EQ(sizes.k, 768U);
}

Measurement op(OpKind kind) {
  Measurement m;
  m.kind = kind;
  m.op_class = class_of(kind);
  return m;
}

TEST(Observations, PartsMeasuredTogetherAddUp) {
  MeasurementSet set;
  Measurement pair = op(OpKind::kBatchMatmul);
  Part part{OpKind::kBatchMatmul, OpClass::kMatrix, DataType::kFloat32, {}, 0.5};
  part.facts.set(Fact::kRowsM, 4).set(Fact::kColsN, 8).set(Fact::kDepthK, 2);
  auto parts = std::make_shared<std::vector<Part>>(2, part);
  parts->back().facts.set(Fact::kDepthK, 6);
  pair.parts = parts;
  pair.time_seconds = 2e-3;
  pair.counter_joules = 0.5;
  set.measurements = {pair};
  const fit::Observations observations(set);
  const std::vector<std::size_t> rows = {0};
  const std::vector<fit::TermSpec> terms = {{Feature::kMacs, {}}, {Feature::kTime, {}}, {Feature::kCounterEnergy, {}}};
  const Eigen::MatrixXd columns = observations.columns(rows, terms);
  EXPECT_DOUBLE_EQ(columns(0, 0), 0.5 * (4 * 8 * 2) + 0.5 * (4 * 8 * 6));
  EXPECT_DOUBLE_EQ(columns(0, 1), 2e-3);
  EXPECT_DOUBLE_EQ(columns(0, 2), 0.5);
}

TEST(IreneData, IsReadWhole) {
  const char* shared = std::getenv("EDGEJOULE_SHARED_DIR");
  const std::string folder = std::string(shared == nullptr ? "" : shared) + "/data/irene_device_1";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not there";
  const MeasurementSet set = import_irene(folder);
  double rows = 0;
  std::size_t first_module = set.measurements.size();
  for (std::size_t i = 0; i < set.measurements.size(); ++i) {
    const Measurement& m = set.measurements[i];
    rows += m.weight;
    if (m.level != NodeLevel::kOp && first_module > i) first_module = i;
    for (const Child& child : m.children) ASSERT_LT(child.index, i) << "children stand before their parents";
    if (m.kind == OpKind::kDense || m.kind == OpKind::kConv1d) {
      const double flops =
          2.0 * static_cast<double>(m.facts[Fact::kRowsM] * m.facts[Fact::kColsN] * m.facts[Fact::kDepthK]);
      ASSERT_NEAR(flops / (m.source_columns[2] * 1e6), 1, 2e-3) << m.origin;
    }
  }
  EXPECT_GT(rows, 20000);
  EXPECT_GT(first_module, 1000U);
}

}  // namespace
}  // namespace edgejoule::measurements
