#include "edgejoule/adapters/ggml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "adapters/recorded_hook.h"

const char* ggml_op_name(ggml_op op) {
  return op == GGML_OP_MUL_MAT ? "MUL_MAT" : "other";
}

namespace edgejoule::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ggml_tensor tensor(ggml_op op, const char* name) {
  ggml_tensor out{};
  out.op = op;
  std::strncpy(out.name, name, sizeof out.name - 1);
  return out;
}

std::vector<ggml_tensor> layer() {
  return {tensor(GGML_OP_RESHAPE, "x (reshaped)"), tensor(GGML_OP_MUL_MAT, "ffn_up-0"),
          tensor(GGML_OP_VIEW, "y (view)"),        tensor(GGML_OP_MUL_MAT, ""),
          tensor(GGML_OP_ADD, "l_out-0"),          tensor(GGML_OP_VIEW, "z (view)")};
}

// As ggml_backend_sched computes a split: nodes that nobody wants to see run with the next
// that somebody does. Returns how many were computed, and in how many pieces.
struct Computed {
  std::size_t nodes = 0;
  int pieces = 0;
};
Computed compute(std::vector<ggml_tensor> nodes, ggml_backend_sched_eval_callback callback, void* user_data) {
  Computed computed;
  for (std::size_t first = 0; first < nodes.size(); ++first) {
    std::size_t last = first;
    bool need = callback(&nodes[last], true, user_data);
    while (!need && last + 1 < nodes.size()) need = callback(&nodes[++last], true, user_data);
    computed.nodes = last + 1;
    ++computed.pieces;
    if (need && !callback(&nodes[last], false, user_data)) break;
    first = last;
  }
  return computed;
}

TEST(GgmlMarks, MarksEvaluationsAndLeavesTheirOpsAlone) {
  RecordedHook hook;
  hook.start();
  adapters::GgmlMarks marks(hook.get());
  for (int token = 0; token < 2; ++token) {
    marks.begin_eval("token");
    EXPECT_EQ(compute(layer(), adapters::GgmlMarks::callback, &marks).pieces, 1);
    marks.end_eval();
    marks.end_eval();  // once is enough
  }
  EXPECT_THAT(hook.marks(),
              ElementsAre("+inference token", "-inference token", "+inference token", "-inference token"));
}

TEST(GgmlMarks, MarksOpsOnRequest) {
  RecordedHook hook;
  hook.price({1.0F, 2.0F, 4.0F});
  hook.start();
  adapters::GgmlMarks marks(hook.get(), adapters::GgmlMarks::Detail::kOps);
  marks.begin_eval("token");
  EXPECT_EQ(compute(layer(), adapters::GgmlMarks::callback, &marks).nodes, 6U);
  marks.end_eval();
  EXPECT_THAT(hook.marks(), ElementsAre("+inference token", "+op 0 ffn_up-0", "-op 0 ffn_up-0", "+op 1 MUL_MAT",
                                        "-op 1 MUL_MAT", "+op 2 l_out-0", "-op 2 l_out-0", "-inference token"));
  EXPECT_THAT(hook.inference_joules, ElementsAre(7.0F));
}

TEST(GgmlMarks, StopsAnEvaluationThatSpentItsBudget) {
  RecordedHook hook;
  hook.price({1.0F, 2.0F, 4.0F});
  hook.start();
  adapters::GgmlMarks marks(hook.get(), adapters::GgmlMarks::Detail::kOps);
  edgejoule_hook_set_budget(hook.get(), 2.5F);
  marks.begin_eval("token");
  EXPECT_EQ(compute(layer(), adapters::GgmlMarks::callback, &marks).nodes, 4U);
  marks.end_eval();
  EXPECT_EQ(hook.budgets_spent, 1);
  EXPECT_THAT(hook.op_joules, ElementsAre(1.0F, 2.0F));
}

TEST(GgmlMarks, CountsOpsOnThroughTheSplitsOfOneGraph) {
  RecordedHook hook;
  hook.start();
  adapters::GgmlMarks marks(hook.get(), adapters::GgmlMarks::Detail::kOps);
  marks.begin_eval("batch");
  (void)compute({tensor(GGML_OP_ADD, "on the GPU")}, adapters::GgmlMarks::callback, &marks);
  (void)compute({tensor(GGML_OP_ADD, "on the CPU")}, adapters::GgmlMarks::callback, &marks);
  marks.end_eval();
  EXPECT_EQ(hook.marks()[3], "+op 1 on the CPU");
}

}  // namespace
}  // namespace edgejoule::test
