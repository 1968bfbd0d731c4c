// ExecuTorch: the instructions of a method, reported to an edgejoule hook.
//
//   edgejoule::adapters::ExecutorchTracer tracer(&hook);
//   auto method = program->load_method("forward", &memory_manager, &tracer);
//   method->execute();
//
// Reported: Method::execute as an inference; instructions as ops (node: the instruction's
// index, part: its chain; all of them, moves and jumps included); within them the kernels'
// names and a delegate's own events. With Method::step the program brackets an inference
// itself. What a delegate tells after the fact (log_profiling_delegate) is on the delegate's
// clock and is left out; values and allocations are not traced.
// ExecuTorch has to be built with EXECUTORCH_ENABLE_EVENT_TRACER, or it reports nothing.
// Lifetime: views the hook. One thread. C++14 beside what ExecuTorch itself needs.
#ifndef EDGEJOULE_ADAPTERS_EXECUTORCH_H
#define EDGEJOULE_ADAPTERS_EXECUTORCH_H

#include <executorch/runtime/core/event_tracer.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "edgejoule/edgejoule.h"

namespace edgejoule {
namespace adapters {

class ExecutorchTracer final : public ::executorch::runtime::EventTracer {
  using AllocatorId = ::executorch::runtime::AllocatorID;
  using ChainId = ::executorch::runtime::ChainID;
  using DebugHandle = ::executorch::runtime::DebugHandle;
  using DelegateId = ::executorch::runtime::DelegateDebugIntId;
  using Entry = ::executorch::runtime::EventTracerEntry;
  using Logged = ::executorch::runtime::Result<bool>;
  using Tensor = ::executorch::aten::Tensor;

 public:
  explicit ExecutorchTracer(edgejoule_hook* hook) noexcept : hook_(hook) {}

  Entry start_profiling(const char* name, ChainId chain_id, DebugHandle debug_handle) override {
    // Without both, those of the instruction that runs.
    const bool is_set = chain_id != ::executorch::runtime::kUnsetChainId;
    const ChainId chain = is_set ? chain_id : chain_id_;
    const DebugHandle instruction = is_set ? debug_handle : debug_handle_;
    std::uint32_t handle = EDGEJOULE_NO_EVENT;
    if (name != nullptr && std::strncmp(name, "Method::", 8) == 0) {
      if (std::strcmp(name, "Method::execute") == 0) handle = edgejoule_hook_begin_inference(hook_, name);
    } else if (chain != ::executorch::runtime::kUnsetChainId && !in_instruction_) {
      handle = edgejoule_hook_begin_op(hook_, name, instruction, static_cast<std::uint32_t>(chain));
      in_instruction_ = handle != EDGEJOULE_NO_EVENT;
      instruction_ = handle;
    } else {
      handle = edgejoule_hook_begin_inner(hook_, name, EDGEJOULE_NO_NODE, 0);
    }
    return entry(handle, chain, instruction, ::executorch::runtime::DelegateDebugIdType::kNone);
  }

  void end_profiling(Entry prof_entry) override { end(prof_entry); }

  Entry start_profiling_delegate(const char* name, DelegateId delegate_debug_index) override {
    const std::uint32_t handle = edgejoule_hook_begin_inner(
        hook_, name, name != nullptr ? EDGEJOULE_NO_NODE : static_cast<std::uint32_t>(delegate_debug_index), 0);
    return entry(handle, chain_id_, debug_handle_,
                 name != nullptr ? ::executorch::runtime::DelegateDebugIdType::kStr
                                 : ::executorch::runtime::DelegateDebugIdType::kInt);
  }

  void end_profiling_delegate(Entry event_tracer_entry, const void* /*metadata*/,
                              std::size_t /*metadata_len*/) override {
    end(event_tracer_entry);
  }

  // Neither measured here nor kept.
  void create_event_block(const char* /*name*/) override {}
  void log_profiling_delegate(const char* /*name*/, DelegateId /*id*/, et_timestamp_t /*start_time*/,
                              et_timestamp_t /*end_time*/, const void* /*metadata*/,
                              std::size_t /*metadata_len*/) override {}
  void track_allocation(AllocatorId /*id*/, std::size_t /*size*/) override {}
  AllocatorId track_allocator(const char* /*name*/) override { return 0; }
  Logged log_evalue(const ::executorch::runtime::EValue& /*value*/,
                    ::executorch::runtime::LoggedEValueType /*type*/) override {
    return false;
  }
  Logged log_intermediate_output_delegate(const char* /*name*/, DelegateId /*id*/, const Tensor& /*output*/) override {
    return false;
  }
  Logged log_intermediate_output_delegate(const char* /*name*/, DelegateId /*id*/,
                                          const ::executorch::runtime::ArrayRef<Tensor> /*output*/) override {
    return false;
  }
  Logged log_intermediate_output_delegate(const char* /*name*/, DelegateId /*id*/, const int& /*output*/) override {
    return false;
  }
  Logged log_intermediate_output_delegate(const char* /*name*/, DelegateId /*id*/, const bool& /*output*/) override {
    return false;
  }
  Logged log_intermediate_output_delegate(const char* /*name*/, DelegateId /*id*/, const double& /*output*/) override {
    return false;
  }
  void set_delegation_intermediate_output_filter(::executorch::runtime::EventTracerFilterBase* /*filter*/) override {}

 private:
  // The virtual destructor names it; nothing here comes from the heap.
  static void operator delete(void* /*memory*/) noexcept {}

  static Entry entry(std::uint32_t handle, ChainId chain, DebugHandle instruction,
                     ::executorch::runtime::DelegateDebugIdType type) noexcept {
    Entry out{};
    out.event_id = handle;
    out.chain_id = chain;
    out.debug_handle = instruction;
    out.delegate_event_id_type = type;
    return out;
  }

  void end(const Entry& event) noexcept {
    const std::uint32_t handle = static_cast<std::uint32_t>(event.event_id);
    edgejoule_hook_end(hook_, handle);
    if (handle <= instruction_) in_instruction_ = false;
  }

  edgejoule_hook* hook_;
  std::uint32_t instruction_ = 0;
  bool in_instruction_ = false;
};

}  // namespace adapters
}  // namespace edgejoule

#endif  // EDGEJOULE_ADAPTERS_EXECUTORCH_H
