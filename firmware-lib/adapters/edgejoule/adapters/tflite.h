// TensorFlow Lite and LiteRT: the ops of an interpreter, reported to an edgejoule hook.
//
//   edgejoule::adapters::TfliteProfiler profiler(&hook);
//   interpreter->SetProfiler(&profiler);   // (AddProfiler beside another one)
//   interpreter->Invoke();
//
// Reported: operators (node and subgraph as the interpreter counts them), the steps that a
// delegate reports as they happen, and Interpreter::Invoke as an inference. A SignatureRunner
// reports no inference: bracket it with edgejoule_hook_begin_inference. What a delegate tells
// after the fact (AddEvent) has no instants and is left out.
// Lifetime: views the hook. One thread: that of the interpreter. C++14, nothing allocated.
#ifndef EDGEJOULE_ADAPTERS_TFLITE_H
#define EDGEJOULE_ADAPTERS_TFLITE_H

#if defined(__has_include)
#if __has_include("tensorflow/lite/core/api/profiler.h")
#include "tensorflow/lite/core/api/profiler.h"
#else
#include "tflite/core/api/profiler.h"
#endif
#else
#include "tensorflow/lite/core/api/profiler.h"
#endif

#include <cstdint>
#include <cstring>

#include "edgejoule/edgejoule.h"

namespace edgejoule {
namespace adapters {

class TfliteProfiler final : public tflite::Profiler {
 public:
  explicit TfliteProfiler(edgejoule_hook* hook) noexcept : hook_(hook) {}

  using tflite::Profiler::BeginEvent;

  std::uint32_t BeginEvent(const char* tag, EventType event_type, std::int64_t event_metadata1,
                           std::int64_t event_metadata2) override {
    if (event_type == EventType::OPERATOR_INVOKE_EVENT) {
      return edgejoule_hook_begin_op(hook_, tag, static_cast<std::uint32_t>(event_metadata1), part_of(event_metadata2));
    }
    if (event_type == EventType::DELEGATE_OPERATOR_INVOKE_EVENT || is_profiled_by_delegate(event_type, 0)) {
      return edgejoule_hook_begin_inner(hook_, tag, static_cast<std::uint32_t>(event_metadata1),
                                        part_of(event_metadata2));
    }
    if (event_type == EventType::GENERAL_RUNTIME_INSTRUMENTATION_EVENT && tag != nullptr &&
        std::strcmp(tag, "invoke") == 0) {
      return edgejoule_hook_begin_inference(hook_, tag);
    }
    return EDGEJOULE_NO_EVENT;
  }

  void EndEvent(std::uint32_t event_handle) override { edgejoule_hook_end(hook_, event_handle); }
  // Some releases drop an event that ends with metadata, unless it is overridden.
  void EndEvent(std::uint32_t event_handle, std::int64_t /*status1*/, std::int64_t /*status2*/) override {
    edgejoule_hook_end(hook_, event_handle);
  }

 private:
  // The virtual destructor names it; nothing here comes from the heap.
  static void operator delete(void* /*memory*/) noexcept {}

  static std::uint32_t part_of(std::int64_t subgraph) noexcept {
    return subgraph < 0 ? 0 : static_cast<std::uint32_t>(subgraph);
  }

  // An event type that older releases do not have.
  template <class Type>
  static auto is_profiled_by_delegate(Type type, int) noexcept
      -> decltype(Type::DELEGATE_PROFILED_OPERATOR_INVOKE_EVENT, bool()) {
    return type == Type::DELEGATE_PROFILED_OPERATOR_INVOKE_EVENT;
  }
  template <class Type>
  static bool is_profiled_by_delegate(Type /*type*/, long /*any*/) noexcept {
    return false;
  }

  edgejoule_hook* hook_;
};

}  // namespace adapters
}  // namespace edgejoule

#endif  // EDGEJOULE_ADAPTERS_TFLITE_H
