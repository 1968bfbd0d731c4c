// What a runtime's hooks report to; the adapters are tested in tests/adapters.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "edgejoule/edgejoule.h"
#include "fixture.h"

namespace edgejoule::test {
namespace {

// A clock that moves when the test says so.
class Hook {
 public:
  Hook() : memory_(4096) {
    edgejoule_hook_options_init(&options);
    options.clock = [](void* context) { return *static_cast<std::int64_t*>(context); };
    options.clock_context = &now_ns;
    options.context = this;
    options.on_op = [](void* context, const edgejoule_priced_op* op) {
      static_cast<Hook*>(context)->ops.push_back(*op);
    };
    options.on_inference = [](void* context, const edgejoule_priced_inference* inference) {
      static_cast<Hook*>(context)->inferences.push_back(*inference);
    };
    options.on_budget = [](void* context, float spent) { static_cast<Hook*>(context)->budgets.push_back(spent); };
    EXPECT_EQ(edgejoule_markers_create(memory_.data(), memory_.size() * 8, 1024, &markers_), EDGEJOULE_OK);
  }
  void with_markers() { options.markers = &markers_; }
  void start() { ASSERT_EQ(edgejoule_hook_init(&hook, &options), EDGEJOULE_OK); }
  void op(std::uint32_t node, std::int64_t duration_ns, const char* name = "op", std::uint32_t part = 0) {
    const std::uint32_t handle = edgejoule_hook_begin_op(&hook, name, node, part);
    now_ns += duration_ns;
    edgejoule_hook_end(&hook, handle);
  }
  // "t kind node name", one per marker
  std::vector<std::string> marks() {
    static constexpr const char* kKinds[] = {"+op", "-op", "+inference", "-inference", "+inner", "-inner", "gap"};
    std::vector<std::string> out;
    edgejoule_marker marker;
    while (edgejoule_markers_read(&markers_, &marker, 1) == 1) {
      out.push_back(std::to_string(marker.t_ns) + " " + kKinds[marker.kind] + " " +
                    (marker.node == EDGEJOULE_NO_NODE ? "-" : std::to_string(marker.node)) + " " +
                    edgejoule_markers_name(&markers_, marker.name) + (marker.part != 0 ? "@" : "") +
                    (marker.part != 0 ? std::to_string(marker.part) : ""));
    }
    return out;
  }
  [[nodiscard]] std::uint32_t lost() const { return edgejoule_markers_lost(&markers_); }

  edgejoule_hook_options options;
  edgejoule_hook hook;
  std::int64_t now_ns = 0;
  std::vector<edgejoule_priced_op> ops;
  std::vector<edgejoule_priced_inference> inferences;
  std::vector<float> budgets;

