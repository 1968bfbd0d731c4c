#include <gtest/gtest.h>

#include <cmath>

#include "fixture.h"

// Rows that answer together, and rows corrected around what was measured.
namespace edgejoule::test {
namespace {

wire::CorrectionT correction(Feature axis, float length, std::vector<float> positions, std::vector<float> heights) {
  wire::CorrectionT file;
  file.axes = {static_cast<wire::Feature>(axis)};
  file.length_octaves = length;
  file.positions = std::move(positions);
  file.heights = std::move(heights);
  return file;
}

wire::RowT& add_member(wire::CoefficientTableT& table, std::uint8_t member, float picojoules) {
  wire::RowT& row = add_row(table, Level::kOpAndType, OpKind::kDense, DataType::kFloat32);
  row.member = member;
  add_term(row, {Feature::kMacs, picojoules});
  return row;
}

OpDescriptor dense(std::uint64_t m) {
  OpDescriptor op;
  op.kind = OpKind::kDense;
  op.data_type = DataType::kFloat32;
  op.facts = dense_facts(1, m, 64, 64);
  return op;
}

float picojoules_per_mac(const Prepared& prepared, const OpDescriptor& op) {
  const Estimate estimate = Prepared::value(prepared.plan().estimate(op, {}, Confidence::k90), "estimate");
  const WorkCounts work = Prepared::value(count_work(OpClass::kMatrix, op.facts), "count");
  return estimate.dynamic.value() * 1e12F / static_cast<float>(work.macs);
}

Error refusal(const wire::CoefficientTableT& table) {
  const files::FileBytes bytes = pack(table);
  const Result<CoefficientTable> opened = CoefficientTable::open(bytes.span());
  return opened ? Error::kInvalidArgument : opened.error();
}

}  // namespace

TEST(Committee, TheMemberInTheMiddleAnswers) {
  wire::CoefficientTableT table = sound_table();
  add_member(table, 1, 9.0F);
  add_member(table, 2, 2.0F);
  add_member(table, 3, 4.0F);
  EXPECT_NEAR(picojoules_per_mac(Prepared(table), dense(8)), 4.0F, 1e-4F);
}

TEST(Committee, OnlyMembersWhoseConditionsHoldVote) {
  wire::CoefficientTableT table = sound_table();
  add_condition(add_member(table, 1, 9.0F), Feature::kGemmM, -INFINITY, 16.0F);
  add_condition(add_member(table, 1, 1.0F), Feature::kGemmM, 16.0F, INFINITY);
  add_member(table, 2, 2.0F);
  add_member(table, 3, 4.0F);
  const Prepared prepared(table);
  EXPECT_NEAR(picojoules_per_mac(prepared, dense(8)), 4.0F, 1e-4F);   // 9, 2, 4
  EXPECT_NEAR(picojoules_per_mac(prepared, dense(64)), 2.0F, 1e-4F);  // 1, 2, 4
}

TEST(Committee, TheLowerOfTwoInTheMiddleAnswers) {
  wire::CoefficientTableT table = sound_table();
  add_member(table, 1, 9.0F);
  add_member(table, 5, 3.0F);
  EXPECT_NEAR(picojoules_per_mac(Prepared(table), dense(8)), 3.0F, 1e-4F);
}

TEST(Committee, GraphsAndExplanationsUseTheSameMember) {
  wire::CoefficientTableT table = sound_table();
  add_member(table, 1, 9.0F);
  add_member(table, 2, 2.0F);
  add_member(table, 3, 4.0F);
  const Bound bound(table, graph_of({{.kind = OpKind::kDense, .facts = dense_facts(1, 8, 64, 64)}}));
  const std::vector<NodeEstimate> nodes = bound.predict();
  EXPECT_NEAR(nodes[1].dynamic.value(), 4e-12F * 8 * 64 * 64, 1e-13F);
  EXPECT_EQ(bound.table().row(bound.predictor().row_of(1)).member(), 3);
  TermShare terms[kMaxTermsPerRow];
  ASSERT_EQ(Prepared::value(bound.predictor().explain(1, {}, terms), "explain"), 1U);
  EXPECT_FLOAT_EQ(terms[0].contribution, nodes[1].own.value());
}

TEST(Committee, SameMemberTwiceIsADuplicateAndOthersAreNot) {
  wire::CoefficientTableT table = sound_table();
  add_member(table, 1, 9.0F);
  add_member(table, 2, 9.0F);
  EXPECT_EQ(refusal(table), Error::kInvalidArgument) << "two members of one committee";
  add_member(table, 2, 3.0F);
  EXPECT_EQ(refusal(table), Error::kDuplicateRow);
}

TEST(Committee, MembersAreNumberedToSevenAndNeedNoRuntimeFacts) {
  wire::CoefficientTableT table = sound_table();
  wire::RowT& row = add_member(table, 8, 1.0F);
  EXPECT_EQ(refusal(table), Error::kBadRange);
  row.member = 1;
  add_term(row, {Feature::kTime, 2.0F, Unit::kWatt});
  EXPECT_EQ(refusal(table), Error::kBadRange);
}

TEST(Correction, MultipliesAroundMeasuredSizesAndFadesAway) {
  wire::CoefficientTableT table = sound_table();
  wire::RowT& row = add_row(table, Level::kOpAndType, OpKind::kDense, DataType::kFloat32);
  add_term(row, {Feature::kMacs, 2.0F});
  // One octave up at m = 64, half an octave down at m = 4.
  row.correction = std::make_unique<wire::CorrectionT>(correction(Feature::kGemmM, 0.5F, {6.0F, 2.0F}, {1.0F, -0.5F}));
  const Prepared prepared(table);
  EXPECT_NEAR(picojoules_per_mac(prepared, dense(64)), 4.0F, 1e-4F);
  EXPECT_NEAR(picojoules_per_mac(prepared, dense(4)), 2.0F * std::exp2(-0.5F), 1e-4F);
  EXPECT_NEAR(picojoules_per_mac(prepared, dense(128)), 2.0F * std::exp2(std::exp(-2.0F)), 1e-4F);
  EXPECT_FLOAT_EQ(picojoules_per_mac(prepared, dense(65536)), 2.0F);
}

TEST(Correction, IsPartOfWhatIsExplainedAndOfOtherBatches) {
  wire::CoefficientTableT table = sound_table();
  wire::RowT& row = add_row(table, Level::kOpAndType, OpKind::kDense, DataType::kFloat32);
  add_term(row, {Feature::kMacs, 2.0F});
  add_term(row, {Feature::kWeightBytes, 50.0F});
  row.correction = std::make_unique<wire::CorrectionT>(correction(Feature::kGemmN, 0.5F, {6.0F}, {1.0F}));
  const Bound bound(table, graph_of({{.kind = OpKind::kDense, .facts = dense_facts(1, 8, 64, 64)}}));
  PredictInputs inputs;
  for (const float ratio : {1.0F, 3.0F}) {
    inputs.batch_ratio = ratio;
    const NodeEstimate node = bound.predict(inputs)[1];
    TermShare terms[kMaxTermsPerRow];
    ASSERT_EQ(Prepared::value(bound.predictor().explain(1, inputs, terms), "explain"), 2U);
    EXPECT_NEAR(terms[0].contribution + terms[1].contribution, node.own.value(), 1e-5F * node.own.value());
    EXPECT_EQ(node.flags.has(Flag::kBatchScaled), ratio != 1.0F);
  }
}

TEST(Correction, OfAModuleMultipliesItsChildrenToo) {
  wire::CoefficientTableT table = sound_table();
  wire::RowT& op = add_row(table, Level::kOpAndType, OpKind::kDense, DataType::kFloat32);
  add_term(op, {Feature::kMacs, 2.0F});
  wire::RowT& module = add_row(table, Level::kOp, OpKind::kBlock, DataType::kUnknown);
  add_term(module, {Feature::kOne, 7.0F});
  module.children_gain = 1.5F;
  module.correction = std::make_unique<wire::CorrectionT>(correction(Feature::kBatch, 0.5F, {0.0F}, {1.0F}));
  const Bound bound(table, graph_of({{.kind = OpKind::kBlock, .parent = 0},
                                     {.kind = OpKind::kDense, .parent = 1, .facts = dense_facts(1, 8, 64, 64)}}));
  const auto nodes = bound.predict({});
  const float children = nodes[2].dynamic.value();
  EXPECT_NEAR(nodes[1].dynamic.value(), 2.0F * (7e-12F + 1.5F * children), 1e-5F * nodes[1].dynamic.value());
  EXPECT_NEAR(nodes[0].dynamic.value(), nodes[1].dynamic.value(), 1e-18F) << "a root without a row: its children";
}

TEST(Correction, StaysWithinSixteenfoldWhateverTheFileSays) {
  wire::CoefficientTableT table = sound_table();
  wire::RowT& row = add_row(table, Level::kOpAndType, OpKind::kDense, DataType::kFloat32);
  add_term(row, {Feature::kMacs, 2.0F});
  row.correction = std::make_unique<wire::CorrectionT>(correction(Feature::kGemmM, 1.0F, {6.0F, 6.0F}, {60.0F, 60.0F}));
  EXPECT_NEAR(picojoules_per_mac(Prepared(table), dense(64)), 32.0F, 1e-3F);
}

TEST(Correction, IsCheckedBeforeItIsRead) {
  const auto with = [](wire::CorrectionT file) {
    wire::CoefficientTableT table = sound_table();
    wire::RowT& row = add_row(table, Level::kOpAndType, OpKind::kDense, DataType::kFloat32);
    add_term(row, {Feature::kMacs, 2.0F});
    row.correction = std::make_unique<wire::CorrectionT>(std::move(file));
    return refusal(table);
  };
  EXPECT_EQ(with(correction(Feature::kGemmM, 1.0F, {6.0F}, {1.0F})), Error::kInvalidArgument) << "a sound one";
  EXPECT_EQ(with(correction(Feature::kGemmM, 1.0F, {6.0F}, {1.0F, 2.0F})), Error::kBadIndex);
  EXPECT_EQ(with(correction(Feature::kGemmM, 0.0F, {6.0F}, {1.0F})), Error::kBadRange);
  EXPECT_EQ(with(correction(Feature::kGemmM, NAN, {6.0F}, {1.0F})), Error::kNotFinite);
  EXPECT_EQ(with(correction(Feature::kGemmM, 1.0F, {INFINITY}, {1.0F})), Error::kNotFinite);
  EXPECT_EQ(with(correction(Feature::kGemmM, 1.0F, {6.0F}, {65.0F})), Error::kBadRange);
  EXPECT_EQ(with(correction(Feature::kTime, 1.0F, {6.0F}, {1.0F})), Error::kUnknownValue);
  EXPECT_EQ(with(correction(static_cast<Feature>(999), 1.0F, {6.0F}, {1.0F})), Error::kUnknownValue);
  EXPECT_EQ(with(correction(Feature::kGemmM, 1.0F, std::vector<float>(129), std::vector<float>(129))),
            Error::kTooLarge);
  wire::CorrectionT no_axes = correction(Feature::kGemmM, 1.0F, {}, {});
  no_axes.axes.clear();
  EXPECT_EQ(with(no_axes), Error::kMissingField);
}

}  // namespace edgejoule::test
