// Two accounted runs side by side, and one inference over time.
#include "account/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "support/graph_fixture.h"
#include "unit/account/played_run.h"

namespace edgejoule::account {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct KnownOp {
  std::string name;
  double seconds = 0;  // of one inference
  double watts = 0;
  double error = 0.01;  // of watts
};

// A hundred inferences of ops known to their errors, above no idle power.
Account account_of(const std::vector<KnownOp>& ops) {
  constexpr double kRuns = 100;
  Account account;
  account.rails = {"VDD_IN"};
  account.run.inferences.resize(static_cast<std::size_t>(kRuns));
  account.has_idle = true;
  account.run.sets.resize(kRests);
  account.watts.assign(kRests, 0);
  account.activity_seconds.assign(kRests, 0);
  const std::size_t count = kRests + ops.size();
  account.covariance.assign(count * count, 0);
  for (std::size_t i = 0; i < ops.size(); ++i) {
    account.run.ops.push_back({ops[i].name, kNoNode, 0, 0, 100, 100});
    account.run.sets.push_back({static_cast<std::uint32_t>(i)});
    account.watts.push_back(ops[i].watts);
    account.activity_seconds.push_back(ops[i].seconds * kRuns);
    const std::size_t a = kRests + i;
    account.covariance[a * count + a] = ops[i].error * ops[i].error;
    OpAccount& op = account.ops.emplace_back();
    op.by_activity = {{a, ops[i].seconds * kRuns}};
    op.seconds = ops[i].seconds * kRuns;
    op.per_call = op.per_inference = 1 / kRuns;
    op.is_resolved = ops[i].error < ops[i].watts;
  }
  return account;
}

std::vector<std::string> names_of(const RunComparison& comparison) {
  std::vector<std::string> names;
  for (const ComparedLine& line : comparison.lines) names.push_back(line.name);
  return names;
}

const ComparedLine& line_called(const RunComparison& comparison, const std::string& name) {
  const auto found = std::find_if(comparison.lines.begin(), comparison.lines.end(),
                                  [&](const ComparedLine& line) { return line.name == name; });
  if (found == comparison.lines.end()) throw std::runtime_error("no line " + name);
  return *found;
}

TEST(CompareRuns, DifferenceAndRatioCarryBothErrors) {
  const Account a = account_of({{"conv", 0.010, 4, 0.04}, {"pool", 0.002, 2, 0.01}});
  const Account b = account_of({{"conv", 0.005, 6, 0.03}, {"pool", 0.002, 2, 0.01}});
  const RunComparison compared = compare({a}, {b}, By::kOp);
  EXPECT_TRUE(compared.is_dynamic);
  EXPECT_TRUE(compared.per_inference);
  const ComparedLine& conv = compared.lines.front();
  EXPECT_EQ(conv.name, "conv") << "the biggest mover first";
  ASSERT_TRUE(conv.difference().has_value());
  EXPECT_NEAR(conv.difference()->joules, 0.030 - 0.040, 1e-12);
  EXPECT_NEAR(conv.difference()->standard_error, std::hypot(0.010 * 0.04, 0.005 * 0.03), 1e-12);
  ASSERT_TRUE(conv.ratio().has_value());
  EXPECT_NEAR(conv.ratio()->value, 0.75, 1e-12);
  const double half = kInterval90 * std::hypot(0.04 / 4, 0.03 / 6);
  EXPECT_NEAR(std::log(conv.ratio()->upper / 0.75), half, 1e-12);
  EXPECT_NEAR(std::log(0.75 / conv.ratio()->lower), half, 1e-12);
  EXPECT_NEAR(line_called(compared, "pool").difference()->joules, 0, 1e-12);
  EXPECT_NEAR(compared.whole.difference()->joules, -0.010, 1e-12);
}

TEST(CompareRuns, WhatOneSideLacksTakesNothingThere) {
  const Account a = account_of({{"gone", 0.010, 4}, {"same", 0.001, 4}});
  const Account b = account_of({{"same", 0.001, 4}, {"new", 0.002, 4}});
  const RunComparison compared = compare({a}, {b}, By::kOp);
  const ComparedLine& gone = line_called(compared, "gone");
  EXPECT_FALSE(gone.b.has_value());
  EXPECT_NEAR(gone.difference()->joules, -0.040, 1e-12);
  EXPECT_FALSE(gone.ratio().has_value());
  EXPECT_NEAR(line_called(compared, "new").difference()->joules, 0.008, 1e-12);
}

TEST(CompareRuns, WhatIsNotResolvedHasNoDifferenceAndComesLast) {
  const Account a = account_of({{"vague", 0.010, 4, 50}, {"clear", 0.001, 4}});
  const Account b = account_of({{"vague", 0.010, 9}, {"clear", 0.001, 4.1}});
  const RunComparison compared = compare({a}, {b}, By::kOp);
  const ComparedLine& vague = line_called(compared, "vague");
  EXPECT_FALSE(vague.a->energy.has_value());
  EXPECT_TRUE(vague.b->energy.has_value());
  EXPECT_FALSE(vague.difference().has_value());
  EXPECT_FALSE(vague.ratio().has_value());
  EXPECT_EQ(compared.lines.front().name, "clear");
}

TEST(CompareRuns, OpsOfOneNamePairByTheirPlaceInTheRun) {
  // As markers of TFLite call them: type and node number, which another model counts differently.
  Account a = account_of({{"CONV_2D", 0.001, 9}, {"RELU", 0.001, 1}, {"CONV_2D", 0.001, 3}});
  Account b = account_of({{"CONV_2D", 0.001, 3.5}, {"CONV_2D", 0.001, 8}, {"RELU", 0.001, 1}});
  for (Account* account : {&a, &b}) {
    for (std::size_t i = 0; i < account->run.ops.size(); ++i) account->run.ops[i].node = static_cast<std::uint32_t>(i);
  }
  const RunComparison compared = compare({a}, {b}, By::kOp);
  EXPECT_EQ(compared.lines.size(), 4U) << "the time between ops is the fourth";
  EXPECT_NEAR(compared.lines[0].difference()->joules, -0.0055, 1e-12);
  EXPECT_NEAR(compared.lines[1].difference()->joules, 0.005, 1e-12);
}

struct OwnModel {
  explicit OwnModel(const std::string& root, const std::vector<std::string>& layers, const Account& account)
      : bytes(test::pack(graph(root, layers))), model{*GraphView::open(bytes.span()), {}, {}} {
    model.match = match_ops(model.graph, account.run.ops);
  }
  static wire::ModelGraphT graph(const std::string& root, const std::vector<std::string>& layers) {
    std::vector<test::NodeSpec> nodes;
    for (const std::string& layer : layers) {
      test::NodeSpec module;
      module.kind = OpKind::kLayer;
      module.name = layer;
      nodes.push_back(module);
      const auto parent = static_cast<std::uint32_t>(nodes.size());
      for (const char* op : {"query", "key"}) {
        test::NodeSpec node;
        node.kind = OpKind::kDense;
        node.parent = parent;
        node.facts = test::dense_facts(1, 64, 256, 256);
        node.name = op;
        nodes.push_back(node);
      }
    }
    wire::ModelGraphT made = test::graph_of(nodes);
    made.names.front() = root;
    return made;
  }
  files::FileBytes bytes;
  Model model;
};

TEST(CompareRuns, TreesMergeFromTheRootWhateverItsName) {
  const Account a = account_of({{"layer_0/query", 0.001, 4}, {"layer_0/key", 0.001, 2}});
  const Account b = account_of(
      {{"layer_0/query", 0.001, 5}, {"layer_0/key", 0.001, 2}, {"layer_1/query", 0.001, 3}, {"layer_1/key", 0.001, 1}});
  const OwnModel of_a("bert", {"layer_0"}, a), of_b("albert", {"layer_0", "layer_1"}, b);
  const RunComparison tree = compare({a, &of_a.model}, {b, &of_b.model}, By::kTree);
  ASSERT_EQ(tree.lines.size(), 7U);
  EXPECT_NEAR(tree.lines[0].difference()->joules, 0.005, 1e-12);
  EXPECT_EQ(tree.lines[1].name, "layer_0");
  EXPECT_EQ(tree.lines[1].parent, 0U);
  EXPECT_NEAR(tree.lines[1].difference()->joules, 0.001, 1e-12);
  EXPECT_EQ(tree.lines[2].name, "query");
  EXPECT_EQ(tree.lines[2].parent, 1U);
  EXPECT_EQ(tree.lines[2].depth, 2U);
  EXPECT_EQ(tree.lines[4].name, "layer_1");
  EXPECT_FALSE(tree.lines[4].a.has_value());
  EXPECT_THAT(names_of(compare({a, &of_a.model}, {b, &of_b.model}, By::kModule)), ElementsAre("layer_1", "layer_0"));
  // The model has the leaf in both layers: a list tells them apart by their paths.
  const std::vector<std::string> ops = names_of(compare({a, &of_a.model}, {b, &of_b.model}, By::kOp));
  EXPECT_THAT(ops, AllOf(Contains("layer_0/query"), Contains("layer_1/query")));
}

TEST(CompareRuns, RefusesJoulesThatMeanSomethingElse) {
  const Account a = account_of({{"conv", 0.010, 4}});
  Account b = a;
  const auto refusal = [&] {
    try {
      (void)compare({a}, {b}, By::kOp);
    } catch (const AccountError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(refusal(), "");
  b.rails = {"VDD_CPU", "VDD_GPU"};
  EXPECT_THAT(refusal(), AllOf(HasSubstr("VDD_IN"), HasSubstr("VDD_CPU + VDD_GPU"), HasSubstr("--rail")));
  b = a;
  b.run.inferences.clear();
  EXPECT_THAT(refusal(), HasSubstr("the second run's timeline tells no inferences"));
}

TEST(CompareRuns, SaysWhereTheyDiffer) {
  const Account a = account_of({{"conv", 0.010, 4}});
  Account b = a;
  EXPECT_THAT(compare({a}, {b}, By::kOp).notes, IsEmpty());
  b.board = "another";
  b.has_idle = false;
  const RunComparison compared = compare({a}, {b}, By::kOp);
  EXPECT_FALSE(compared.is_dynamic);
  EXPECT_THAT(compared.notes, AllOf(Contains(HasSubstr("without idle")), Contains(HasSubstr("another"))));
}

TEST(CompareRuns, FindsWhatChangedBetweenPlayedRuns) {
  PlayOptions options;
  options.ops = four_equal_layers();
  options.inferences = 200;
  options.idle_ns = 500'000'000;
  PlayOptions changed = options;
  changed.ops[5].watts *= 0.4;
  std::size_t inside = 0, all = 0;
  for (unsigned seed = 1; seed <= 6; ++seed) {
    options.seed = seed;
    changed.seed = seed + 100;
    const PlayedRun before = play(options), after = play(changed);
    const Account a = account(before.recordings, before.timeline), b = account(after.recordings, after.timeline);
    const RunComparison compared = compare({a}, {b}, By::kOp);
    EXPECT_EQ(compared.lines.front().name, options.ops[5].name);
    for (std::size_t i = 0; i < options.ops.size(); ++i) {
      const double truth = (after.op_joules[i] - before.op_joules[i]) / options.inferences;
      const std::optional<Energy> found = line_called(compared, options.ops[i].name).difference();
      if (!found) continue;
      ++all;
      inside += std::abs(found->joules - truth) <= kInterval90 * found->standard_error ? 1 : 0;
    }
  }
  std::printf("    %zu of %zu differences within their intervals of 90 %%\n", inside, all);
  EXPECT_GE(static_cast<double>(inside), 0.8 * static_cast<double>(all));
  EXPECT_GE(all, 150U);
}

TEST(TypicalInference, ShowsOpsInLanesAndThePowerOfWhatRan) {
  RunActivities run;
  run.ops = {{"a"}, {"b"}, {"c"}};
  run.sets = {{}, {}, {}, {}, {0}, {0, 1}, {1}, {2}};
  run.inferences = {{1000, 1100}, {2000, 2400}, {3000, 3900}};
  run.spans = {{0, 1000, kIdle}, {1000, 1100, 4}, {1100, 2000, kIdle},       {2000, 2100, 4},      {2100, 2200, 5},
               {2200, 2300, 6},  {2300, 2350, 7}, {2350, 2400, kBetweenOps}, {2400, 3000, kPause}, {3000, 3900, 4}};
  const std::vector<double> watts{1, 1, 2, 0, 5, 7, 6, 0};
  std::vector<bool> seen(watts.size(), true);
  seen[7] = false;
  std::vector<PowerSample> samples(3);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i].window_begin_ns = 1500 + static_cast<std::int64_t>(i) * 600;
    samples[i].window_end_ns = samples[i].window_begin_ns + 600;
    samples[i].power_uw = 3'000'000;
  }
  const std::optional<TimeLine> line = typical_inference(run, watts, seen, samples);
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(line->inference.begin_ns, 2000);
  ASSERT_EQ(line->bars.size(), 3U);
  EXPECT_EQ(line->bars[0].time.end_ns, 2200);
  EXPECT_EQ(line->bars[1].time.begin_ns, 2100);
  EXPECT_EQ(line->bars[1].time.end_ns, 2300);
  EXPECT_NE(line->bars[0].lane, line->bars[1].lane);
  EXPECT_EQ(line->bars[2].lane, 0U);
  ASSERT_EQ(line->solved.size(), 4U) << "c was not seen by any sample";
  EXPECT_EQ(line->solved[1].watts, 7);
  ASSERT_EQ(line->samples.size(), 2U);
  EXPECT_EQ(line->samples[0].time.begin_ns, 2000);
  run.inferences.clear();
  EXPECT_FALSE(typical_inference(run, watts, seen, samples).has_value());
}

}  // namespace
}  // namespace edgejoule::account
