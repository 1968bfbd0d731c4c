#include <utility>

#include "import/experiment/ops.h"
#include "import/onnx/writer.h"

namespace edgejoule::import {
namespace {

constexpr std::int64_t kOpset = 17;  // read by TensorRT 8.5 and newer

// Null where the opset has none.
const char* pointwise_of(OpKind kind) {
  switch (kind) {
    case OpKind::kAdd: return "Add";
    case OpKind::kMul: return "Mul";
    case OpKind::kRelu: return "Relu";
    case OpKind::kSigmoid: return "Sigmoid";
    case OpKind::kTanh: return "Tanh";
    case OpKind::kHardSwish: return "HardSwish";
    default: return nullptr;
  }
}

class OnnxExperiment {
 public:
  explicit OnnxExperiment(bool with_data) : with_data_(with_data) {}
  void add(const ExperimentOp& op);
  [[nodiscard]] std::vector<std::uint8_t> finish() {
    graph_.output(current_, {dims_.begin(), dims_.end()}, onnx_type_);
    return OnnxModelWriter(graph_, kOpset).finish();
  }

 private:
  [[noreturn]] static void refuse(const ExperimentOp& op, std::string_view why) {
    cannot_say(ModelFormat::kOnnx, op, why);
  }
  static OnnxType type_of(const ExperimentOp& op, DataType type) {
    switch (type) {
      case DataType::kFloat32: return OnnxType::kFloat;
      case DataType::kFloat16: return OnnxType::kHalf;
      case DataType::kInt32: return OnnxType::kInt32;
      default: refuse(op, "quantised ops stand between conversions there, as ops of their own");
    }
  }

  std::string input(const ExperimentOp& op, const std::string& part, const ExperimentDims& dims, DataType type) {
    std::string name = op.op.name + part;
    graph_.input(name, {dims.begin(), dims.end()}, type_of(op, type));
    return name;
  }
  std::string data(const ExperimentOp& op, const ExperimentDims& dims, DataType type) {
    if (current_.empty()) return input(op, "/in", dims, type);
    if (dims != dims_ || type != type_) no_input(op);
    return current_;
  }
  std::string weights(const ExperimentOp& op, const std::string& part, const ExperimentDims& dims) {
    const std::string name = op.op.name + part;
    const OnnxType type = type_of(op, op.op.weight_type);
    graph_.raw(5, with_data_ ? onnx_data(name, type, dims, weight_bytes(elements_of(dims), op.op.weight_type))
                             : onnx_weights(name, type, dims));
    return name;
  }
  void node(const ExperimentOp& op, std::string type, OnnxNames inputs, const ExperimentDims& out,
            std::vector<OnnxMessage> attributes = {}) {
    current_ = op.op.name + "/out";
    dims_ = out;
    type_ = op.op.data_type;
    onnx_type_ = type_of(op, type_);
    graph_.node({std::move(type), std::move(inputs), {current_}, std::move(attributes), op.op.name});
  }

  void convolution(const ExperimentOp& op);
  void matrix(const ExperimentOp& op);
  void pointwise(const ExperimentOp& op);
  void pooling(const ExperimentOp& op);
  void rows(const ExperimentOp& op);
  void embedding(const ExperimentOp& op);
  static OnnxMessage pads(const ExperimentOp& op);

