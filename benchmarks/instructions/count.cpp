// Repeats one step a given number of times, to be counted by something outside that sees
// every instruction: the difference between two numbers of repetitions is the step alone.
//
// Usage: count_instructions STEP TABLE.ejt GRAPH.ejg REPETITIONS; STEP: predict,
// predict_with_time, predict_with_op_times, predict_timed_table, hook, bind, prepare,
// open_table, open_graph. Prints "ops nodes".
// count_instructions write FOLDER: writes the files to count with.
// Exit codes: 0 ok, 1 the step failed, 2 usage.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "files/io.h"
#include "scene.h"

namespace {

using edgejoule::benchmarks::Scene;

template <class T>
void keep(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

void write_files(const std::string& folder) {
  const auto write = [&](const std::string& name, const edgejoule::files::FileBytes& bytes) {
    edgejoule::files::write_file(folder + "/" + name, bytes.text());
  };
  write("rows-200.ejt", edgejoule::benchmarks::make_table(200));
  write("rows-200-timed.ejt", edgejoule::benchmarks::make_table(200, true));
  for (const char* model :
       {"mobilenet_v2-1.0-224", "bert-base", "synthetic-193", "synthetic-1000", "synthetic-100000"}) {
    write(std::string(model) + ".ejg", edgejoule::benchmarks::make_graph(model));
  }
}

bool repeat(const std::string& step, Scene& scene, long repetitions) {
  const auto times = scene.op_times();
  edgejoule::PredictInputs inputs;
  if (step == "predict_with_time") {
    inputs.time = edgejoule::Seconds(0.01F);
  } else if (step == "predict_with_op_times") {
    inputs.per_node = times;
  }
  const edgejoule::OpDescriptor op = edgejoule::benchmarks::hooked_convolution();
  edgejoule::RuntimeFacts runtime;
  runtime.time = edgejoule::Seconds(1e-4F);

  for (long i = 0; i < repetitions; ++i) {
    if (step.rfind("predict", 0) == 0) {
      if (!scene.predictor().predict(inputs, scene.estimates()).ok()) {
        return false;
      }
    } else if (step == "hook") {
      keep(scene.plan().estimate(op, runtime, edgejoule::Confidence::k90));
    } else if (step == "bind") {
      keep(scene.bind());
    } else if (step == "prepare") {
      keep(scene.prepare());
    } else if (step == "open_table") {
      keep(scene.open_table());
    } else if (step == "open_graph") {
      keep(scene.open_graph());
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 3 && std::string(argv[1]) == "write") {
      write_files(argv[2]);
      return 0;
    }
    if (argc != 5) {
      std::fputs("usage: count_instructions STEP TABLE GRAPH REPETITIONS | write FOLDER\n", stderr);
      return 2;
    }
    Scene scene(edgejoule::files::read_file(argv[2]), edgejoule::files::read_file(argv[3]));
    std::printf("%u %u\n", scene.op_count(), scene.graph().size());
    return repeat(argv[1], scene, std::atol(argv[4])) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "count_instructions: %s\n", error.what());
    return 1;
  }
}
