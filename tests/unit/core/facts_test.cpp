#include "edgejoule/core/facts.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace edgejoule {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max() - 1;  // the largest count

TEST(CountWork, ConvolutionMultipliesOutputPositionsChannelsAndKernel) {
  Facts facts;  // 1 x 3 x 224 x 224 -> 64 x 112 x 112, 7 x 7: ResNet's first layer
  facts.set(Fact::kOutH, 112).set(Fact::kOutW, 112).set(Fact::kInC, 3).set(Fact::kOutC, 64);
  facts.set(Fact::kKernelH, 7).set(Fact::kKernelW, 7);
  EXPECT_EQ(count_work(OpClass::kConvolution, facts)->macs, 118013952U);
  facts.set(Fact::kBatch, 8);
  EXPECT_EQ(count_work(OpClass::kConvolution, facts)->macs, 8U * 118013952U);
}

TEST(CountWork, DepthwiseConvolutionIsGrouped) {
  Facts facts;  // 112 x 112 x 32, 3 x 3: MobileNet's second layer
  facts.set(Fact::kOutH, 112).set(Fact::kOutW, 112).set(Fact::kInC, 32).set(Fact::kOutC, 32);
  facts.set(Fact::kKernelH, 3).set(Fact::kKernelW, 3).set(Fact::kGroups, 32);
  EXPECT_EQ(count_work(OpClass::kConvolution, facts)->macs, 3612672U);
}

TEST(CountWork, ThreeDimensionalConvolutionMultipliesDepth) {
  Facts facts;
  facts.set(Fact::kOutD, 4).set(Fact::kOutH, 5).set(Fact::kOutW, 6).set(Fact::kInC, 2).set(Fact::kOutC, 3);
  facts.set(Fact::kKernelD, 2).set(Fact::kKernelH, 3).set(Fact::kKernelW, 3);
  EXPECT_EQ(count_work(OpClass::kConvolution, facts)->macs, 4U * 5 * 6 * 3 * 2 * 2 * 3 * 3);
}

TEST(CountWork, TransposedConvolutionCountsFromTheInput) {
  Facts facts;  // every input element meets every output channel and kernel position
  facts.set(Fact::kInH, 8).set(Fact::kInW, 8).set(Fact::kInC, 16).set(Fact::kOutH, 16).set(Fact::kOutW, 16);
  facts.set(Fact::kOutC, 4).set(Fact::kKernelH, 2).set(Fact::kKernelW, 2);
  EXPECT_EQ(count_work(OpClass::kTransposedConvolution, facts)->macs, 8U * 8 * 16 * 4 * 2 * 2);
}

TEST(CountWork, MatrixProductsMultiplyBatchAndAllThreeSides) {
  Facts facts;
  facts.set(Fact::kBatch, 12).set(Fact::kRowsM, 128).set(Fact::kColsN, 128).set(Fact::kDepthK, 64);
  EXPECT_EQ(count_work(OpClass::kMatrix, facts)->macs, 12582912U);
}

TEST(CountWork, RecurrentCountsGatesAndProjectionPerStep) {
  Facts facts;  // LSTM: 4 gates, 20 inputs, 32 cells, projected to 16, 10 steps, 2 directions, batch 3
  facts.set(Fact::kBatch, 3).set(Fact::kSteps, 10).set(Fact::kDirections, 2).set(Fact::kGates, 4);
  facts.set(Fact::kColsN, 32).set(Fact::kDepthK, 20).set(Fact::kRecurrentK, 16).set(Fact::kProjection, 16);
  EXPECT_EQ(count_work(OpClass::kRecurrent, facts)->macs, 3U * 10 * 2 * (4 * 32 * (20 + 16) + 32 * 16));
}

TEST(CountWork, AttentionCountsBothProducts) {
  Facts facts;  // 12 heads of 64, 128 queries over 200 keys
  facts.set(Fact::kHeads, 12).set(Fact::kRowsM, 128).set(Fact::kContext, 200).set(Fact::kDepthK, 64);
  EXPECT_EQ(count_work(OpClass::kAttention, facts)->macs, 12U * 128 * 200 * (64 + 64));
  facts.set(Fact::kValueK, 32);
  EXPECT_EQ(count_work(OpClass::kAttention, facts)->macs, 12U * 128 * 200 * (64 + 32));
}

TEST(CountWork, ElementWorkComesFromElementsAndStatedFacts) {
  Facts facts;
  facts.set(Fact::kInputElements, 100).set(Fact::kOutputElements, 50).set(Fact::kAluPerInput, 2);
  facts.set(Fact::kAluPerOutput, 3).set(Fact::kSpecialPerInput, 1).set(Fact::kSpecialPerOutput, 4);
  facts.set(Fact::kStatedMacs, 7).set(Fact::kStatedAlu, 11).set(Fact::kStatedSpecial, 13);
  const auto work = count_work(OpClass::kSoftmax, facts);
  ASSERT_TRUE(work.ok());
  EXPECT_EQ(work->macs, 7U);
  EXPECT_EQ(work->alu_ops, 2U * 100 + 3 * 50 + 11);
  EXPECT_EQ(work->special_ops, 100U + 4 * 50 + 13);
}

TEST(CountWork, RepeatsMultiplyEverythingAndOnceLeavesThemOut) {
  Facts facts;
  facts.set(Fact::kRowsM, 2).set(Fact::kColsN, 3).set(Fact::kDepthK, 5).set(Fact::kStatedAlu, 7);
  facts.set(Fact::kStatedSpecial, 11).set(Fact::kRepeats, 4);
  EXPECT_EQ(count_work(OpClass::kMatrix, facts)->macs, 120U);
  EXPECT_EQ(count_work(OpClass::kMatrix, facts)->alu_ops, 28U);
  EXPECT_EQ(count_work(OpClass::kMatrix, facts)->special_ops, 44U);
  EXPECT_EQ(count_once(OpClass::kMatrix, facts)->macs, 30U);
}

