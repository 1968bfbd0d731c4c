#include "edgejoule/core/features.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "support/graph_fixture.h"

namespace edgejoule::test {
namespace {

float value(Feature feature, OpClass op_class, const Facts& facts, Tile tile = {}, CacheState cache = {}) {
  const auto op = measure_op(op_class, facts);
  EXPECT_TRUE(op.ok());
  return feature_value(feature, *op, tile, cache);
}

TEST(Features, AreCastFromExactCounts) {
  const Facts facts = conv_facts(2, 10, 10, 8, 16, 3, 2, 4).set(Fact::kDilationH, 2).set(Fact::kScaleBytes, 64);
  const auto conv = [&](Feature feature) { return value(feature, OpClass::kConvolution, facts); };
  EXPECT_EQ(conv(Feature::kOne), 1.0F);
  EXPECT_EQ(conv(Feature::kMacs), 2.0F * 5 * 5 * 16 * 2 * 9);
  EXPECT_EQ(conv(Feature::kInputBytes), 4.0F * 2 * 100 * 8);
  EXPECT_EQ(conv(Feature::kOutputBytes), 4.0F * 2 * 25 * 16);
  EXPECT_EQ(conv(Feature::kActivationBytes), 6400.0F + 3200.0F);
  EXPECT_EQ(conv(Feature::kWeightBytes), 4.0F * 16 * 2 * 9);
  EXPECT_EQ(conv(Feature::kTensorBytes), 6400.0F + 3200.0F + 1152.0F + 64.0F);
  EXPECT_EQ(conv(Feature::kWorkingSetBytes), conv(Feature::kTensorBytes));
  EXPECT_EQ(conv(Feature::kParameters), 288.0F);
  EXPECT_EQ(conv(Feature::kBatch), 2.0F);
  EXPECT_EQ(conv(Feature::kGemmBatch), 4.0F);
  EXPECT_EQ(conv(Feature::kGemmM), 50.0F);
  EXPECT_EQ(conv(Feature::kGemmN), 4.0F);
  EXPECT_EQ(conv(Feature::kGemmK), 18.0F);
  EXPECT_EQ(conv(Feature::kKernelArea), 9.0F);
  EXPECT_EQ(conv(Feature::kStrideArea), 4.0F);
  EXPECT_EQ(conv(Feature::kDilationArea), 2.0F);
  EXPECT_EQ(conv(Feature::kGroups), 4.0F);
  EXPECT_EQ(conv(Feature::kChannelsPerGroup), 2.0F);
  EXPECT_EQ(conv(Feature::kOutChannels), 16.0F);
  EXPECT_EQ(conv(Feature::kOutPositions), 50.0F);
  EXPECT_EQ(conv(Feature::kOutputPixelsPerChannel), 25.0F);
  EXPECT_FLOAT_EQ(conv(Feature::kArithmeticIntensity), conv(Feature::kMacs) / conv(Feature::kTensorBytes));
  EXPECT_EQ(conv(Feature::kTime), 0.0F);
}

TEST(Features, TilesRoundUpEachSide) {
  Facts facts;
  facts.set(Fact::kBatch, 3).set(Fact::kRowsM, 65).set(Fact::kColsN, 64).set(Fact::kDepthK, 1);
  EXPECT_EQ(value(Feature::kTiledMacs, OpClass::kMatrix, facts, {64, 64, 8}), 3.0F * 128 * 64 * 8);
  EXPECT_EQ(value(Feature::kTiledMacs, OpClass::kMatrix, facts, {0, 1, 8}), 3.0F * 65 * 64 * 8);
  EXPECT_EQ(value(Feature::kTiledOutputs, OpClass::kMatrix, facts, {64, 48, 8}), 3.0F * 128 * 96);
  EXPECT_EQ(value(Feature::kTiledMacs, OpClass::kMatrix, facts), value(Feature::kMacs, OpClass::kMatrix, facts));
  EXPECT_EQ(value(Feature::kTiledMacs, OpClass::kSoftmax, facts, {64, 64, 8}), 0.0F);
}

TEST(Features, TilesShrinkToFewRows) {
  const Facts facts = dense_facts(1, 5, 16, 100);  // m 5, n 100, k 16
  EXPECT_EQ(value(Feature::kTiledMacs, OpClass::kMatrix, facts, {64, 64, 0}), 64.0F * 128 * 16);
  EXPECT_EQ(value(Feature::kShrunkTiledMacs, OpClass::kMatrix, facts, {64, 64, 0}), 8.0F * 128 * 16);
  EXPECT_EQ(value(Feature::kShrunkTiledMacs, OpClass::kMatrix, dense_facts(1, 65, 16, 100), {64, 64, 0}),
            128.0F * 128 * 16);
}

TEST(Features, RowsOfTheOutputArePaddedOneByOne) {
  Facts facts;
  facts.set(Fact::kRowsM, 6).set(Fact::kOutputElements, 6 * 40);
  EXPECT_EQ(value(Feature::kRows, OpClass::kSoftmax, facts, {}), 6.0F);
  EXPECT_EQ(value(Feature::kPaddedElements, OpClass::kSoftmax, facts, {0, 32, 0}), 6.0F * 64);
}

TEST(Features, ChannelsAreThoseOfOneGroup) {
  const Facts facts = conv_facts(1, 10, 10, 24, 8, 3, 1, 4);  // 6 in, 2 out in each of 4 groups
  EXPECT_EQ(value(Feature::kChannelsPerGroup, OpClass::kConvolution, facts, {}), 6.0F);
  EXPECT_EQ(value(Feature::kOutChannelsPerGroup, OpClass::kConvolution, facts, {}), 2.0F);
  EXPECT_EQ(value(Feature::kChannelRatio, OpClass::kConvolution, facts, {}), 3.0F);
  EXPECT_EQ(value(Feature::kChannelProduct, OpClass::kConvolution, facts, {}), 12.0F);
  EXPECT_EQ(value(Feature::kLeastChannels, OpClass::kConvolution, facts, {}), 2.0F);
  EXPECT_EQ(value(Feature::kMostChannels, OpClass::kConvolution, facts, {}), 6.0F);
  EXPECT_EQ(value(Feature::kInPixelsPerChannel, OpClass::kConvolution, facts, {}), 100.0F);
}

TEST(Features, TransformsWorkOnWholeTiles) {
  Facts facts;  // 3 x 3 on 30 x 30 outputs sees 32 points: three tiles of 16, 14 outputs each, along a side
  facts.set(Fact::kOutH, 30).set(Fact::kOutW, 30).set(Fact::kInC, 8).set(Fact::kOutC, 4).set(Fact::kGroups, 2);
  facts.set(Fact::kKernelH, 3).set(Fact::kKernelW, 3);
  const Tile tile{16, 0, 0};
  const float points = 3 * 3 * 256;
  EXPECT_EQ(value(Feature::kTransformInputs, OpClass::kConvolution, facts, tile), 8 * points);
  EXPECT_EQ(value(Feature::kTransformOutputs, OpClass::kConvolution, facts, tile), 4 * points);
  EXPECT_EQ(value(Feature::kTransformProducts, OpClass::kConvolution, facts, tile), 8 * 2 * points);
  EXPECT_EQ(value(Feature::kTransformWeights, OpClass::kConvolution, facts, tile), 8.0F * 2 * 256);
  // Patches of 16 x 16, as a vision transformer takes them, are never transformed in such tiles.
  facts.set(Fact::kKernelH, 16);
  EXPECT_EQ(value(Feature::kTransformOutputs, OpClass::kConvolution, facts, tile), 0.0F);
  EXPECT_EQ(value(Feature::kTransformInputs, OpClass::kMatrix, facts, tile), 0.0F);
}

TEST(Features, PatchesAreWhatIm2colWrites) {
  const Facts three = conv_facts(1, 10, 10, 8, 16, 3);
  EXPECT_EQ(value(Feature::kPatchBytes, OpClass::kConvolution, three), 100.0F * 72 * 4);
  const Facts pointwise = conv_facts(1, 10, 10, 8, 16, 1);
  EXPECT_EQ(value(Feature::kPatchBytes, OpClass::kConvolution, pointwise), 0.0F) << "nothing to rearrange";
  const Facts strided = conv_facts(1, 10, 10, 8, 16, 1, 2);
  EXPECT_EQ(value(Feature::kPatchBytes, OpClass::kConvolution, strided), 25.0F * 8 * 4);
  EXPECT_EQ(value(Feature::kPatchBytes, OpClass::kPooling, three), 0.0F);
}

TEST(Features, DramTrafficIsWhatDoesNotStayInTheCache) {
  Facts facts;
  facts.set(Fact::kInputBytes, 600).set(Fact::kOutputBytes, 500).set(Fact::kWeightBytes, 90).set(Fact::kScaleBytes, 10);
  const auto dram = [&](std::uint64_t last_level, std::uint64_t model_weights) {
    return value(Feature::kDramBytes, OpClass::kMatrix, facts, {}, {last_level, model_weights});
  };
  EXPECT_EQ(dram(0, 0), 1200.0F) << "unknown cache: all traffic counts";
  EXPECT_EQ(dram(1100, 1100), 0.0F) << "both fit";
  EXPECT_EQ(dram(1100, 1101), 100.0F) << "weights of the model do not";
  EXPECT_EQ(dram(1099, 1000), 1100.0F) << "the op's activations do not";
  EXPECT_EQ(dram(99, 100), 1200.0F);
}

TEST(Features, AreNeverInfiniteNanOrNegative) {
  std::mt19937_64 random(5);
  std::size_t measured = 0;
  for (int trial = 0; trial < 20000; ++trial) {
    Facts facts;
    for (std::size_t fact = 0; fact < kFactCount; ++fact) {
      if (random() % 4 == 0) facts.set(static_cast<Fact>(fact), random() >> (random() % 64));
    }
    if (random() % 2 == 0) facts.set(Fact::kGroups, 1);
    const auto op_class = static_cast<OpClass>(random() % 17);
    const auto op = measure_op(op_class, facts);
    if (!op.ok()) continue;
    ++measured;
    for (std::uint16_t number = 0; number < 67; ++number) {
      const auto feature = static_cast<Feature>(number);
      const Tile tile{65535, 65535, static_cast<std::uint16_t>(random())};
      const float v = feature_value(feature, *op, tile, {random() % 2 * 1000, 0});
      ASSERT_TRUE(std::isfinite(v) && v >= 0.0F) << "feature " << number << " is " << v;
      const BatchParts parts = split_by_batch(feature, *op, tile, {});
      ASSERT_TRUE(std::isfinite(parts.constant) && std::isfinite(parts.proportional));
    }
  }
  EXPECT_GT(measured, 1000U);
}

TEST(Features, PartsByBatchAddUpAndPredictTheNextBatch) {
  const Tile tile{16, 16, 16};
  const auto parts_of = [&](Feature feature, OpClass op_class, const Facts& facts) {
    return split_by_batch(feature, *measure_op(op_class, facts), tile, {});
  };
  for (std::uint16_t number = 0; number <= static_cast<std::uint16_t>(Feature::kModuleShape); ++number) {
    const auto feature = static_cast<Feature>(number);
    ASSERT_TRUE(is_known(feature));
    const auto check = [&](OpClass op_class, const Facts& at_two, const Facts& at_six) {
      const BatchParts parts = parts_of(feature, op_class, at_two);
      EXPECT_FLOAT_EQ(parts.constant + parts.proportional, value(feature, op_class, at_two, tile)) << number;
      if (parts.exact) {
        EXPECT_FLOAT_EQ(parts.constant + 3.0F * parts.proportional, value(feature, op_class, at_six, tile)) << number;
      }
      EXPECT_EQ(changes_with_batch(feature) || parts.proportional == 0.0F, true) << number;
    };
    check(OpClass::kConvolution, conv_facts(2, 10, 9, 8, 16, 3, 2, 4), conv_facts(6, 10, 9, 8, 16, 3, 2, 4));
    check(OpClass::kMatrix, dense_facts(2, 5, 7, 11), dense_facts(6, 5, 7, 11));
  }
}

TEST(Features, KnowsWhichNumbersItCanInterpret) {
  EXPECT_TRUE(is_known(Feature::kUtilisationTime));
  EXPECT_FALSE(is_known(static_cast<Feature>(57)));
  EXPECT_FALSE(is_known(static_cast<Feature>(63)));
  EXPECT_FALSE(is_known(static_cast<Feature>(67)));
  EXPECT_TRUE(is_runtime(Feature::kTime));
  EXPECT_FALSE(is_runtime(Feature::kOne));
}

TEST(MeasureOp, NamesOverflowOfEverySumItKeeps) {
  const std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
  const auto error_of = [](const Facts& facts) { return measure_op(OpClass::kPooling, facts).error(); };
  EXPECT_EQ(error_of(Facts().set(Fact::kInputBytes, max).set(Fact::kOutputBytes, 1)), Error::kOverflow);
  EXPECT_EQ(error_of(Facts().set(Fact::kWeightBytes, max).set(Fact::kScaleBytes, 1)), Error::kOverflow);
  EXPECT_EQ(error_of(Facts().set(Fact::kWeightBytes, max).set(Fact::kInputBytes, 1)), Error::kOverflow);
  EXPECT_EQ(error_of(Facts().set(Fact::kKernelH, max).set(Fact::kKernelW, 2)), Error::kOverflow);
  EXPECT_EQ(error_of(Facts().set(Fact::kStrideH, max).set(Fact::kStrideW, 2)), Error::kOverflow);
  EXPECT_EQ(error_of(Facts().set(Fact::kDilationH, max).set(Fact::kDilationW, 2)), Error::kOverflow);
  EXPECT_EQ(error_of(Facts().set(Fact::kOutH, max).set(Fact::kOutW, 2)), Error::kOverflow);
}

}  // namespace
}  // namespace edgejoule::test
