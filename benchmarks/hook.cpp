// The hook path: one op priced on a plan, as a runtime calls it beside every op.
#include <benchmark/benchmark.h>

#include "scene.h"

namespace {

using edgejoule::benchmarks::Scene;

void hook(benchmark::State& state) {
  const Scene scene(edgejoule::benchmarks::make_table(200), edgejoule::benchmarks::make_graph("synthetic-10"));
  const edgejoule::OpDescriptor op = edgejoule::benchmarks::hooked_convolution();
  edgejoule::RuntimeFacts runtime;
  runtime.time = edgejoule::Seconds(1e-4F);
  for (auto _ : state) {
    benchmark::DoNotOptimize(scene.plan().estimate(op, runtime, edgejoule::Confidence::k90));
  }
}

}  // namespace

BENCHMARK(hook);