  bool with_data_;
  OnnxGraphWriter graph_{"experiment"};
  std::string current_;
  ExperimentDims dims_;
  DataType type_ = DataType::kUnknown;
  OnnxType onnx_type_ = OnnxType::kFloat;
};

OnnxMessage OnnxExperiment::pads(const ExperimentOp& op) {
  const std::int64_t h = padding_of(dim(op, Fact::kInH), dim(op, Fact::kOutH), dim(op, Fact::kKernelH),
                                    dim(op, Fact::kStrideH), dim(op, Fact::kDilationH));
  const std::int64_t w = padding_of(dim(op, Fact::kInW), dim(op, Fact::kOutW), dim(op, Fact::kKernelW),
                                    dim(op, Fact::kStrideW), dim(op, Fact::kDilationW));
  return onnx_ints("pads", {h / 2, w / 2, h - h / 2, w - w / 2});
}

void OnnxExperiment::convolution(const ExperimentOp& op) {
  const std::int64_t in_c = dim(op, Fact::kInC);
  const std::int64_t out_c = dim(op, Fact::kOutC);
  const std::int64_t groups = dim(op, Fact::kGroups);
  const std::int64_t kernel_h = dim(op, Fact::kKernelH);
  const std::int64_t kernel_w = dim(op, Fact::kKernelW);
  const std::string x = data(op, {1, in_c, dim(op, Fact::kInH), dim(op, Fact::kInW)}, op.op.data_type);
  const std::string w = weights(op, "/weights", {out_c, in_c / groups, kernel_h, kernel_w});
  const std::string b = weights(op, "/bias", {out_c});
  node(op, "Conv", {x, w, b}, {1, out_c, dim(op, Fact::kOutH), dim(op, Fact::kOutW)},
       {onnx_ints("kernel_shape", {kernel_h, kernel_w}),
        onnx_ints("strides", {dim(op, Fact::kStrideH), dim(op, Fact::kStrideW)}),
        onnx_ints("dilations", {dim(op, Fact::kDilationH), dim(op, Fact::kDilationW)}), pads(op),
        onnx_int("group", groups)});
}

void OnnxExperiment::matrix(const ExperimentOp& op) {
  const std::int64_t m = dim(op, Fact::kRowsM);
  const std::int64_t k = dim(op, Fact::kDepthK);
  const std::int64_t n = dim(op, Fact::kColsN);
  if (op.op.kind == OpKind::kDense) {
    const std::string x = data(op, {m, k}, op.op.data_type);
    const std::string w = weights(op, "/weights", {n, k});
    const std::string b = weights(op, "/bias", {n});
    node(op, "Gemm", {x, w, b}, {m, n}, {onnx_int("transB", 1)});
  } else {
    const std::int64_t products = dim(op, Fact::kBatch);
    const std::string left = data(op, {products, m, k}, op.op.data_type);
    const std::string right = input(op, "/right", {products, k, n}, op.op.data_type);
    node(op, "MatMul", {left, right}, {products, m, n});
  }
}

void OnnxExperiment::pointwise(const ExperimentOp& op) {
  const char* const type = pointwise_of(op.op.kind);
  if (type == nullptr) refuse(op, "its opset has no such operator");
  const ExperimentDims flat{1, dim(op, Fact::kOutputElements)};
  const ExperimentDims dims = !current_.empty() && elements_of(dims_) == flat.back() ? dims_ : flat;
  OnnxNames inputs{data(op, dims, op.op.data_type)};
  if (op.op.op_class == OpClass::kElementwise) inputs.push_back(input(op, "/other", dims, op.op.data_type));
  node(op, type, std::move(inputs), dims);
}

void OnnxExperiment::pooling(const ExperimentOp& op) {
  if (op.op.kind != OpKind::kAveragePool2d && op.op.kind != OpKind::kMaxPool2d) {
    refuse(op, "its opset has no such operator");
  }
  const std::int64_t channels = dim(op, Fact::kInC);
  const std::string x = data(op, {1, channels, dim(op, Fact::kInH), dim(op, Fact::kInW)}, op.op.data_type);
  node(op, op.op.kind == OpKind::kMaxPool2d ? "MaxPool" : "AveragePool", {x},
       {1, channels, dim(op, Fact::kOutH), dim(op, Fact::kOutW)},
       {onnx_ints("kernel_shape", {dim(op, Fact::kKernelH), dim(op, Fact::kKernelW)}),
        onnx_ints("strides", {dim(op, Fact::kStrideH), dim(op, Fact::kStrideW)}), pads(op)});
}

void OnnxExperiment::rows(const ExperimentOp& op) {
  const ExperimentDims dims = matrix_dims(op);
  const std::string x = data(op, dims, op.op.data_type);
  switch (op.op.kind) {
    case OpKind::kSoftmax: return node(op, "Softmax", {x}, dims, {onnx_int("axis", -1)});
    case OpKind::kMean:
      return node(op, "ReduceMean", {x}, {dims[0]}, {onnx_ints("axes", {1}), onnx_int("keepdims", 0)});
    case OpKind::kTranspose: return node(op, "Transpose", {x}, {dims[1], dims[0]}, {onnx_ints("perm", {1, 0})});
    case OpKind::kLayerNorm: {
      const std::string gain = weights(op, "/gain", {dims[1]});
      const std::string shift = weights(op, "/shift", {dims[1]});
      return node(op, "LayerNormalization", {x, gain, shift}, dims, {onnx_int("axis", -1)});
    }
    default: refuse(op, "its opset has no such operator");
  }
}

void OnnxExperiment::embedding(const ExperimentOp& op) {
  const std::int64_t rows = dim(op, Fact::kInputElements);
  const std::int64_t width = dim(op, Fact::kOutputElements) / rows;
  const std::string ids = data(op, {rows}, DataType::kInt32);
  const std::string table = weights(op, "/weights", {dim(op, Fact::kParameters) / width, width});
  node(op, "Gather", {table, ids}, {rows, width}, {onnx_int("axis", 0)});
}

void OnnxExperiment::add(const ExperimentOp& op) {
  switch (op.op.op_class) {
    case OpClass::kConvolution: return convolution(op);
    case OpClass::kMatrix: return matrix(op);
    case OpClass::kElementwise:
    case OpClass::kActivation: return pointwise(op);
    case OpClass::kPooling: return pooling(op);
    case OpClass::kLookup: return embedding(op);
    default: return rows(op);
  }
}

}  // namespace

std::vector<std::uint8_t> write_onnx_experiment(std::span<const ExperimentOp> ops, bool with_data) {
  OnnxExperiment experiment(with_data);
  for (const ExperimentOp& op : ops) experiment.add(op);
  return experiment.finish();
}

}  // namespace edgejoule::import
