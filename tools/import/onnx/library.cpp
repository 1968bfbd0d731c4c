#include "import/onnx/library.h"

#include <onnx/defs/schema.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

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

// What the library asks of a node: its attributes, and the types and integers of its inputs.
class NodeContext final : public onnx::InferenceContext {
 public:
  NodeContext(const OnnxStep& step, const onnx::NodeProto& node, const std::vector<OnnxValue>& values)
      : node_(node), types_(step.inputs.size()), tensors_(step.inputs.size()), results_(step.outputs.size()) {
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      if (step.inputs[i] != kNoValue) describe(i, values[step.inputs[i]]);
    }
  }

  const onnx::AttributeProto* getAttribute(const std::string& name) const override {
    for (const onnx::AttributeProto& attribute : node_.attribute()) {
      if (attribute.name() == name) return &attribute;
    }
    return nullptr;
  }
  size_t getNumInputs() const override { return types_.size(); }
  const onnx::TypeProto* getInputType(size_t index) const override {
    return index < types_.size() && types_[index] ? &*types_[index] : nullptr;
  }
  const onnx::TensorProto* getInputData(size_t index) const override {
    return index < tensors_.size() && tensors_[index] ? &*tensors_[index] : nullptr;
  }
  size_t getNumOutputs() const override { return results_.size(); }
  onnx::TypeProto* getOutputType(size_t index) override {
    if (index >= results_.size()) throw std::out_of_range("no such output");
    return &results_[index];
  }
  onnx::GraphInferencer* getGraphAttributeInferencer(const std::string&) override {
    throw std::invalid_argument("nodes with graphs are not handed over");
  }
  const onnx::SparseTensorProto* getInputSparseData(size_t) const override { return nullptr; }
  const onnx::TensorShapeProto* getSymbolicInput(size_t) const override { return nullptr; }

 private:
  void describe(std::size_t input, const OnnxValue& value) {
    onnx::TypeProto::Tensor& type = *types_[input].emplace().mutable_tensor_type();
    type.set_elem_type(onnx_type_of(value.type));
    if (!value.dims) return;
    type.mutable_shape();  // a scalar has a shape, too
    for (const std::int64_t dim : *value.dims) type.mutable_shape()->add_dim()->set_dim_value(dim);
    if (!value.numbers || value.type != DataType::kInt64) return;
    onnx::TensorProto& tensor = tensors_[input].emplace();
    tensor.set_data_type(onnx::TensorProto::INT64);
    for (const std::int64_t dim : *value.dims) tensor.add_dims(dim);
    for (const double number : *value.numbers) {
      tensor.add_int64_data(static_cast<std::int64_t>(std::clamp(number, -9.0e18, 9.0e18)));
    }
  }

  const onnx::NodeProto& node_;
  std::vector<std::optional<onnx::TypeProto>> types_;
  std::vector<std::optional<onnx::TensorProto>> tensors_;
  std::vector<onnx::TypeProto> results_;
};

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
    NodeContext context(step, *node, values);
    schema->GetTypeAndShapeInferenceFunction()(context);
    for (std::size_t i = 0; i < step.outputs.size(); ++i) {
      if (step.outputs[i] == kNoValue || !context.getOutputType(i)->has_tensor_type()) continue;
      OnnxValue& value = values[step.outputs[i]];
      const onnx::TypeProto::Tensor& tensor = context.getOutputType(i)->tensor_type();
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
