// Damaged and hostile files: a named error, or a graph that verifies, never more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "import/tflite/writer.h"
#include "imported.h"
#include "support/tflite_models.h"

namespace edgejoule::import {
namespace {

using namespace tflite_wire;
using test::import_failure;
using testing::HasSubstr;

constexpr std::int32_t kMaxInt = std::numeric_limits<std::int32_t>::max();

TfliteTensorSpec floats(std::string name, std::vector<std::int32_t> shape) {
  return {std::move(name), TensorType::float32, std::move(shape), {}, 0, false};
}

// A RELU that a test then breaks.
TfliteWriter relu(std::vector<std::int32_t> shape = {4}) {
  TfliteWriter w;
  const auto input = w.tensor(floats("input", shape));
  w.op(19, {input}, {w.tensor(floats("output", shape))});
  w.inputs({input});
  w.outputs({1});
  return w;
}

// Either imports or throws ImportError with a text; anything else escapes and fails.
void expect_survival(const std::vector<std::uint8_t>& bytes) {
  try {
    static_cast<void>(test::imported(bytes));
  } catch (const ImportError& error) {
    EXPECT_GT(std::string(error.what()).size(), 20U);
  }
}

TEST(TfliteDamage, EveryTruncationIsANamedError) {
  const std::vector<std::uint8_t> model = test::tflite_cnn();
  for (std::size_t size = 0; size < model.size(); size += size < 64 ? 1 : 7) {
    const std::vector<std::uint8_t> cut(model.begin(), model.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_NE(import_failure(cut), "") << size;
  }
  EXPECT_THAT(import_failure({model.begin(), model.begin() + 200}), HasSubstr("does not verify"));
}

TEST(TfliteDamage, AppendedWeightsMustBeThere) {
  std::vector<std::uint8_t> model = test::tflite_cnn_with_appended_weights();
  model.pop_back();
  EXPECT_THAT(import_failure(model), HasSubstr("cut short"));
}

TEST(TfliteDamage, BitFlipsNeverEscape) {
  for (const test::TfliteModel& model : test::tflite_models()) {
    SCOPED_TRACE(model.name);
    std::vector<std::uint8_t> bytes = model.bytes;
    const std::size_t step = 1 + bytes.size() / 800;
    for (std::size_t i = 0; i < bytes.size(); i += step) {
      const std::uint8_t before = bytes[i];
      for (const unsigned bit : {1U << (i % 8), 0xFFU}) {
        bytes[i] = static_cast<std::uint8_t>(before ^ bit);
        expect_survival(bytes);
      }
      bytes[i] = before;
    }
  }
}

TEST(TfliteDamage, AnotherIdentifierIsRefused) {
  std::vector<std::uint8_t> model = relu().finish();
  model[7] = '4';
  EXPECT_THAT(import_failure(model), HasSubstr("neither a TFLite nor an ONNX model"));
}

TEST(TfliteDamage, AnotherSchemaVersionIsRefused) {
  TfliteWriter w = relu();
  w.model().version = 2;
  EXPECT_THAT(import_failure(w.finish()), HasSubstr("schema version 2 instead of 3"));
}

TEST(TfliteDamage, AModelWithoutSubgraphsIsRefused) {
  TfliteWriter w = relu();
  w.model().subgraphs.clear();
  EXPECT_THAT(import_failure(w.finish()), HasSubstr("no subgraph"));
}

TEST(TfliteDamage, OverflowingDimensionsAreNamed) {
  EXPECT_THAT(import_failure(relu({kMaxInt, kMaxInt, kMaxInt}).finish()), HasSubstr("64 bits"));
  EXPECT_THAT(import_failure(relu({kMaxInt, kMaxInt, 8}).finish()), HasSubstr("64 bits"));
  TfliteWriter w;
  const auto input = w.tensor(floats("input", {1, 1 << 20, 1 << 20, 1 << 10}));
  const auto filter = w.constant(floats("filter", {1 << 8, 3, 3, 1 << 10}));
  Conv2DOptionsT options;
  options.stride_h = options.stride_w = 1;
  w.op(3, {input, filter, -1}, {w.tensor(floats("conv", {1, 1 << 20, 1 << 20, 1 << 8}))}, options);
  w.inputs({input});
  EXPECT_THAT(import_failure(w.finish()), HasSubstr("64 bits"));
}

TEST(TfliteDamage, NegativeDimensionsAreNamed) {
  EXPECT_THAT(import_failure(relu({4, -2}).finish()), HasSubstr("tensor 0: dimension 1 is -2"));
}

TEST(TfliteDamage, TooManyDimensionsAreRefused) {
  EXPECT_THAT(import_failure(relu(std::vector<std::int32_t>(33, 1)).finish()), HasSubstr("33 dimensions"));
}

TEST(TfliteDamage, IndicesTheVerifierDoesNotCheckAreChecked) {
  {
    TfliteWriter w = relu();
    w.model().subgraphs[0]->operators[0]->opcode_index = 1;
    EXPECT_THAT(import_failure(w.finish()), HasSubstr("subgraph 0 operator 0: operator code 1 of 1"));
  }
  for (const std::int32_t bad : {2, kMaxInt, -2}) {
    TfliteWriter w = relu();
    w.model().subgraphs[0]->operators[0]->inputs = {bad};
    EXPECT_THAT(import_failure(w.finish()), HasSubstr("input tensor " + std::to_string(bad) + " of 2"));
  }
  {
    TfliteWriter w = relu();
    w.model().subgraphs[0]->operators[0]->outputs = {9};
    EXPECT_THAT(import_failure(w.finish()), HasSubstr("output tensor 9 of 2"));
  }
  {
    TfliteWriter w = relu();
    w.outputs({7});
    EXPECT_THAT(import_failure(w.finish()), HasSubstr("subgraph 0: output tensor 7 of 2"));
  }
  {
    TfliteWriter w = relu();
    w.model().subgraphs[0]->tensors[0]->buffer = 5;
    EXPECT_THAT(import_failure(w.finish()), HasSubstr("tensor 0: buffer 5 of 1"));
  }
  {
    TfliteWriter w = relu();
    w.model().operator_codes[0]->builtin_code = -4;
    w.model().operator_codes[0]->deprecated_builtin_code = -4;
    EXPECT_THAT(import_failure(w.finish()), HasSubstr("negative operator code -4"));
  }
  {
    TfliteWriter w = relu();
    auto signature = std::make_unique<SignatureDefT>();
    signature->signature_key = "serve";
    signature->subgraph_index = 3;
    w.model().signature_defs.push_back(std::move(signature));
    EXPECT_THAT(import_failure(w.finish()), HasSubstr("signature 'serve': subgraph 3 of 1"));
  }
  for (const std::int32_t bad : {1, -1}) {
    TfliteWriter w = relu();
    WhileOptionsT options;
    options.body_subgraph = bad;
    w.op(119, {0}, {1}, options);
    EXPECT_THAT(import_failure(w.finish()), HasSubstr("refers to subgraph " + std::to_string(bad) + " of 1"));
  }
}

TEST(TfliteDamage, SubgraphsThatRunThemselvesAreRefused) {
  TfliteWriter itself = relu();
  itself.op(31, {0}, {1}, CallOptionsT());
  EXPECT_THAT(import_failure(itself.finish()), HasSubstr("subgraph 0: it runs itself"));

  TfliteWriter each_other = relu();
  const auto other = each_other.subgraph("other");
  CallOptionsT there;
  there.subgraph = static_cast<std::uint32_t>(other);
  each_other.op(31, {0}, {1}, there);
  each_other.op(31, {}, {}, CallOptionsT(), other);
  EXPECT_THAT(import_failure(each_other.finish()), HasSubstr("it runs itself, directly or through others"));
}

// Subgraph i calls subgraph i+1 `calls` times.
std::vector<std::uint8_t> nested_calls(int depth, int calls) {
  TfliteWriter w = relu();
  for (int i = 0; i < depth; ++i) {
    const auto next = w.subgraph("level");
    CallOptionsT call;
    call.subgraph = static_cast<std::uint32_t>(next);
    for (int k = 0; k < calls; ++k) w.op(31, {}, {}, call, next - 1);
  }
  return w.finish();
}

TEST(TfliteDamage, CallsNestedTooDeepAreRefused) {
  EXPECT_EQ(import_failure(nested_calls(5, 1)), "");
  EXPECT_THAT(import_failure(nested_calls(6, 1)), HasSubstr("more than 5 deep"));
}

TEST(TfliteDamage, AFileThatRunsExponentiallyManyOperatorsIsRefused) {
  EXPECT_THAT(import_failure(nested_calls(5, 20)), HasSubstr("operators (each call of a subgraph counted)"));
}

TEST(TfliteDamage, SharedTablesDoNotMultiplyWithoutBound) {
  // One operator of which the subgraph claims to have 300 000.
  flatbuffers::FlatBufferBuilder builder;
  const std::vector<std::int32_t> index = {0};
  const auto op = CreateOperatorDirect(builder, 0, &index, &index);
  const std::vector<flatbuffers::Offset<tflite_wire::Operator>> ops(300'000, op);
  const std::vector<flatbuffers::Offset<Tensor>> tensors = {CreateTensorDirect(builder, &index)};
  const std::vector<flatbuffers::Offset<SubGraph>> graphs = {
      CreateSubGraphDirect(builder, &tensors, &index, &index, &ops)};
  const std::vector<flatbuffers::Offset<OperatorCode>> codes = {CreateOperatorCode(builder)};
  FinishModelBuffer(builder, CreateModelDirect(builder, 3, &codes, &graphs));
  EXPECT_THAT(import_failure({builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()}),
              HasSubstr("more than 262144 operators"));
}

TEST(TfliteDamage, AttributesThatCannotBeAreNamed) {
  const auto conv = [](std::int32_t stride, std::vector<std::int32_t> filter_shape) {
    TfliteWriter w;
    const auto input = w.tensor(floats("input", {1, 8, 8, 6}));
    const auto filter = w.constant(floats("filter", std::move(filter_shape)));
    Conv2DOptionsT options;
    options.stride_h = options.stride_w = stride;
    w.op(3, {input, filter, -1}, {w.tensor(floats("layer/conv", {1, 8, 8, 4}))}, options);
    w.inputs({input});
    return import_failure(w.finish());
  };
  EXPECT_THAT(conv(0, {4, 3, 3, 6}), HasSubstr("op 'layer/conv': its stride_h is 0"));
  EXPECT_THAT(conv(-1, {4, 3, 3, 6}), HasSubstr("stride_h is -1"));
  EXPECT_THAT(conv(1, {4, 3, 3, 4}), HasSubstr("filters of 4 channels do not fit 6 input channels"));
  EXPECT_THAT(conv(1, {4, 3, 3, 0}), HasSubstr("filters of 0 channels"));
  TfliteWriter w;
  const auto input = w.tensor(floats("input", {1, 7}));
  const auto weights = w.constant(floats("weights", {4, 8}));
  w.op(9, {input, weights, -1}, {w.tensor(floats("dense", {1, 4}))}, FullyConnectedOptionsT());
  EXPECT_THAT(import_failure(w.finish()), HasSubstr("7 input elements are no whole number of rows of 8"));
}

TEST(TfliteDamage, EmptyTensorsAreNotAnError) {
  EXPECT_EQ(import_failure(relu({0, kMaxInt, kMaxInt, kMaxInt}).finish()), "");
}

TEST(TfliteDamage, LongNamesAreCut) {
  TfliteWriter w = relu();
  w.model().subgraphs[0]->tensors[1]->name = std::string(1 << 20, 'x');
  const test::Imported graph = test::imported(w.finish());
  EXPECT_EQ(graph.view().name(1).size(), 2048U);
}

}  // namespace
}  // namespace edgejoule::import
