#include "import/tflite/ops.h"

#include <gtest/gtest.h>

#include <set>

namespace edgejoule::import {
namespace {

TEST(TfliteOps, CoverAllCodesInOrder) {
  ASSERT_EQ(tflite_ops().size(), 210U);
  // Anchors over the whole range: a row lost or doubled shifts those behind it.
  const std::pair<std::size_t, std::string_view> anchors[] = {{0, "ADD"},
                                                              {9, "FULLY_CONNECTED"},
                                                              {25, "SOFTMAX"},
                                                              {32, "CUSTOM"},
                                                              {44, "UNIDIRECTIONAL_SEQUENCE_LSTM"},
                                                              {67, "TRANSPOSE_CONV"},
                                                              {97, "RESIZE_NEAREST_NEIGHBOR"},
                                                              {114, "QUANTIZE"},
                                                              {126, "BATCH_MATMUL"},
                                                              {127, "PLACEHOLDER_FOR_GREATER_OP_CODES"},
                                                              {141, "CONV_3D_TRANSPOSE"},
                                                              {150, "GELU"},
                                                              {161, "RIGHT_SHIFT"},
                                                              {171, "STABLEHLO_CONVOLUTION"},
                                                              {197, "STABLEHLO_DOT_GENERAL"},
                                                              {206, "STABLEHLO_COMPOSITE"},
                                                              {209, "STABLEHLO_CASE"}};
  for (const auto& [code, name] : anchors) EXPECT_EQ(tflite_ops()[code].name, name) << code;
}

TEST(TfliteOps, NamesAreUnique) {
  std::set<std::string_view> names;
  for (const TfliteOp& op : tflite_ops()) EXPECT_TRUE(names.insert(op.name).second) << op.name;
}

TEST(TfliteOps, EveryRowHasAClass) {
  for (const TfliteOp& op : tflite_ops()) {
    const OpClass op_class = op.op_class == OpClass::kUnknown ? class_of(op.kind) : op.op_class;
    EXPECT_NE(op_class, OpClass::kUnknown) << op.name;
    EXPECT_NE(op_class, OpClass::kModule) << op.name;
  }
}

TEST(TfliteOps, CustomCodesArePublicNames) {
  EXPECT_EQ(tflite_op(kTfliteCustom, "TFLite_Detection_PostProcess").kind, OpKind::kDetectionPostprocess);
  EXPECT_EQ(tflite_op(kTfliteCustom, "SomethingOfOurs").kind, OpKind::kCustom);
  EXPECT_EQ(tflite_op(kTfliteCustom, "").kind, OpKind::kCustom);
}

TEST(TfliteOps, ACodeOutOfRangeIsUnknown) {
  EXPECT_EQ(tflite_op(210, "").kind, OpKind::kUnknown);
  EXPECT_EQ(tflite_op(-1, "").kind, OpKind::kUnknown);
}

}  // namespace
}  // namespace edgejoule::import
