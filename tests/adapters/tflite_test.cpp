#include "edgejoule/adapters/tflite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/recorded_hook.h"

namespace edgejoule::test {
namespace {

using ::testing::ElementsAre;
using Type = tflite::Profiler::EventType;

// As Interpreter::Invoke reports a graph of a convolution, a delegate and an addition.
void invoke(tflite::Profiler& profiler) {
  const std::uint32_t run = profiler.BeginEvent("invoke", Type::GENERAL_RUNTIME_INSTRUMENTATION_EVENT, -1);
  profiler.EndEvent(profiler.BeginEvent("CONV_2D", Type::OPERATOR_INVOKE_EVENT, 0, 0));
  const std::uint32_t delegate = profiler.BeginEvent("TfLiteXNNPackDelegate", Type::OPERATOR_INVOKE_EVENT, 3, 0);
  profiler.EndEvent(profiler.BeginEvent("conv", Type::DELEGATE_OPERATOR_INVOKE_EVENT, 0, 0));
  profiler.EndEvent(profiler.BeginEvent("add", Type::DELEGATE_PROFILED_OPERATOR_INVOKE_EVENT, 1, 0));
  profiler.EndEvent(delegate);
  const std::uint32_t copy = profiler.BeginEvent("CopyToBufferHandle", Type::DEFAULT, 0, 0);
  profiler.EndEvent(copy);
  profiler.EndEvent(profiler.BeginEvent("ADD", Type::OPERATOR_INVOKE_EVENT, 2, 0));
  profiler.EndEvent(run, 0, 0);  // the delegate's and the interpreter's status
}

TEST(TfliteProfiler, MarksOpsDelegatesAndInferences) {
  RecordedHook hook;
  hook.start();
  adapters::TfliteProfiler profiler(hook.get());
  invoke(profiler);
  EXPECT_THAT(hook.marks(),
              ElementsAre("+inference invoke", "+op 0 CONV_2D", "-op 0 CONV_2D", "+op 3 TfLiteXNNPackDelegate",
                          "+inner 0 conv", "-inner 0 conv", "+inner 1 add", "-inner 1 add",
                          "-op 3 TfLiteXNNPackDelegate", "+op 2 ADD", "-op 2 ADD", "-inference invoke"));
}

TEST(TfliteProfiler, PricesOpsOfTheMainGraphOnce) {
  RecordedHook hook;
  hook.price({1.0F, 2.0F, 4.0F, 8.0F});
  hook.start();
  adapters::TfliteProfiler profiler(hook.get());
  invoke(profiler);
  invoke(profiler);
  EXPECT_THAT(hook.op_joules, ElementsAre(1.0F, 8.0F, 4.0F, 1.0F, 8.0F, 4.0F));
  EXPECT_THAT(hook.inference_joules, ElementsAre(13.0F, 13.0F));
}

TEST(TfliteProfiler, TellsSubgraphsApart) {
  RecordedHook hook;
  hook.price({1.0F});
  hook.start();
  adapters::TfliteProfiler profiler(hook.get());
  const std::uint32_t loop = profiler.BeginEvent("WHILE", Type::OPERATOR_INVOKE_EVENT, 0, 0);
  profiler.EndEvent(profiler.BeginEvent("ADD", Type::OPERATOR_INVOKE_EVENT, 0, 1));
  profiler.EndEvent(profiler.BeginEvent("ADD", Type::OPERATOR_INVOKE_EVENT, 0, 1000));
  profiler.EndEvent(loop);
  EXPECT_THAT(hook.marks(), ElementsAre("+op 0 WHILE", "+op 0 ADD@1", "-op 0 ADD@1", "+op 0 ADD@255", "-op 0 ADD@255",
                                        "-op 0 WHILE"));
  EXPECT_THAT(hook.op_joules, ElementsAre(1.0F));  // the loop, its body within it
}

TEST(TfliteProfiler, LetsOtherInstrumentationPass) {
  RecordedHook hook;
  hook.start();
  adapters::TfliteProfiler profiler(hook.get());
  const std::uint32_t event = profiler.BeginEvent("ModifyGraph", Type::GENERAL_RUNTIME_INSTRUMENTATION_EVENT, -1);
  profiler.EndEvent(event, 0, 0);
  profiler.EndEvent(profiler.BeginEvent(nullptr, Type::GENERAL_RUNTIME_INSTRUMENTATION_EVENT, -1));
  EXPECT_TRUE(hook.marks().empty());
}

}  // namespace
}  // namespace edgejoule::test
