// Stand-in: the interface by which TensorFlow Lite reports events to a profiler.
#pragma once

#include <cstdint>

namespace tflite {

class Profiler {
 public:
  enum class EventType {
    DEFAULT = 1,
    OPERATOR_INVOKE_EVENT = 2,
    DELEGATE_OPERATOR_INVOKE_EVENT = 4,
    DELEGATE_PROFILED_OPERATOR_INVOKE_EVENT = 8,
    GENERAL_RUNTIME_INSTRUMENTATION_EVENT = 16
  };
  virtual ~Profiler() {}

  virtual uint32_t BeginEvent(const char* tag, EventType type, int64_t metadata1, int64_t metadata2) = 0;
  uint32_t BeginEvent(const char* tag, EventType type, int64_t metadata) { return BeginEvent(tag, type, metadata, 0); }
  virtual void EndEvent(uint32_t handle) = 0;
  // As in the releases that forget such an event.
  virtual void EndEvent(uint32_t /*handle*/, int64_t /*metadata1*/, int64_t /*metadata2*/) {}
};

}  // namespace tflite
