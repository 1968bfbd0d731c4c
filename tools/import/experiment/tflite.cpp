#include <array>
#include <utility>

#include "import/experiment/ops.h"
#include "import/tflite/writer.h"

namespace edgejoule::import {
namespace {

namespace wire = tflite_wire;

// Operator codes of the TFLite schema.
enum Code : std::int32_t {
  kNone = -1,
  kAdd = 0,
  kAveragePool = 1,
  kConv = 3,
  kDepthwise = 4,
  kEmbeddingLookup = 7,
  kFullyConnected = 9,
  kLogistic = 14,
  kMaxPool = 17,
  kMul = 18,
  kRelu = 19,
  kRelu6 = 21,
  kSoftmax = 25,
  kTanh = 28,
  kTranspose = 39,
  kMean = 40,
  kHardSwish = 117,
  kBatchMatmul = 126,
  kGelu = 150
};

Code activation_of(OpKind kind) {
  switch (kind) {
    case OpKind::kRelu: return kRelu;
    case OpKind::kRelu6: return kRelu6;
    case OpKind::kSigmoid: return kLogistic;
    case OpKind::kTanh: return kTanh;
    case OpKind::kHardSwish: return kHardSwish;
    case OpKind::kGelu: return kGelu;
    default: return kNone;
  }
}

class TfliteExperiment {
 public:
  explicit TfliteExperiment(bool with_data) : with_data_(with_data) {}
  void add(const ExperimentOp& op);
  [[nodiscard]] std::vector<std::uint8_t> finish() {
    writer_.inputs(inputs_);
    writer_.outputs({current_});
    return writer_.finish();
  }

 private:
  [[noreturn]] static void refuse(const ExperimentOp& op, std::string_view why) {
    cannot_say(ModelFormat::kTflite, op, why);
  }
  static wire::TensorType type_of(const ExperimentOp& op, DataType type) {
    switch (type) {
      case DataType::kFloat32: return wire::TensorType::float32;
      case DataType::kInt8: return wire::TensorType::int8;
      case DataType::kInt32: return wire::TensorType::int32;
      default: refuse(op, "no kernels of that data type");
    }
  }

  TfliteTensorSpec spec(const ExperimentOp& op, const std::string& part, const ExperimentDims& dims, DataType type) {
    TfliteTensorSpec out;
    out.name = op.op.name + part;
    out.type = type_of(op, type);
    for (const std::int64_t size : dims) out.shape.push_back(static_cast<std::int32_t>(size));
    if (type == DataType::kInt8) out.scales = {0.05F};
    return out;
  }
  std::int32_t input(const ExperimentOp& op, const std::string& part, const ExperimentDims& dims, DataType type) {
    inputs_.push_back(writer_.tensor(spec(op, part, dims, type)));
    return inputs_.back();
  }
  // The first input: what the op before has made, where there is one.
  std::int32_t data(const ExperimentOp& op, const ExperimentDims& dims, DataType type) {
    if (current_ < 0) return input(op, "/in", dims, type);
    if (dims != dims_ || type != type_) no_input(op);
    return current_;
  }
  // Scales of quantised weights: one for each index of `dimension`.
  std::int32_t weights(const ExperimentOp& op, const std::string& part, const ExperimentDims& dims, DataType type,
                       std::int32_t dimension) {
    TfliteTensorSpec tensor = spec(op, part, dims, type);
    if (type != DataType::kFloat32) {
      const float scale = type == DataType::kInt8 ? 0.01F : 0.0005F;
      tensor.scales.assign(static_cast<std::size_t>(dims[static_cast<std::size_t>(dimension)]), scale);
      tensor.quantized_dimension = dimension;
    }
    if (!with_data_) return writer_.tensor(std::move(tensor));
    return writer_.constant(std::move(tensor), weight_bytes(elements_of(dims), type));
  }
  std::int32_t bias(const ExperimentOp& op, std::int64_t channels) {
    const DataType type = op.op.data_type == DataType::kInt8 ? DataType::kInt32 : DataType::kFloat32;
    return weights(op, "/bias", {channels}, type, 0);
  }
  std::int32_t result(const ExperimentOp& op, const ExperimentDims& dims) {
    current_ = writer_.tensor(spec(op, "", dims, op.op.data_type));
    dims_ = dims;
    type_ = op.op.data_type;
    return current_;
  }

  void convolution(const ExperimentOp& op);
  void dense(const ExperimentOp& op);
  void batch_matmul(const ExperimentOp& op);
  void pointwise(const ExperimentOp& op);
  void pooling(const ExperimentOp& op);
  void rows(const ExperimentOp& op);
  void embedding(const ExperimentOp& op);
  static wire::Padding window_padding(const ExperimentOp& op);

