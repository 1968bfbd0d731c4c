#include "edgejoule/adapters/tflite_micro.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/recorded_hook.h"

namespace edgejoule::test {
namespace {

using ::testing::ElementsAre;

// As MicroInterpreter::Invoke reports: kinds in their order, a branch's ops within the branch.
void invoke(tflite::MicroProfilerInterface& profiler) {
  profiler.EndEvent(profiler.BeginEvent("CONV_2D"));
  const std::uint32_t branch = profiler.BeginEvent("IF");
  profiler.EndEvent(profiler.BeginEvent("ADD"));
  profiler.EndEvent(branch);
  profiler.EndEvent(profiler.BeginEvent("SOFTMAX"));
}

TEST(TfliteMicroProfiler, CountsOpsFromEachBeginOfAnInference) {
  RecordedHook hook;
  hook.price({1.0F, 2.0F, 4.0F});
  hook.start();
  adapters::TfliteMicroProfiler profiler(hook.get());
  for (int run = 0; run < 2; ++run) {
    const std::uint32_t inference = edgejoule_hook_begin_inference(hook.get(), "kws");
    invoke(profiler);
    edgejoule_hook_end(hook.get(), inference);
  }
  const std::vector<std::string> marks = hook.marks();
  ASSERT_EQ(marks.size(), 20U);
  EXPECT_THAT(std::vector<std::string>(marks.begin() + 10, marks.end()),
              ElementsAre("+inference kws", "+op 0 CONV_2D", "-op 0 CONV_2D", "+op 1 IF", "+op ADD", "-op ADD",
                          "-op 1 IF", "+op 2 SOFTMAX", "-op 2 SOFTMAX", "-inference kws"));
  EXPECT_THAT(hook.op_joules, ElementsAre(1.0F, 2.0F, 4.0F, 1.0F, 2.0F, 4.0F));
  EXPECT_THAT(hook.inference_joules, ElementsAre(7.0F, 7.0F));
}

}  // namespace
}  // namespace edgejoule::test