 private:
  std::vector<std::uint64_t> memory_;
  edgejoule_markers markers_;
};

edgejoule_estimate costing(float joules, std::uint32_t flags = 0) {
  edgejoule_estimate estimate = {};
  estimate.dynamic_j = estimate.own_j = joules;
  estimate.lower_j = joules / 2;
  estimate.upper_j = joules * 2;
  estimate.flags = flags;
  return estimate;
}

TEST(Hook, MarksWhatRuns) {
  Hook hook;
  hook.with_markers();
  hook.start();
  const std::uint32_t inference = edgejoule_hook_begin_inference(&hook.hook, "invoke");
  hook.now_ns = 10;
  hook.op(7, 5, "CONV_2D");
  const std::uint32_t op = edgejoule_hook_begin_op(&hook.hook, "DELEGATE", 8, 1);
  const std::uint32_t inner = edgejoule_hook_begin_inner(&hook.hook, "conv 1", 0, 1);
  hook.now_ns = 20;
  edgejoule_hook_end(&hook.hook, inner);
  edgejoule_hook_end(&hook.hook, op);
  edgejoule_hook_end(&hook.hook, inference);
  EXPECT_EQ(hook.marks(),
            (std::vector<std::string>{"0 +inference - invoke", "10 +op 7 CONV_2D", "15 -op 7 CONV_2D",
                                      "15 +op 8 DELEGATE@1", "15 +inner 0 conv 1@1", "20 -inner 0 conv 1@1",
                                      "20 -op 8 DELEGATE@1", "20 -inference - invoke"}));
}

TEST(Hook, LeavesABeginningAloneWhoseEndNeverCame) {
  Hook hook;
  hook.with_markers();
  hook.start();
  const std::uint32_t op = edgejoule_hook_begin_op(&hook.hook, "outer", 0, 0);
  (void)edgejoule_hook_begin_inner(&hook.hook, "forgotten", 1, 0);
  edgejoule_hook_end(&hook.hook, op);
  edgejoule_hook_end(&hook.hook, op);  // again: nothing is open
  edgejoule_hook_end(&hook.hook, EDGEJOULE_NO_EVENT);
  EXPECT_EQ(hook.marks(), (std::vector<std::string>{"0 +op 0 outer", "0 +inner 1 forgotten", "0 -op 0 outer"}));
  ASSERT_EQ(hook.ops.size(), 1U);
}

TEST(Hook, CountsWhatNestsTooDeep) {
  Hook hook;
  hook.with_markers();
  hook.start();
  for (int i = 0; i < EDGEJOULE_HOOK_DEPTH; ++i) {
    EXPECT_EQ(edgejoule_hook_begin_inner(&hook.hook, "x", 0, 0), static_cast<std::uint32_t>(i));
  }
  EXPECT_EQ(edgejoule_hook_begin_op(&hook.hook, "x", 0, 0), EDGEJOULE_NO_EVENT);
  EXPECT_EQ(edgejoule_hook_begin_inference(&hook.hook, "x"), EDGEJOULE_NO_EVENT);
  EXPECT_EQ(hook.lost(), 2U);
  edgejoule_hook_end(&hook.hook, 0);
  EXPECT_EQ(edgejoule_hook_begin_op(&hook.hook, "x", 0, 0), 0U);
}

TEST(Hook, NumbersOpsInTheirOrderWhereTheRuntimeDoesNot) {
  Hook hook;
  hook.start();
  for (int run = 0; run < 2; ++run) {
    const std::uint32_t inference = edgejoule_hook_begin_inference(&hook.hook, nullptr);
    hook.op(EDGEJOULE_NODE_IN_ORDER, 1);
    const std::uint32_t loop = edgejoule_hook_begin_op(&hook.hook, "WHILE", EDGEJOULE_NODE_IN_ORDER, 0);
    hook.op(EDGEJOULE_NODE_IN_ORDER, 1);  // of the body: a part of the loop
    edgejoule_hook_end(&hook.hook, loop);
    hook.op(EDGEJOULE_NODE_IN_ORDER, 1);
    edgejoule_hook_end(&hook.hook, inference);
  }
  ASSERT_EQ(hook.ops.size(), 6U);
  for (std::uint32_t i = 0; i < 6; ++i) EXPECT_EQ(hook.ops[i].node, i % 3);
}

TEST(Hook, PricesOpsAndInferences) {
  Hook hook;
  const edgejoule_estimate estimates[] = {costing(3.0F), costing(1.0F, EDGEJOULE_FLAG_FALLBACK), costing(2.0F)};
  const std::uint32_t graph_nodes[] = {1, 2, EDGEJOULE_NO_NODE};
  hook.options.estimates = estimates;
  hook.options.estimate_count = 3;
  hook.options.graph_nodes = graph_nodes;
  hook.options.graph_node_count = 3;
  hook.options.static_watts = 0.5F;
  hook.start();
  hook.now_ns = 5'000'000'000;
  const std::uint32_t inference = edgejoule_hook_begin_inference(&hook.hook, "run");
  hook.now_ns += 1'000'000'000;  // before the first op: static power is spent all the same
  hook.op(0, 2'000'000'000);
  hook.op(1, 1'000'000'000);
  hook.op(2, 0);          // the map knows no price
  hook.op(9, 0);          // nor this node
  hook.op(0, 0, "x", 1);  // nor another subgraph's
  hook.now_ns += 4'000'000'000;
  edgejoule_hook_end(&hook.hook, inference);

  ASSERT_EQ(hook.ops.size(), 5U);
  EXPECT_EQ(hook.ops[0].graph_node, 1U);
  EXPECT_FLOAT_EQ(hook.ops[0].dynamic_j, 1.0F);
  EXPECT_FLOAT_EQ(hook.ops[0].static_j, 1.0F);
  EXPECT_FLOAT_EQ(hook.ops[0].lower_j, 0.5F);
  EXPECT_FLOAT_EQ(hook.ops[0].upper_j, 2.0F);
  EXPECT_FLOAT_EQ(hook.ops[0].inference_j, 2.5F);
  EXPECT_EQ(hook.ops[0].flags, static_cast<std::uint32_t>(EDGEJOULE_FLAG_FALLBACK));
  EXPECT_FLOAT_EQ(hook.ops[1].inference_j, 5.0F);
  for (int i = 2; i < 5; ++i) {
    EXPECT_EQ(hook.ops[i].graph_node, EDGEJOULE_NO_NODE);
    EXPECT_EQ(hook.ops[i].dynamic_j, 0.0F);
  }
  ASSERT_EQ(hook.inferences.size(), 1U);
  EXPECT_FLOAT_EQ(hook.inferences[0].dynamic_j, 3.0F);
  EXPECT_FLOAT_EQ(hook.inferences[0].static_j, 4.0F);
  EXPECT_EQ(hook.inferences[0].ops, 5U);
  EXPECT_EQ(hook.inferences[0].unpriced_ops, 3U);
  EXPECT_EQ(hook.inferences[0].flags, static_cast<std::uint32_t>(EDGEJOULE_FLAG_FALLBACK | EDGEJOULE_FLAG_UNKNOWN_OP));
  EXPECT_FLOAT_EQ(edgejoule_hook_spent(&hook.hook), 7.0F);

  // The next inference begins at nothing.
  const std::uint32_t next = edgejoule_hook_begin_inference(&hook.hook, "run");
  hook.op(0, 0);
  edgejoule_hook_end(&hook.hook, next);
  ASSERT_EQ(hook.inferences.size(), 2U);
  EXPECT_EQ(hook.inferences[1].index, 1U);
  EXPECT_FLOAT_EQ(hook.inferences[1].dynamic_j, 1.0F);
  EXPECT_EQ(hook.inferences[1].ops, 1U);
}

TEST(Hook, AddsNoStaticPowerToWhatContainsIt) {
  Hook hook;
  const edgejoule_estimate estimates[] = {costing(1.0F, EDGEJOULE_FLAG_STATIC_IN_DYNAMIC)};
  hook.options.estimates = estimates;
  hook.options.estimate_count = 1;
  hook.options.static_watts = 1.0F;
  hook.start();
  hook.op(0, 1'000'000'000);
  EXPECT_FLOAT_EQ(edgejoule_hook_spent(&hook.hook), 1.0F);
}

TEST(Hook, PricesAnInferenceAsAWholeWhereNoOpWasReported) {
  for (const bool is_inside : {false, true}) {
    Hook hook;
    const edgejoule_estimate estimates[] = {
        costing(3.0F, is_inside ? std::uint32_t{EDGEJOULE_FLAG_STATIC_IN_DYNAMIC} : 0U), costing(1.0F)};
    hook.options.estimates = estimates;
    hook.options.estimate_count = 2;
    hook.options.static_watts = 0.5F;
    hook.start();
    edgejoule_hook_set_budget(&hook.hook, 3.0F);
    const std::uint32_t inference = edgejoule_hook_begin_inference(&hook.hook, "token");
    hook.now_ns = 2'000'000'000;
    edgejoule_hook_end(&hook.hook, inference);
    ASSERT_EQ(hook.inferences.size(), 1U);
    EXPECT_FLOAT_EQ(hook.inferences[0].dynamic_j, 3.0F);
    EXPECT_FLOAT_EQ(hook.inferences[0].static_j, is_inside ? 0.0F : 1.0F);
    EXPECT_FLOAT_EQ(edgejoule_hook_spent(&hook.hook), is_inside ? 3.0F : 4.0F);
    EXPECT_EQ(hook.budgets.size(), 1U);
  }
}

TEST(Hook, PricesOnAPlanWithTheTimeThatTheOpTook) {
  wire::CoefficientTableT table = sound_table();
  add_term(add_row(table, Level::kOp, OpKind::kDense), {Feature::kTime, 2.0F, Unit::kWatt});
  const files::FileBytes bytes = pack(table);
  edgejoule_table opened;
  ASSERT_EQ(edgejoule_table_open(bytes.span().data(), bytes.size(), &opened), EDGEJOULE_OK);
  std::vector<std::uint64_t> memory(edgejoule_plan_required_bytes(&opened) / 8 + 1);
  edgejoule_plan plan;
  ASSERT_EQ(edgejoule_plan_prepare(&opened, nullptr, memory.data(), memory.size() * 8, &plan), EDGEJOULE_OK);
  std::vector<edgejoule_op> ops(2);
  edgejoule_op_init(&ops[0], EDGEJOULE_OP_DENSE, EDGEJOULE_TYPE_FLOAT32);
  ops[1] = ops[0];
  ops[1].engine = 77;  // unknown: an error of the plan, so no price

  Hook hook;
  hook.options.plan = &plan;
  hook.options.ops = ops.data();
  hook.options.op_count = ops.size();
  hook.start();
  hook.op(0, 500'000'000);
  hook.op(1, 500'000'000);
  ASSERT_EQ(hook.ops.size(), 2U);
  EXPECT_FLOAT_EQ(hook.ops[0].dynamic_j, 1.0F);
  EXPECT_EQ(hook.ops[1].graph_node, EDGEJOULE_NO_NODE);
}

TEST(Hook, ForgetsNoSmallOpBesideALongRun) {
  Hook hook;
  const edgejoule_estimate estimates[] = {costing(100.0F), costing(1e-6F)};
  hook.options.estimates = estimates;
  hook.options.estimate_count = 2;
  hook.options.on_op = nullptr;
  hook.start();
  hook.op(0, 0);
  for (int i = 0; i < 1'000'000; ++i) hook.op(1, 0);
  EXPECT_NEAR(edgejoule_hook_spent(&hook.hook), 101.0F, 1e-4F);
}

TEST(Hook, TellsOnceThatABudgetIsSpent) {
  Hook hook;
  const edgejoule_estimate estimates[] = {costing(1.0F)};
  hook.options.estimates = estimates;
  hook.options.estimate_count = 1;
  hook.start();
  for (int i = 0; i < 3; ++i) hook.op(0, 0);
  EXPECT_TRUE(hook.budgets.empty());  // there is none yet
  EXPECT_EQ(edgejoule_hook_is_over_budget(&hook.hook), 0);

  edgejoule_hook_set_budget(&hook.hook, 2.0F);
  hook.op(0, 0);
  EXPECT_EQ(edgejoule_hook_is_over_budget(&hook.hook), 0);
  hook.op(0, 0);
  hook.op(0, 0);
  ASSERT_EQ(hook.budgets.size(), 1U);
  EXPECT_FLOAT_EQ(hook.budgets[0], 2.0F);
  EXPECT_EQ(edgejoule_hook_is_over_budget(&hook.hook), 1);

  edgejoule_hook_set_budget(&hook.hook, 1.0F);
  EXPECT_EQ(edgejoule_hook_is_over_budget(&hook.hook), 0);
  hook.op(0, 0);
  EXPECT_EQ(hook.budgets.size(), 2U);
  edgejoule_hook_set_budget(&hook.hook, 0.0F);
  hook.op(0, 0);
  EXPECT_EQ(hook.budgets.size(), 2U);
}

TEST(Hook, SpendsABudgetOnWaitingToo) {
  Hook hook;
  hook.options.static_watts = 1.0F;
  hook.start();
  edgejoule_hook_set_budget(&hook.hook, 1.5F);
  const std::uint32_t inference = edgejoule_hook_begin_inference(&hook.hook, "run");
  hook.now_ns += 2'000'000'000;
  edgejoule_hook_end(&hook.hook, inference);
  ASSERT_EQ(hook.budgets.size(), 1U);
  EXPECT_FLOAT_EQ(hook.budgets[0], 2.0F);
}

TEST(Hook, RunsNoInferenceWithinAnother) {
  Hook hook;
  hook.start();
  const std::uint32_t outer = edgejoule_hook_begin_inference(&hook.hook, "mine");
  EXPECT_EQ(edgejoule_hook_begin_inference(&hook.hook, "the runtime's"), EDGEJOULE_NO_EVENT);
  hook.op(0, 1);
  edgejoule_hook_end(&hook.hook, outer);
  ASSERT_EQ(hook.inferences.size(), 1U);
  EXPECT_EQ(hook.inferences[0].ops, 1U);
}

TEST(Hook, RefusesOptionsThatContradict) {
  edgejoule_hook hook;
  edgejoule_hook_options options;
  edgejoule_hook_options_init(&options);
  const auto invalid = static_cast<edgejoule_status>(Error::kInvalidArgument);
  EXPECT_EQ(edgejoule_hook_init(&hook, &options), invalid);  // no clock
  options.clock = [](void*) { return std::int64_t{0}; };
  EXPECT_EQ(edgejoule_hook_init(&hook, &options), EDGEJOULE_OK);
  const edgejoule_plan plan = {};
  options.plan = &plan;
  EXPECT_EQ(edgejoule_hook_init(&hook, &options), invalid);  // nothing to price on it
  const edgejoule_estimate estimate = {};
  options.estimates = &estimate;
  const edgejoule_op op = {};
  options.ops = &op;
  EXPECT_EQ(edgejoule_hook_init(&hook, &options), invalid);  // two prices
}

TEST(CInterface, ListsTheOpsOfAGraphInTheirOrder) {
  const files::FileBytes bytes = layered_graph(5, 2);  // modules between
  edgejoule_graph graph;
  ASSERT_EQ(edgejoule_graph_open(bytes.span().data(), bytes.size(), &graph), EDGEJOULE_OK);
  std::vector<std::uint32_t> nodes(8, 999);
  ASSERT_EQ(edgejoule_graph_ops(&graph, nodes.data(), nodes.size()), 5U);
  for (int i = 0; i < 5; ++i) {
    for (std::uint32_t node = 0; node < edgejoule_graph_size(&graph); ++node) {
      EXPECT_NE(edgejoule_graph_parent(&graph, node), nodes[i]);  // no modules
    }
  }
  EXPECT_TRUE(std::is_sorted(nodes.begin(), nodes.begin() + 5));
  EXPECT_EQ(nodes[5], 999U);
  EXPECT_EQ(edgejoule_graph_ops(&graph, nullptr, 0), 5U);
}

TEST(CInterface, TellsStaticPower) {
  wire::CoefficientTableT table = sound_table();
  add_static(table, 0, EngineState::kBusy, 500.0F);
  const files::FileBytes bytes = pack(table);
  edgejoule_table opened;
  ASSERT_EQ(edgejoule_table_open(bytes.span().data(), bytes.size(), &opened), EDGEJOULE_OK);
  std::vector<std::uint64_t> memory(edgejoule_plan_required_bytes(&opened) / 8 + 1);
  edgejoule_plan plan;
  ASSERT_EQ(edgejoule_plan_prepare(&opened, nullptr, memory.data(), memory.size() * 8, &plan), EDGEJOULE_OK);
  EXPECT_FLOAT_EQ(edgejoule_plan_static_watts(&plan, 0), 0.5F);
  EXPECT_LT(edgejoule_plan_static_watts(&plan, 200), 0.0F);
}

}  // namespace
}  // namespace edgejoule::test