  bool with_data_;
  TfliteWriter writer_;
  TfliteIndices inputs_;
  std::int32_t current_ = -1;
  ExperimentDims dims_;
  DataType type_ = DataType::kUnknown;
};

wire::Padding TfliteExperiment::window_padding(const ExperimentOp& op) {
  bool same = true;
  bool valid = true;
  for (const auto& [in, out, kernel, stride, dilation] :
       {std::array{Fact::kInH, Fact::kOutH, Fact::kKernelH, Fact::kStrideH, Fact::kDilationH},
        std::array{Fact::kInW, Fact::kOutW, Fact::kKernelW, Fact::kStrideW, Fact::kDilationW}}) {
    const std::int64_t reach = (dim(op, kernel) - 1) * dim(op, dilation) + 1;
    same = same && dim(op, out) == (dim(op, in) + dim(op, stride) - 1) / dim(op, stride);
    valid = valid && dim(op, in) >= reach && dim(op, out) == (dim(op, in) - reach) / dim(op, stride) + 1;
  }
  if (!same && !valid) refuse(op, "its padding is neither SAME nor VALID");
  return valid ? wire::Padding::valid : wire::Padding::same;
}

void TfliteExperiment::convolution(const ExperimentOp& op) {
  const std::int64_t in_c = dim(op, Fact::kInC);
  const std::int64_t out_c = dim(op, Fact::kOutC);
  const ExperimentDims in{1, dim(op, Fact::kInH), dim(op, Fact::kInW), in_c};
  const ExperimentDims out{1, dim(op, Fact::kOutH), dim(op, Fact::kOutW), out_c};
  const std::int64_t kernel_h = dim(op, Fact::kKernelH);
  const std::int64_t kernel_w = dim(op, Fact::kKernelW);
  const auto set_window = [&op](auto& options) {
    options.padding = window_padding(op);
    options.stride_h = static_cast<std::int32_t>(dim(op, Fact::kStrideH));
    options.stride_w = static_cast<std::int32_t>(dim(op, Fact::kStrideW));
    options.dilation_h = static_cast<std::int32_t>(dim(op, Fact::kDilationH));
    options.dilation_w = static_cast<std::int32_t>(dim(op, Fact::kDilationW));
  };
  const std::int32_t x = data(op, in, op.op.data_type);
  if (op.op.kind == OpKind::kDepthwiseConv2d) {
    const std::int32_t w = weights(op, "/weights", {1, kernel_h, kernel_w, out_c}, op.op.weight_type, 3);
    wire::DepthwiseConv2DOptionsT options;
    set_window(options);
    options.depth_multiplier = static_cast<std::int32_t>(out_c / in_c);
    const std::int32_t b = bias(op, out_c);
    writer_.op(kDepthwise, {x, w, b}, {result(op, out)}, options);
  } else {
    const std::int64_t per_group = in_c / dim(op, Fact::kGroups);
    const std::int32_t w = weights(op, "/weights", {out_c, kernel_h, kernel_w, per_group}, op.op.weight_type, 0);
    wire::Conv2DOptionsT options;
    set_window(options);
    const std::int32_t b = bias(op, out_c);
    writer_.op(kConv, {x, w, b}, {result(op, out)}, options);
  }
}

void TfliteExperiment::dense(const ExperimentOp& op) {
  if (op.op.weight_type != op.op.data_type) refuse(op, "weights in blocks with a scale each");
  const std::int64_t k = dim(op, Fact::kDepthK);
  const std::int64_t n = dim(op, Fact::kColsN);
  const std::int64_t m = dim(op, Fact::kRowsM);
  // Of two dimensions the first would be the batch.
  const std::int32_t x = data(op, {1, m, k}, op.op.data_type);
  const std::int32_t w = weights(op, "/weights", {n, k}, op.op.weight_type, 0);
  const std::int32_t b = bias(op, n);
  wire::FullyConnectedOptionsT options;
  options.keep_num_dims = true;
  writer_.op(kFullyConnected, {x, w, b}, {result(op, {1, m, n})}, options);
}

void TfliteExperiment::batch_matmul(const ExperimentOp& op) {
  const std::int64_t products = dim(op, Fact::kBatch);
  const std::int64_t m = dim(op, Fact::kRowsM);
  const std::int64_t k = dim(op, Fact::kDepthK);
  const std::int64_t n = dim(op, Fact::kColsN);
  const std::int32_t left = data(op, {products, m, k}, op.op.data_type);
  const std::int32_t right = input(op, "/right", {products, k, n}, op.op.data_type);
  writer_.op(kBatchMatmul, {left, right}, {result(op, {products, m, n})}, wire::BatchMatMulOptionsT());
}

void TfliteExperiment::pointwise(const ExperimentOp& op) {
  const ExperimentDims flat{1, dim(op, Fact::kOutputElements)};
  const ExperimentDims dims = current_ >= 0 && elements_of(dims_) == flat.back() ? dims_ : flat;
  const Code code = activation_of(op.op.kind);
  if (code != kNone) {
    const std::int32_t x = data(op, dims, op.op.data_type);
    writer_.op(code, {x}, {result(op, dims)});
  } else if (op.op.kind == OpKind::kAdd || op.op.kind == OpKind::kMul) {
    const std::int32_t a = data(op, dims, op.op.data_type);
    const std::int32_t b = input(op, "/other", dims, op.op.data_type);
    if (op.op.kind == OpKind::kAdd) {
      writer_.op(kAdd, {a, b}, {result(op, dims)}, wire::AddOptionsT());
    } else {
      writer_.op(kMul, {a, b}, {result(op, dims)}, wire::MulOptionsT());
    }
  } else {
    refuse(op, "there is no such operator");
  }
}

void TfliteExperiment::pooling(const ExperimentOp& op) {
  if (op.op.kind != OpKind::kAveragePool2d && op.op.kind != OpKind::kMaxPool2d) {
    refuse(op, "there is no such operator");
  }
  const std::int64_t channels = dim(op, Fact::kInC);
  wire::Pool2DOptionsT options;
  options.padding = window_padding(op);
  options.stride_h = static_cast<std::int32_t>(dim(op, Fact::kStrideH));
  options.stride_w = static_cast<std::int32_t>(dim(op, Fact::kStrideW));
  options.filter_h = static_cast<std::int32_t>(dim(op, Fact::kKernelH));
  options.filter_w = static_cast<std::int32_t>(dim(op, Fact::kKernelW));
  const std::int32_t x = data(op, {1, dim(op, Fact::kInH), dim(op, Fact::kInW), channels}, op.op.data_type);
  const ExperimentDims out{1, dim(op, Fact::kOutH), dim(op, Fact::kOutW), channels};
  writer_.op(op.op.kind == OpKind::kMaxPool2d ? kMaxPool : kAveragePool, {x}, {result(op, out)}, options);
}

void TfliteExperiment::rows(const ExperimentOp& op) {
  const ExperimentDims dims = matrix_dims(op);
  const std::int32_t x = data(op, dims, op.op.data_type);
  switch (op.op.kind) {
    case OpKind::kSoftmax: {
      wire::SoftmaxOptionsT options;
      options.beta = 1;
      writer_.op(kSoftmax, {x}, {result(op, dims)}, options);
      break;
    }
    case OpKind::kMean: {
      const std::int32_t axes = writer_.constant_ints(op.op.name + "/axes", {1});
      writer_.op(kMean, {x, axes}, {result(op, {dims[0]})}, wire::ReducerOptionsT());
      break;
    }
    case OpKind::kTranspose: {
      const std::int32_t order = writer_.constant_ints(op.op.name + "/order", {1, 0});
      writer_.op(kTranspose, {x, order}, {result(op, {dims[1], dims[0]})});
      break;
    }
    default: refuse(op, "there is no such operator");
  }
}

void TfliteExperiment::embedding(const ExperimentOp& op) {
  const std::int64_t rows = dim(op, Fact::kInputElements);
  const std::int64_t width = dim(op, Fact::kOutputElements) / rows;
  const std::int32_t ids = data(op, {rows}, DataType::kInt32);
  const std::int32_t table = weights(op, "/weights", {dim(op, Fact::kParameters) / width, width}, op.op.weight_type, 0);
  writer_.op(kEmbeddingLookup, {ids, table}, {result(op, {rows, width})});
}

void TfliteExperiment::add(const ExperimentOp& op) {
  switch (op.op.op_class) {
    case OpClass::kConvolution: return convolution(op);
    case OpClass::kMatrix: return op.op.kind == OpKind::kDense ? dense(op) : batch_matmul(op);
    case OpClass::kElementwise:
    case OpClass::kActivation: return pointwise(op);
    case OpClass::kPooling: return pooling(op);
    case OpClass::kLookup: return embedding(op);
    default: return rows(op);
  }
}

}  // namespace

std::vector<std::uint8_t> write_tflite_experiment(std::span<const ExperimentOp> ops, bool with_data) {
  TfliteExperiment experiment(with_data);
  for (const ExperimentOp& op : ops) experiment.add(op);
  return experiment.finish();
}

}  // namespace edgejoule::import