TEST(CountWork, ClassesWithoutFormulaHaveNoMacs) {
  Facts facts;
  facts.set(Fact::kOutH, 9).set(Fact::kKernelH, 3).set(Fact::kRowsM, 5);
  for (const OpClass op_class : {OpClass::kUnknown, OpClass::kElementwise, OpClass::kPooling, OpClass::kDataMovement,
                                 OpClass::kModule, static_cast<OpClass>(200)}) {
    EXPECT_EQ(count_work(op_class, facts)->macs, 0U) << static_cast<int>(op_class);
  }
}

TEST(CountWork, NamesOverflowInEveryFormula) {
  const auto error_of = [](OpClass op_class, const Facts& facts) { return count_work(op_class, facts).error(); };
  Facts conv;
  conv.set(Fact::kOutH, 1ULL << 40U).set(Fact::kOutW, 1ULL << 40U);
  EXPECT_EQ(error_of(OpClass::kConvolution, conv), Error::kOverflow);
  Facts transposed;
  transposed.set(Fact::kInH, kMax).set(Fact::kInW, 2);
  EXPECT_EQ(error_of(OpClass::kTransposedConvolution, transposed), Error::kOverflow);
  Facts matrix;
  matrix.set(Fact::kRowsM, kMax).set(Fact::kColsN, 2);
  EXPECT_EQ(error_of(OpClass::kMatrix, matrix), Error::kOverflow);
  Facts recurrent;
  recurrent.set(Fact::kDepthK, kMax).set(Fact::kRecurrentK, 1);
  EXPECT_EQ(error_of(OpClass::kRecurrent, recurrent), Error::kOverflow);
  Facts projection;
  projection.set(Fact::kColsN, 1ULL << 33U).set(Fact::kProjection, 1ULL << 33U).set(Fact::kDepthK, 1);
  EXPECT_EQ(error_of(OpClass::kRecurrent, projection), Error::kOverflow);
  Facts attention;
  attention.set(Fact::kContext, kMax).set(Fact::kDepthK, 2);
  EXPECT_EQ(error_of(OpClass::kAttention, attention), Error::kOverflow);
  Facts elements;
  elements.set(Fact::kInputElements, kMax).set(Fact::kAluPerInput, 2);
  EXPECT_EQ(error_of(OpClass::kElementwise, elements), Error::kOverflow);
  Facts repeats;
  repeats.set(Fact::kStatedMacs, kMax).set(Fact::kRepeats, 2);
  EXPECT_EQ(error_of(OpClass::kOpaque, repeats), Error::kOverflow);
  EXPECT_TRUE(count_once(OpClass::kOpaque, repeats).ok());
}

TEST(CountWork, AZeroFactorIsNoOverflow) {
  Facts facts;
  facts.set(Fact::kRowsM, kMax).set(Fact::kColsN, kMax).set(Fact::kDepthK, 0);
  EXPECT_EQ(count_work(OpClass::kMatrix, facts)->macs, 0U);
}

TEST(CountWork, GroupsMustDivideTheChannels) {
  Facts facts;
  facts.set(Fact::kInC, 6).set(Fact::kOutC, 8).set(Fact::kGroups, 4);
  for (const OpClass op_class : {OpClass::kConvolution, OpClass::kTransposedConvolution}) {
    EXPECT_EQ(count_work(op_class, facts).error(), Error::kBadRange);
    EXPECT_EQ(matrix_view(op_class, facts).error(), Error::kBadRange);
  }
  facts.set(Fact::kGroups, 0);
  EXPECT_EQ(count_work(OpClass::kConvolution, facts).error(), Error::kBadRange);
  EXPECT_TRUE(count_work(OpClass::kPooling, facts).ok());
}

TEST(MatrixView, ConvolutionIsOneProductPerGroup) {
  Facts facts;
  facts.set(Fact::kBatch, 2).set(Fact::kOutH, 5).set(Fact::kOutW, 7).set(Fact::kInC, 8).set(Fact::kOutC, 12);
  facts.set(Fact::kGroups, 4).set(Fact::kKernelH, 3).set(Fact::kKernelW, 3);
  const auto view = matrix_view(OpClass::kConvolution, facts);
  ASSERT_TRUE(view.ok());
  EXPECT_EQ(view->batch, 4U);
  EXPECT_EQ(view->m, 70U);
  EXPECT_EQ(view->n, 3U);
  EXPECT_EQ(view->k, 18U);
}

TEST(MatrixView, ProductIsTheMacsOfEveryClassThatHasOne) {
  Facts facts;
  facts.set(Fact::kBatch, 2).set(Fact::kInH, 3).set(Fact::kOutH, 5).set(Fact::kInC, 4).set(Fact::kOutC, 6);
  facts.set(Fact::kGroups, 2).set(Fact::kKernelW, 3).set(Fact::kRowsM, 7).set(Fact::kColsN, 11).set(Fact::kDepthK, 13);
  facts.set(Fact::kRecurrentK, 5).set(Fact::kGates, 4).set(Fact::kSteps, 3).set(Fact::kHeads, 2).set(Fact::kContext, 9);
  for (const OpClass op_class : {OpClass::kConvolution, OpClass::kTransposedConvolution, OpClass::kMatrix,
                                 OpClass::kRecurrent, OpClass::kAttention}) {
    const auto view = matrix_view(op_class, facts);
    ASSERT_TRUE(view.ok());
    EXPECT_EQ(view->batch * view->m * view->n * view->k, count_work(op_class, facts)->macs) << name_of(op_class);
  }
}

}  // namespace
}  // namespace edgejoule
