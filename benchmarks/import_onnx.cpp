// From the bytes of an ONNX file to joules per op: import, open, prepare, bind, predict.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "import/import.h"
#include "import/onnx/writer.h"
#include "scene.h"

namespace {

using namespace edgejoule;

// Layers of ten nodes with a scope each, as exporters of transformers write them.
std::vector<std::uint8_t> file_of(std::int64_t nodes) {
  import::OnnxGraphWriter g("synthetic");
  g.input("h", {1, 128, 256}).integers("heads", {0, 0, 4, 64}).integers("joined", {0, 0, 256});
  std::string last = "h";
  for (std::int64_t layer = 0; layer < nodes / 10; ++layer) {
    const std::string scope = "/encoder/layer." + std::to_string(layer);
    const auto at = [&](const char* name) { return scope + name; };
    g.weights(at("/query.weight"), {256, 256}).weights(at("/up.weight"), {256, 1024});
    g.weights(at("/down.weight"), {1024, 256}).weights(at("/norm.weight"), {256});
    const auto node = [&](const char* op, const import::OnnxNames& inputs, const char* name,
                          const std::vector<import::OnnxMessage>& attributes = {}) {
      g.node({op, inputs, {at(name)}, attributes, at(name)});
    };
    node("MatMul", {last, at("/query.weight")}, "/attention/query/MatMul");
    node("Reshape", {at("/attention/query/MatMul"), "heads"}, "/attention/Reshape");
    node("Transpose", {at("/attention/Reshape")}, "/attention/Transpose", {import::onnx_ints("perm", {0, 2, 1, 3})});
    node("Softmax", {at("/attention/Transpose")}, "/attention/Softmax");
    node("Transpose", {at("/attention/Softmax")}, "/attention/Transpose_1", {import::onnx_ints("perm", {0, 2, 1, 3})});
    node("Reshape", {at("/attention/Transpose_1"), "joined"}, "/attention/Reshape_1");
    node("MatMul", {at("/attention/Reshape_1"), at("/up.weight")}, "/intermediate/MatMul");
    node("Gelu", {at("/intermediate/MatMul")}, "/intermediate/Gelu");
    node("MatMul", {at("/intermediate/Gelu"), at("/down.weight")}, "/output/MatMul");
    node("LayerNormalization", {at("/output/MatMul"), at("/norm.weight")}, "/output/LayerNorm");
    last = at("/output/LayerNorm");
  }
  g.output(last);
  return import::OnnxModelWriter(g, 20).finish();
}

void import_and_predict(benchmark::State& state) {
  const std::vector<std::uint8_t> file = file_of(state.range(0));
  const Span<const std::byte> bytes(reinterpret_cast<const std::byte*>(file.data()), file.size());
  std::uint32_t ops = 0;
  for (auto _ : state) {
    benchmarks::Scene scene(benchmarks::make_table(200), import::import_bytes(bytes, "synthetic.onnx"));
    if (!scene.predictor().predict({}, scene.estimates()).ok()) throw std::runtime_error("no prediction");
    benchmark::DoNotOptimize(scene.estimates().data());
    ops = scene.op_count();
  }
  state.counters["ops"] = ops;
}

}  // namespace

BENCHMARK(import_and_predict)->Arg(1'000)->Arg(100'000)->Unit(benchmark::kMillisecond);
