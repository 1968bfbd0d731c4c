#include "support/tflite_models.h"

#include <utility>

#include "import/tflite/ops.h"
#include "import/tflite/writer.h"

namespace edgejoule::test {
namespace {

using namespace tflite_wire;
using import::TfliteWriter;

enum Code : std::int32_t {
  kAdd = 0,
  kAveragePool = 1,
  kConv = 3,
  kDepthwise = 4,
  kFullyConnected = 9,
  kLstm = 16,
  kMul = 18,
  kReshape = 22,
  kRnn = 24,
  kSoftmax = 25,
  kSvdf = 27,
  kTranspose = 39,
  kSequenceLstm = 44,
  kBidirectionalLstm = 52,
  kLess = 58,
  kIf = 118,
  kWhile = 119,
  kBatchMatmul = 126,
  kCallOnce = 129,
  kGelu = 150
};

import::TfliteTensorSpec spec(std::string name, std::vector<std::int32_t> shape, TensorType type = TensorType::float32,
                              std::size_t scales = 0){
    return {std::move(name), type, std::move(shape), std::vector<float>(scales, 0.5F), 0, false};
}  // namespace

TfliteWriter cnn() {
  TfliteWriter w("written by a test");
  const auto int8 = TensorType::int8;
  const auto input = w.tensor(spec("serving_default_image:0", {1, 8, 8, 3}, int8, 1));
  const auto filter = w.constant(spec("net/stem/Conv2D", {16, 3, 3, 3}, int8, 16));
  const auto bias = w.constant(spec("net/stem/bias", {16}, TensorType::int32, 16));
  const auto conv = w.tensor(spec("net/stem/Relu6;net/stem/BiasAdd;net/stem/Conv2D", {1, 4, 4, 16}, int8, 1));
  Conv2DOptionsT conv_options;
  conv_options.stride_h = conv_options.stride_w = 2;
  conv_options.activation = Activation::relu6;
  w.op(kConv, {input, filter, bias}, {conv}, conv_options);

  const auto depth_filter = w.constant(spec("net/block_1/depthwise/weights", {1, 3, 3, 16}, int8, 16));
  const auto depth_bias = w.constant(spec("net/block_1/depthwise/bias", {16}, TensorType::int32));
  const auto depth = w.tensor(spec("net/block_1/depthwise/Relu6", {1, 4, 4, 16}, int8, 1));
  DepthwiseConv2DOptionsT depth_options;
  depth_options.stride_h = depth_options.stride_w = 1;
  depth_options.depth_multiplier = 1;
  w.op(kDepthwise, {conv, depth_filter, depth_bias}, {depth}, depth_options);

  const auto point_filter = w.constant(spec("net/block_1/project/weights", {16, 1, 1, 16}, int8, 16));
  const auto point = w.tensor(spec("net/block_1/project/Conv2D", {1, 4, 4, 16}, int8, 1));
  Conv2DOptionsT point_options;
  point_options.stride_h = point_options.stride_w = 1;
  w.op(kConv, {depth, point_filter, -1}, {point}, point_options);

  const auto sum = w.tensor(spec("net/block_1/add", {1, 4, 4, 16}, int8, 1));
  w.op(kAdd, {conv, point}, {sum}, AddOptionsT());

  const auto pooled = w.tensor(spec("net/head/AvgPool", {1, 1, 1, 16}, int8, 1));
  Pool2DOptionsT pool_options;
  pool_options.padding = Padding::valid;
  pool_options.stride_h = pool_options.stride_w = pool_options.filter_h = pool_options.filter_w = 4;
  w.op(kAveragePool, {sum}, {pooled}, pool_options);

  const auto to = w.constant_ints("net/head/shape", {-1, 16});
  const auto flat = w.tensor(spec("net/head/Reshape", {1, 16}, int8, 1));
  w.op(kReshape, {pooled, to}, {flat}, ReshapeOptionsT());

  const auto weights = w.constant(spec("net/head/dense/MatMul", {10, 16}, int8, 1));
  const auto dense_bias = w.constant(spec("net/head/dense/bias", {10}, TensorType::int32));
  const auto logits = w.tensor(spec("net/head/dense/MatMul;net/head/dense/BiasAdd", {1, 10}, int8, 1));
  w.op(kFullyConnected, {flat, weights, dense_bias}, {logits}, FullyConnectedOptionsT());

  const auto probabilities = w.tensor(spec("StatefulPartitionedCall:0", {1, 10}, int8, 1));
  w.op(kSoftmax, {logits}, {probabilities}, SoftmaxOptionsT());
  w.inputs({input});
  w.outputs({probabilities});
  return w;
}

// Inputs of an LSTM direction: weights, peepholes, biases, projection.
void add_lstm_weights(TfliteWriter& w, import::TfliteIndices& inputs, const std::string& name, std::int32_t in,
                      std::int32_t cells, std::int32_t projection, bool coupled, bool peepholes) {
  const std::int32_t out = projection != 0 ? projection : cells;
  const auto matrix = [&](const char* what, std::int32_t rows, std::int32_t columns) {
    return w.constant(spec(name + what, {rows, columns}));
  };
  const auto vector = [&](const char* what) { return w.constant(spec(name + what, {cells})); };
  for (int gate = 0; gate < 4; ++gate) inputs.push_back(gate == 0 && coupled ? -1 : matrix("/input", cells, in));
  for (int gate = 0; gate < 4; ++gate) inputs.push_back(gate == 0 && coupled ? -1 : matrix("/recurrent", cells, out));
  for (int gate = 0; gate < 3; ++gate)
    inputs.push_back(!peepholes || (gate == 0 && coupled) ? -1 : vector("/peephole"));
  for (int gate = 0; gate < 4; ++gate) inputs.push_back(gate == 0 && coupled ? -1 : vector("/bias"));
  inputs.push_back(projection != 0 ? matrix("/projection", projection, cells) : -1);
  inputs.push_back(-1);
}

void clear_result_shapes(ModelT& model) {
  for (auto& graph : model.subgraphs) {
    for (auto& tensor : graph->tensors) {
      if (tensor->buffer != 0) continue;
      const auto index = static_cast<std::int32_t>(&tensor - graph->tensors.data());
      if (index == graph->inputs.front()) continue;
      tensor->shape.clear();
      tensor->has_rank = false;
    }
  }
}

}  // namespace edgejoule::test

std::vector<std::uint8_t> tflite_cnn() {
  return cnn().finish();
}

std::vector<std::uint8_t> tflite_cnn_without_shapes() {
  TfliteWriter w = cnn();
  clear_result_shapes(w.model());
  return w.finish();
}

std::vector<std::uint8_t> tflite_cnn_with_appended_weights() {
  TfliteWriter w = cnn();
  std::vector<std::vector<std::uint8_t>> payloads;
  for (auto& buffer : w.model().buffers) {
    payloads.push_back(std::move(buffer->data));
    buffer->data.clear();
    // Numbers of the final width: they are stored inline, so the second pass moves nothing.
    if (!payloads.back().empty()) buffer->offset = buffer->size = payloads.back().size();
  }
  std::uint64_t end = w.finish().size();
  for (std::size_t i = 0; i < payloads.size(); ++i) {
    if (payloads[i].empty()) continue;
    w.model().buffers[i]->offset = end;
    end += payloads[i].size();
  }
  std::vector<std::uint8_t> out = w.finish();
  for (const auto& payload : payloads) out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

std::vector<std::uint8_t> tflite_control_flow() {
  TfliteWriter w;
  const auto condition = w.subgraph("cond");
  const auto body = w.subgraph("body");
  const auto small = w.subgraph("small");
  const auto large = w.subgraph("large");
  const auto once = w.subgraph("init");
  w.subgraph("nobody_calls_this");
  const auto int32 = TensorType::int32;

  const auto counter = w.tensor(spec("i", {}, int32), condition);
  const auto state = w.tensor(spec("h", {1, 32}), condition);
  const auto limit = w.constant_ints("limit", {10}, condition);
  const auto go_on = w.tensor(spec("less", {}, TensorType::boolean), condition);
  w.inputs({counter, state}, condition);
  w.outputs({go_on}, condition);
  w.op_in(condition, kLess, {counter, limit}, {go_on});

  const auto i = w.tensor(spec("i", {}, int32), body);
  const auto h = w.tensor(spec("h", {1, 32}), body);
  const auto step = w.constant_ints("one", {2}, body);
  const auto next_i = w.tensor(spec("next_i", {}, int32), body);
  const auto weights = w.constant(spec("cell/weights", {32, 32}), {}, body);
  const auto next_h = w.tensor(spec("cell/MatMul", {1, 32}), body);
  w.inputs({i, h}, body);
  w.outputs({next_i, next_h}, body);
  w.op(kAdd, {i, step}, {next_i}, AddOptionsT(), body);
  w.op(kFullyConnected, {h, weights, -1}, {next_h}, FullyConnectedOptionsT(), body);

  for (const auto& [graph, width] : {std::pair(small, 8), std::pair(large, 64)}) {
    const auto x = w.tensor(spec("x", {1, 32}), graph);
    const auto matrix = w.constant(spec("matrix", {width, 32}), {}, graph);
    const auto y = w.tensor(spec("y", {1, width}), graph);
    w.inputs({x}, graph);
    w.outputs({y}, graph);
    w.op(kFullyConnected, {x, matrix, -1}, {y}, FullyConnectedOptionsT(), graph);
  }

  const auto start = w.constant_ints("start", {0});
  const auto input = w.tensor(spec("input", {1, 32}));
  const auto flag = w.tensor(spec("flag", {}, TensorType::boolean));
  const auto last_i = w.tensor(spec("last_i", {}, int32));
  const auto last_h = w.tensor(spec("loop", {1, 32}));
  const auto result = w.tensor(spec("choice", {1, 64}));
  w.inputs({input, flag});
  w.outputs({result});
  CallOnceOptionsT once_options;
  once_options.init_subgraph = once;
  w.op(kCallOnce, {}, {}, once_options);
  WhileOptionsT loop_options;
  loop_options.cond_subgraph = condition;
  loop_options.body_subgraph = body;
  w.op(kWhile, {start, input}, {last_i, last_h}, loop_options);
  IfOptionsT if_options;
  if_options.then_subgraph = small;
  if_options.else_subgraph = large;
  w.op(kIf, {flag, last_h}, {result}, if_options);
  return w.finish();
}

std::vector<std::uint8_t> tflite_recurrent() {
  TfliteWriter w;
  const auto input = w.tensor(spec("input", {2, 5, 12}));
  const auto variable = [&](const char* name, std::int32_t width) {
    auto state = spec(name, {2, width});
    state.variable = true;
    return w.tensor(std::move(state));
  };
  {  // 24 inputs: four gates, peepholes, a projection, no layer norm
    import::TfliteIndices inputs{input};
    add_lstm_weights(w, inputs, "full", 12, 20, 8, false, true);
    inputs.insert(inputs.end(), {variable("full/h", 8), variable("full/c", 20), -1, -1, -1, -1});
    UnidirectionalSequenceLstmOptionsT options;
    options.activation = Activation::tanh;
    w.op(kSequenceLstm, inputs, {w.tensor(spec("full_lstm", {2, 5, 8}))}, options);
  }
  {  // coupled input and forget gates
    import::TfliteIndices inputs{input};
    add_lstm_weights(w, inputs, "coupled", 12, 20, 0, true, false);
    inputs.insert(inputs.end(), {variable("coupled/h", 20), variable("coupled/c", 20)});
    UnidirectionalSequenceLstmOptionsT options;
    options.activation = Activation::tanh;
    w.op(kSequenceLstm, inputs, {w.tensor(spec("coupled_lstm", {2, 5, 20}))}, options);
  }
  {  // both directions; time_major is the default there
    import::TfliteIndices inputs{input};
    add_lstm_weights(w, inputs, "fw", 12, 20, 0, false, false);
    add_lstm_weights(w, inputs, "bw", 12, 20, 0, false, false);
    inputs.insert(inputs.end(),
                  {variable("fw/h", 20), variable("fw/c", 20), variable("bw/h", 20), variable("bw/c", 20)});
    for (int i = 0; i < 9; ++i) inputs.push_back(-1);
    BidirectionalSequenceLstmOptionsT options;
    options.merge_outputs = true;
    options.time_major = false;
    w.op(kBidirectionalLstm, inputs, {w.tensor(spec("both_lstm", {2, 5, 40}))}, options);
  }
  {  // the basic kernel: one step, one matrix
    const auto x = w.tensor(spec("x", {2, 12}));
    const auto basic = w.constant(spec("basic/weights", {80, 32}));
    const auto bias = w.constant(spec("basic/bias", {80}));
    LstmOptionsT options;
    options.kernel_type = 1;
    w.op(kLstm, {x, variable("basic/h", 20), basic, bias, variable("basic/c", 20)},
         {w.tensor(spec("basic_lstm", {2, 20})), w.tensor(spec("state", {2, 20})), w.tensor(spec("concat", {2, 32})),
          w.tensor(spec("temp", {2, 80}))},
         options);
    const auto rnn = w.constant(spec("rnn/weights", {16, 12}));
    const auto again = w.constant(spec("rnn/recurrent", {16, 16}));
    const auto rnn_bias = w.constant(spec("rnn/bias", {16}));
    RnnOptionsT rnn_options;
    rnn_options.activation = Activation::tanh;
    w.op(kRnn, {x, rnn, again, rnn_bias, variable("rnn/h", 16)}, {w.tensor(spec("rnn", {2, 16}))}, rnn_options);
    const auto feature = w.constant(spec("svdf/feature", {24, 12}));
    const auto time = w.constant(spec("svdf/time", {24, 7}));
    const auto svdf_bias = w.constant(spec("svdf/bias", {12}));
    SvdfOptionsT svdf_options;
    svdf_options.rank = 2;
    w.op(kSvdf, {x, feature, time, svdf_bias, variable("svdf/state", 168)}, {w.tensor(spec("svdf", {2, 12}))},
         svdf_options);
  }
  w.inputs({input});
  return w.finish();
}

std::vector<std::uint8_t> tflite_attention() {
  TfliteWriter w;
  const std::string scope = "bert/encoder/layer_0/attention/self/";
  const auto input = w.tensor(spec("hidden", {1, 16, 32}));
  FullyConnectedOptionsT keep;
  keep.keep_num_dims = true;
  const auto projected = [&](const std::string& name) {
    const auto weights = w.constant(spec(scope + name + "/kernel", {32, 32}, TensorType::int8, 32));
    const auto out = w.tensor(spec(scope + name + "/MatMul", {1, 16, 32}));
    w.op(kFullyConnected, {input, weights, -1}, {out}, keep);
    return out;
  };
  const auto query = projected("query");
  const auto key = projected("key");
  const auto value = projected("value");
  BatchMatMulOptionsT transposed;
  transposed.adj_y = true;
  const auto scores = w.tensor(spec(scope + "scores", {1, 16, 16}));
  w.op(kBatchMatmul, {query, key}, {scores}, transposed);
  const auto softmax = w.tensor(spec(scope + "Softmax", {1, 16, 16}));
  w.op(kSoftmax, {scores}, {softmax}, SoftmaxOptionsT());
  const auto context = w.tensor(spec(scope + "context", {1, 16, 32}));
  w.op(kBatchMatmul, {softmax, value}, {context}, BatchMatMulOptionsT());
  const auto weights = w.constant(spec("bert/encoder/layer_0/intermediate/dense/kernel", {64, 32}));
  const auto bias = w.constant(spec("bert/encoder/layer_0/intermediate/dense/bias", {64}));
  const auto wide = w.tensor(spec("bert/encoder/layer_0/intermediate/dense/BiasAdd", {1, 16, 64}));
  w.op(kFullyConnected, {context, weights, bias}, {wide}, keep);
  const auto gelu = w.tensor(spec("bert/encoder/layer_0/intermediate/Gelu", {1, 16, 64}));
  w.op(kGelu, {wide}, {gelu});
  w.inputs({input});
  w.outputs({gelu});
  return w.finish();
}

std::vector<std::uint8_t> tflite_custom_ops() {
  TfliteWriter w;
  const auto input = w.tensor(spec("input", {1, 10, 4}));
  const auto mystery = w.tensor(spec("mystery", {1, 10, 4}));
  const auto boxes = w.tensor(spec("boxes", {1, 5, 4}));
  const auto future = w.tensor(spec("future", {1, 5, 4}));
  w.custom_op("MysteryNormalise", {input}, {mystery});
  w.custom_op("TFLite_Detection_PostProcess", {mystery}, {boxes});
  w.op(300, {boxes}, {future});
  w.inputs({input});
  return w.finish();
}

std::vector<std::uint8_t> tflite_all_codes() {
  TfliteWriter w;
  const auto input = w.tensor(spec("input", {1, 4, 4, 4}));
  const auto output = w.tensor(spec("output", {1, 4, 4, 4}));
  for (std::int32_t code = 0; code < static_cast<std::int32_t>(import::tflite_ops().size()); ++code) {
    w.op(code, {input, input}, {output});
  }
  w.inputs({input});
  return w.finish();
}

std::vector<TfliteModel> tflite_models() {
  return {{"cnn", tflite_cnn()},
          {"cnn_without_shapes", tflite_cnn_without_shapes()},
          {"cnn_with_appended_weights", tflite_cnn_with_appended_weights()},
          {"control_flow", tflite_control_flow()},
          {"recurrent", tflite_recurrent()},
          {"attention", tflite_attention()},
          {"custom_ops", tflite_custom_ops()},
          {"all_codes", tflite_all_codes()}};
}

}  // namespace edgejoule::test
