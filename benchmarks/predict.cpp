// Predicting a bound graph: ns per op for real networks and for 10 to 100 000 ops.
#include <benchmark/benchmark.h>

#include <string>

#include "scene.h"

namespace {

using edgejoule::benchmarks::make_graph;
using edgejoule::benchmarks::make_table;
using edgejoule::benchmarks::Scene;

void run(benchmark::State& state, const std::string& model, bool with_times) {
  Scene scene(make_table(200), make_graph(model));
  const auto times = scene.op_times();
  edgejoule::PredictInputs inputs;
  inputs.time = edgejoule::Seconds(0.01F);
  if (with_times) {
    inputs.per_node = times;
  }
  for (auto _ : state) {
    const auto status = scene.predictor().predict(inputs, scene.estimates());
    if (!status) {
      state.SkipWithError(edgejoule::error_text(status.error()));
      break;
    }
    benchmark::ClobberMemory();
  }
  state.counters["ops"] = scene.op_count();
  state.counters["s_per_op"] =
      benchmark::Counter(scene.op_count(), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void predict_synthetic(benchmark::State& state) {
  run(state, "synthetic-" + std::to_string(state.range(0)), false);
}

}  // namespace

BENCHMARK_CAPTURE(run, mobilenet_v2, "mobilenet_v2-1.0-224", false)->Name("predict/mobilenet_v2");
BENCHMARK_CAPTURE(run, bert_base, "bert-base", false)->Name("predict/bert_base");
BENCHMARK_CAPTURE(run, bert_base_times, "bert-base", true)->Name("predict/bert_base_with_op_times");
BENCHMARK(predict_synthetic)->Name("predict/synthetic")->RangeMultiplier(10)->Range(10, 100000);
