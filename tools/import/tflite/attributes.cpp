#include "import/tflite/attributes.h"

#include <fmt/format.h>

namespace edgejoule::import {
namespace {

using namespace tflite_wire;

OpKind kind_of(Activation activation) {
  switch (activation) {
    case Activation::none: return OpKind::kUnknown;
    case Activation::relu: return OpKind::kRelu;
    case Activation::relu_n1_to_1: return OpKind::kReluN1To1;
    case Activation::relu6: return OpKind::kRelu6;
    case Activation::tanh: return OpKind::kTanh;
    case Activation::sign_bit: return OpKind::kSign;
  }
  return OpKind::kUnknown;
}

}  // namespace

OpKind fused_activation(const tflite_wire::Operator& op) {
  if (const auto* o = op.builtin_options_as_Conv2DOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_DepthwiseConv2DOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_Conv3DOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_TransposeConvOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_FullyConnectedOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_Pool2DOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_AddOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_SubOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_MulOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_DivOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_SvdfOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_RnnOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_SequenceRnnOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_BidirectionalSequenceRnnOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_LstmOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_UnidirectionalSequenceLstmOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_BidirectionalSequenceLstmOptions()) return kind_of(o->activation());
  return OpKind::kUnknown;
}

std::uint64_t attribute(const graph::OpContext& context, const char* what, std::int32_t value) {
  if (value <= 0) throw graph::GraphError(fmt::format("op '{}': its {} is {}", context.name, what, value));
  return extent_of(value);
}

}  // namespace edgejoule::import
