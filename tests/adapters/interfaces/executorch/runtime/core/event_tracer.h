// Stand-in: the interface by which ExecuTorch reports events to a tracer, with as much of the
// types around it as its signatures need.
#pragma once

#include <cstddef>
#include <cstdint>

typedef uint64_t et_timestamp_t;

namespace executorch {
namespace aten {
class Tensor {};
}  // namespace aten

namespace runtime {

class EValue {};
template <class T>
class ArrayRef {};
template <class T>
class Result {
 public:
  Result(T value) : value_(value) {}
  T get() const { return value_; }

 private:
  T value_;
};

typedef uint32_t AllocatorID;
typedef int32_t ChainID;
typedef uint32_t DebugHandle;
typedef int32_t DelegateDebugIntId;
constexpr ChainID kUnsetChainId = -1;
constexpr DebugHandle kUnsetDebugHandle = 0;

enum class DelegateDebugIdType { kNone, kInt, kStr };
enum class LoggedEValueType { kIntermediateOutput = 0, kProgramOutput = 1 };
class EventTracerFilterBase;

struct EventTracerEntry {
  int64_t event_id;
  ChainID chain_id;
  DebugHandle debug_handle;
  et_timestamp_t start_time;
  DelegateDebugIdType delegate_event_id_type;
};

class EventTracer {
 public:
  virtual ~EventTracer() {}
  virtual void create_event_block(const char* name) = 0;
  virtual EventTracerEntry start_profiling(const char* name, ChainID chain_id = kUnsetChainId,
                                           DebugHandle debug_handle = kUnsetDebugHandle) = 0;
  virtual EventTracerEntry start_profiling_delegate(const char* name, DelegateDebugIntId id) = 0;
  virtual void end_profiling_delegate(EventTracerEntry entry, const void* metadata = nullptr,
                                      size_t metadata_len = 0) = 0;
  virtual void log_profiling_delegate(const char* name, DelegateDebugIntId id, et_timestamp_t start_time,
                                      et_timestamp_t end_time, const void* metadata = nullptr,
                                      size_t metadata_len = 0) = 0;
  virtual void end_profiling(EventTracerEntry entry) = 0;
  virtual void track_allocation(AllocatorID id, size_t size) = 0;
  virtual AllocatorID track_allocator(const char* name) = 0;
  virtual Result<bool> log_evalue(const EValue& value, LoggedEValueType type) = 0;
  virtual Result<bool> log_intermediate_output_delegate(const char* name, DelegateDebugIntId id,
                                                        const aten::Tensor& output) = 0;
  virtual Result<bool> log_intermediate_output_delegate(const char* name, DelegateDebugIntId id,
                                                        const ArrayRef<aten::Tensor> output) = 0;
  virtual Result<bool> log_intermediate_output_delegate(const char* name, DelegateDebugIntId id, const int& output) = 0;
  virtual Result<bool> log_intermediate_output_delegate(const char* name, DelegateDebugIntId id,
                                                        const bool& output) = 0;
  virtual Result<bool> log_intermediate_output_delegate(const char* name, DelegateDebugIntId id,
                                                        const double& output) = 0;
  virtual void set_delegation_intermediate_output_filter(EventTracerFilterBase* filter) = 0;

  // Of the instruction that runs; used where start_profiling is given neither.
  void set_chain_debug_handle(ChainID chain_id, DebugHandle debug_handle) {
    chain_id_ = chain_id;
    debug_handle_ = debug_handle;
  }

 protected:
  ChainID chain_id_ = kUnsetChainId;
  DebugHandle debug_handle_ = kUnsetDebugHandle;
};

}  // namespace runtime
}  // namespace executorch
