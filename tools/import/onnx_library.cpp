#include "import/onnx_library.h"

#include <onnx/defs/schema.h>
#include <onnx/shape_inference/implementation.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <string>
#include <unordered_map>

namespace edgejoule::import {
namespace {

// Attributes hold tables and strings too; shapes never depend on long ones.
constexpr std::size_t kMaxAttributeBytes = 4096;

std::int32_t onnx_type_of(DataType type) {
  for (std::int32_t candidate = 1; candidate <= 22; ++candidate) {
    if (data_type_of_onnx(candidate) == type) return candidate;
  }
  return 0;
}

// nullptr: the node cannot be handed over.
std::unique_ptr<onnx::NodeProto> node_of(const OnnxStep& step) {
  auto out = std::make_unique<onnx::NodeProto>();
  out->set_op_type(std::string(step.node->op_type));
  out->set_domain(std::string(step.node->domain));
  for (const std::uint32_t input : step.inputs) out->add_input(input == kNoValue ? "" : "v" + std::to_string(input));
  for (const std::uint32_t output : step.outputs)
    out->add_output(output == kNoValue ? "" : "v" + std::to_string(output));
  for (const OnnxAttribute& attribute : step.node->attributes) {
    if (attribute.graph || attribute.message.size() > kMaxAttributeBytes) return nullptr;
    onnx::AttributeProto* added = out->add_attribute();
    if (!added->ParseFromArray(attribute.message.data(), static_cast<int>(attribute.message.size()))) return nullptr;
    added->set_name(std::string(attribute.name));
    added->clear_ref_attr_name();
  }
  return out;
}

}  // namespace

void infer_with_library(const OnnxStep& step, std::vector<OnnxValue>& values) {
  try {
    const onnx::OpSchema* schema = onnx::OpSchemaRegistry::Schema(
        std::string(step.node->op_type), static_cast<int>(std::clamp<std::int64_t>(step.opset, 1, 1 << 20)),
        std::string(step.node->domain));
    if (schema == nullptr || !schema->has_type_and_shape_inference_function()) return;
    const std::unique_ptr<onnx::NodeProto> node = node_of(step);
    if (node == nullptr) return;
    schema->Verify(*node);
    std::unordered_map<std::string, onnx::TypeProto> types;
    std::unordered_map<std::string, onnx::TypeProto*> type_of;
    std::unordered_map<std::string, onnx::TensorProto> tensors;
    std::unordered_map<std::string, const onnx::TensorProto*> data_of;
    for (const std::uint32_t input : step.inputs) {
      if (input == kNoValue) continue;
      const OnnxValue& value = values[input];
      const std::string name = "v" + std::to_string(input);
      onnx::TypeProto& type = types[name];
      type.mutable_tensor_type()->set_elem_type(onnx_type_of(value.type));
      if (value.dims) {
        for (const std::int64_t dim : *value.dims) {
          type.mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_value(dim);
        }
        type.mutable_tensor_type()->mutable_shape();
      }
      type_of[name] = &type;
      if (!value.numbers || !value.dims || value.type != DataType::kInt64) continue;
      onnx::TensorProto& tensor = tensors[name];
      tensor.set_data_type(onnx::TensorProto::INT64);
      for (const std::int64_t dim : *value.dims) tensor.add_dims(dim);
      for (const double number : *value.numbers) {
        tensor.add_int64_data(static_cast<std::int64_t>(std::clamp(number, -9.0e18, 9.0e18)));
      }
      data_of[name] = &tensor;
    }
    onnx::shape_inference::InferenceContextImpl context(*node, type_of, data_of, {});
    schema->GetTypeAndShapeInferenceFunction()(context);
    for (std::size_t i = 0; i < step.outputs.size(); ++i) {
      if (step.outputs[i] == kNoValue) continue;
      OnnxValue& value = values[step.outputs[i]];
      const onnx::TypeProto* inferred = context.getOutputType(i);
      if (inferred == nullptr || !inferred->has_tensor_type()) continue;
      const onnx::TypeProto::Tensor& tensor = inferred->tensor_type();
      if (value.type == DataType::kUnknown) value.type = data_type_of_onnx(tensor.elem_type());
      if (value.dims || !tensor.has_shape()) continue;
      Dims dims;
      for (const auto& dim : tensor.shape().dim()) dims.push_back(dim.has_dim_value() ? dim.dim_value() : -1);
      if (std::none_of(dims.begin(), dims.end(), [](std::int64_t dim) { return dim < 0; }))
        value.dims = std::move(dims);
    }
  } catch (const std::exception&) {
    // The library refuses the node: what it makes stays unknown, and is counted as that.
  }
}

int newest_opset_of_library() {
  const auto& ranges = onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map();
  const auto found = ranges.find("");
  return found == ranges.end() ? 0 : found->second.second;
}

}  // namespace edgejoule::import
