// The table of ONNX operators.
#include "import/onnx/ops.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/defs/schema.h>

#include <set>

#include "imported.h"
#include "support/onnx_models.h"

namespace edgejoule::import {
namespace {

TEST(OnnxOps, EveryNameStandsOncePerDomain) {
  std::set<std::pair<OnnxDomain, std::string_view>> seen;
  for (const OnnxOp& op : onnx_ops()) EXPECT_TRUE(seen.emplace(op.domain, op.name).second) << op.name;
}

TEST(OnnxOps, EveryRowIsFoundAndHasAKindAndAClass) {
  for (const OnnxOp& op : onnx_ops()) {
    const OnnxOp& found = onnx_op(op.domain == OnnxDomain::kStandard ? "" : "com.microsoft", op.name);
    EXPECT_EQ(&found, &op) << op.name;
    EXPECT_NE(op.kind, OpKind::kUnknown) << op.name;
    EXPECT_FALSE(is_module(op.kind)) << op.name;
  }
}

TEST(OnnxOps, ANameIsLookedUpInItsOwnDomainFirst) {
  EXPECT_EQ(onnx_op("", "Attention").rule, OnnxRule::kStandardAttention);
  EXPECT_EQ(onnx_op("com.microsoft", "Attention").rule, OnnxRule::kPackedAttention);
  EXPECT_EQ(onnx_op("", "SkipLayerNormalization").rule, OnnxRule::kSkipNormalisation);
  EXPECT_EQ(onnx_op("com.microsoft", "Conv").rule, OnnxRule::kConv);
  EXPECT_EQ(onnx_op("acme", "Conv").kind, OpKind::kUnknown);
}

// Operators of the library that have no row: counted by their bytes and named.
const std::set<std::string> kWithoutRow = {"AffineGrid",         "BlackmanWindow",
                                           "ConcatFromSequence", "Det",
                                           "HammingWindow",      "HannWindow",
                                           "ImageDecoder",       "MaxRoiPool",
                                           "MelWeightMatrix",    "NegativeLogLikelihoodLoss",
                                           "Optional",           "RegexFullMatch",
                                           "StringConcat",       "StringSplit",
                                           "OptionalGetElement", "OptionalHasElement",
                                           "SequenceAt",         "SequenceConstruct",
                                           "SequenceEmpty",      "SequenceErase",
                                           "SequenceInsert",     "SequenceLength",
                                           "SequenceMap",        "SoftmaxCrossEntropyLoss",
                                           "SplitToSequence",    "StringNormalizer",
                                           "TfIdfVectorizer"};

TEST(OnnxOps, NoStandardOperatorIsForgotten) {
  std::set<std::string> missing;
  for (const onnx::OpSchema& schema : onnx::OpSchemaRegistry::get_all_schemas()) {
    if (!schema.domain().empty()) continue;
    if (onnx_op("", schema.Name()).name.empty()) missing.insert(schema.Name());
  }
  for (const std::string& name : missing) EXPECT_TRUE(kWithoutRow.count(name) == 1) << name;
}

// Operands that fit hardly any operator: each is imported or refused by name.
TEST(OnnxOps, EveryOperatorSurvivesOperandsThatDoNotFit) {
  std::size_t imported = 0;
  for (const OnnxOp& op : onnx_ops()) {
    SCOPED_TRACE(op.name);
    const std::string domain = op.domain == OnnxDomain::kStandard ? "" : "com.microsoft";
    const std::string failure = test::import_failure(test::onnx_all_ops({{domain, std::string(op.name)}}));
    imported += failure.empty() ? 1U : 0U;
    EXPECT_THAT(failure, testing::AnyOf("", testing::HasSubstr("test.model")));
  }
  EXPECT_GT(imported, onnx_ops().size() * 3 / 4);
}

}  // namespace
}  // namespace edgejoule::import
