// Stand-in: the interface by which TensorFlow Lite Micro reports ops to a profiler.
#pragma once

#include <cstdint>

namespace tflite {

class MicroProfilerInterface {
 public:
  virtual ~MicroProfilerInterface() {}
  virtual uint32_t BeginEvent(const char* tag) = 0;
  virtual void EndEvent(uint32_t handle) = 0;
};

}  // namespace tflite
