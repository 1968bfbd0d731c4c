// TensorFlow Lite Micro: the ops of a MicroInterpreter, reported to an edgejoule hook.
//
//   static edgejoule::adapters::TfliteMicroProfiler profiler(&hook);
//   tflite::MicroInterpreter interpreter(model, resolver, arena, size, nullptr, &profiler);
//   const uint32_t inference = edgejoule_hook_begin_inference(&hook, "keyword spotting");
//   interpreter.Invoke();
//   edgejoule_hook_end(&hook, inference);
//
// TFLM tells an op's kind and nothing else: ops are counted in the order they run, from each
// begin of an inference, which the program has to bracket. Ops of other subgraphs (If, While)
// run within an op and carry no number. With TF_LITE_STRIP_ERROR_STRINGS TFLM reports nothing.
// Lifetime: views the hook. C++14, nothing allocated, no operator delete needed.
#ifndef EDGEJOULE_ADAPTERS_TFLITE_MICRO_H
#define EDGEJOULE_ADAPTERS_TFLITE_MICRO_H

#include <cstdint>

#include "edgejoule/edgejoule.h"
#include "tensorflow/lite/micro/micro_profiler_interface.h"

namespace edgejoule {
namespace adapters {

class TfliteMicroProfiler final : public tflite::MicroProfilerInterface {
 public:
  explicit TfliteMicroProfiler(edgejoule_hook* hook) noexcept : hook_(hook) {}

  std::uint32_t BeginEvent(const char* tag) override {
    return edgejoule_hook_begin_op(hook_, tag, EDGEJOULE_NODE_IN_ORDER, 0);
  }
  void EndEvent(std::uint32_t event_handle) override { edgejoule_hook_end(hook_, event_handle); }

 private:
  // The virtual destructor names it; without this a firmware would get a heap.
  static void operator delete(void* /*memory*/) noexcept {}

  edgejoule_hook* hook_;
};

}  // namespace adapters
}  // namespace edgejoule

#endif  // EDGEJOULE_ADAPTERS_TFLITE_MICRO_H
