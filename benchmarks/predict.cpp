// Predicting a bound graph: ns per op for real networks and for 10 to 100 000 ops.
#include <benchmark/benchmark.h>

#include <string>

#include "scene.h"

namespace {

using edgejoule::benchmarks::make_graph;
using edgejoule::benchmarks::make_table;
using edgejoule::benchmarks::Scene;

// What is known while running, besides the graph.
enum class Known { kNothing, kModelTime, kOpTimes };

void run(benchmark::State& state, const std::string& model, Known known) {
  Scene scene(make_table(200), make_graph(model));
  const auto times = scene.op_times();
  edgejoule::PredictInputs inputs;
  if (known == Known::kModelTime) {
    inputs.time = edgejoule::Seconds(0.01F);
  } else if (known == Known::kOpTimes) {
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
  run(state, "synthetic-" + std::to_string(state.range(0)), Known::kNothing);
}

}  // namespace

BENCHMARK_CAPTURE(run, mobilenet_v2, "mobilenet_v2-1.0-224", Known::kNothing)->Name("predict/mobilenet_v2");
BENCHMARK_CAPTURE(run, bert_base, "bert-base", Known::kNothing)->Name("predict/bert_base");
BENCHMARK_CAPTURE(run, bert_base_time, "bert-base", Known::kModelTime)->Name("predict/bert_base_with_time");
BENCHMARK_CAPTURE(run, bert_base_op_times, "bert-base", Known::kOpTimes)->Name("predict/bert_base_with_op_times");
BENCHMARK(predict_synthetic)->Name("predict/synthetic")->RangeMultiplier(10)->Range(10, 100000);
