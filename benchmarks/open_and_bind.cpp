// What stands before the first prediction: open and verify files, prepare a plan, bind.
#include <benchmark/benchmark.h>

#include <string>

#include "scene.h"

namespace {

using edgejoule::benchmarks::make_graph;
using edgejoule::benchmarks::make_table;
using edgejoule::benchmarks::Scene;

void open_table(benchmark::State& state) {
  const Scene scene(make_table(static_cast<std::uint32_t>(state.range(0))), make_graph("synthetic-10"));
  for (auto _ : state) {
    benchmark::DoNotOptimize(scene.open_table());
  }
}

void prepare_plan(benchmark::State& state) {
  Scene scene(make_table(static_cast<std::uint32_t>(state.range(0))), make_graph("synthetic-10"));
  for (auto _ : state) {
    benchmark::DoNotOptimize(scene.prepare());
  }
}

void open_graph(benchmark::State& state, const std::string& model) {
  const Scene scene(make_table(200), make_graph(model));
  for (auto _ : state) {
    benchmark::DoNotOptimize(scene.open_graph());
  }
  state.counters["nodes"] = scene.graph().size();
}

void bind(benchmark::State& state, const std::string& model) {
  Scene scene(make_table(200), make_graph(model));
  for (auto _ : state) {
    benchmark::DoNotOptimize(scene.bind());
  }
  state.counters["nodes"] = scene.graph().size();
}

}  // namespace

BENCHMARK(open_table)->Arg(200);
BENCHMARK(prepare_plan)->Arg(200);
// 193 ops in 20 blocks below the root: 214 nodes
BENCHMARK_CAPTURE(open_graph, nodes_214, "synthetic-193");
BENCHMARK_CAPTURE(bind, nodes_214, "synthetic-193");
BENCHMARK_CAPTURE(open_graph, bert_base, "bert-base");
BENCHMARK_CAPTURE(bind, bert_base, "bert-base");
