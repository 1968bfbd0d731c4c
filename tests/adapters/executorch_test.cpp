#include "edgejoule/adapters/executorch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "adapters/recorded_hook.h"

namespace edgejoule::test {
namespace {

using executorch::runtime::DelegateDebugIdType;
using executorch::runtime::EventTracerEntry;
using ::testing::ElementsAre;

// As Method::execute reports: a kernel call, a delegate, and a move.
void execute(executorch::runtime::EventTracer& tracer) {
  tracer.create_event_block("Execute");
  const EventTracerEntry run = tracer.start_profiling("Method::execute");
  tracer.set_chain_debug_handle(0, 0);
  const EventTracerEntry call = tracer.start_profiling("OPERATOR_CALL");
  tracer.end_profiling(tracer.start_profiling(std::string("native_call_add.out").c_str()));
  tracer.end_profiling(call);
  tracer.set_chain_debug_handle(0, 1);
  const EventTracerEntry delegate = tracer.start_profiling("DELEGATE_CALL");
  tracer.end_profiling_delegate(tracer.start_profiling_delegate("Convolution (NHWC, F32) IGEMM", -1));
  tracer.end_profiling_delegate(tracer.start_profiling_delegate(nullptr, 5));
  tracer.log_profiling_delegate("after the fact", -1, 10, 20);
  tracer.end_profiling(delegate);
  tracer.set_chain_debug_handle(0, 2);
  tracer.end_profiling(tracer.start_profiling("MOVE_CALL"));
  tracer.set_chain_debug_handle(executorch::runtime::kUnsetChainId, executorch::runtime::kUnsetDebugHandle);
  tracer.end_profiling(run);
}

TEST(ExecutorchTracer, MarksInstructionsKernelsAndDelegates) {
  RecordedHook hook;
  hook.start();
  adapters::ExecutorchTracer tracer(hook.get());
  tracer.end_profiling(static_cast<executorch::runtime::EventTracer&>(tracer).start_profiling("Method::init"));
  execute(tracer);
  EXPECT_THAT(hook.marks(),
              ElementsAre("+inference Method::execute", "+op 0 OPERATOR_CALL", "+inner native_call_add.out",
                          "-inner native_call_add.out", "-op 0 OPERATOR_CALL", "+op 1 DELEGATE_CALL",
                          "+inner Convolution (NHWC, F32) IGEMM", "-inner Convolution (NHWC, F32) IGEMM", "+inner 5 ",
                          "-inner 5 ", "-op 1 DELEGATE_CALL", "+op 2 MOVE_CALL", "-op 2 MOVE_CALL",
                          "-inference Method::execute"));
}

TEST(ExecutorchTracer, PricesInstructionsAndNotWhatIsWithinThem) {
  RecordedHook hook;
  hook.price({1.0F, 2.0F, 0.5F});
  hook.start();
  adapters::ExecutorchTracer tracer(hook.get());
  execute(tracer);
  execute(tracer);
  EXPECT_THAT(hook.op_joules, ElementsAre(1.0F, 2.0F, 0.5F, 1.0F, 2.0F, 0.5F));
  EXPECT_THAT(hook.inference_joules, ElementsAre(3.5F, 3.5F));
}

TEST(ExecutorchTracer, PrefersWhatTheCallerNames) {
  RecordedHook hook;
  hook.start();
  adapters::ExecutorchTracer tracer(hook.get());
  tracer.set_chain_debug_handle(0, 7);
  const EventTracerEntry named = tracer.start_profiling("OPERATOR_CALL", 1, 9);
  EXPECT_EQ(named.chain_id, 1);
  EXPECT_EQ(named.debug_handle, 9U);
  EXPECT_EQ(named.delegate_event_id_type, DelegateDebugIdType::kNone);
  tracer.end_profiling(named);
  EXPECT_THAT(hook.marks(), ElementsAre("+op 9 OPERATOR_CALL@1", "-op 9 OPERATOR_CALL@1"));
  EXPECT_EQ(tracer.start_profiling_delegate("x", -1).delegate_event_id_type, DelegateDebugIdType::kStr);
  EXPECT_EQ(tracer.start_profiling_delegate(nullptr, 3).delegate_event_id_type, DelegateDebugIdType::kInt);
}

TEST(ExecutorchTracer, TracesNoValues) {
  RecordedHook hook;
  hook.start();
  adapters::ExecutorchTracer tracer(hook.get());
  EXPECT_FALSE(tracer.log_evalue({}, executorch::runtime::LoggedEValueType::kProgramOutput).get());
  EXPECT_FALSE(tracer.log_intermediate_output_delegate("x", 0, executorch::aten::Tensor()).get());
  EXPECT_FALSE(tracer.log_intermediate_output_delegate("x", 0, 1.5).get());
  EXPECT_EQ(tracer.track_allocator("x"), 0U);
  tracer.track_allocation(0, 100);
  EXPECT_TRUE(hook.marks().empty());
}

}  // namespace
}  // namespace edgejoule::test
