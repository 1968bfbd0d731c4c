#include "calibration/runtime_command.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <fstream>
#include <map>
#include <random>
#include <set>

#include "calibration/engine_regression.h"
#include "support/drawn_seed.h"
#include "support/temporary_folder.h"

namespace edgejoule::calibration {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

void add(std::vector<workloads::Candidate>& all, graph::OpNode op) {
  op.name = fmt::format("{}-{}", name_of(op.kind), all.size());
  workloads::Candidate candidate;
  candidate.workload = {.name = op.name, .op = op};
  candidate.held_out = all.size() % 4 == 2;
  all.push_back(std::move(candidate));
}

// Quick to compute, and different enough to tell launch, work and traffic apart.
std::vector<workloads::Candidate> small_candidates() {
  struct Convolution {
    std::uint64_t size, in_c, out_c, kernel;
  };
  struct Dense {
    std::uint64_t m, k, n;
  };
  std::vector<workloads::Candidate> all;
  constexpr std::array<Convolution, 12> kConvolutions{{{4, 8, 8, 1},
                                                       {28, 16, 32, 3},
                                                       {8, 32, 32, 3},
                                                       {56, 32, 16, 1},
                                                       {8, 4, 8, 3},
                                                       {14, 32, 48, 3},
                                                       {28, 8, 64, 1},
                                                       {20, 24, 24, 3},
                                                       {112, 8, 8, 1},
                                                       {14, 16, 16, 5},
                                                       {16, 16, 32, 3},
                                                       {40, 32, 8, 1}}};
  constexpr std::array<Dense, 12> kDense{{{1, 64, 32},
                                          {128, 64, 256},
                                          {1, 512, 256},
                                          {64, 128, 128},
                                          {256, 64, 64},
                                          {1, 256, 512},
                                          {32, 64, 16},
                                          {1, 768, 128},
                                          {512, 32, 64},
                                          {64, 256, 64},
                                          {1, 128, 64},
                                          {192, 128, 96}}};
  for (const Convolution& s : kConvolutions) {
    graph::ConvolutionParams p{.in_h = s.size, .in_w = s.size, .in_c = s.in_c};
    p.out_h = p.out_w = s.size;
    p.out_c = s.out_c;
    p.kernel_h = p.kernel_w = s.kernel;
    add(all, graph::convolution({}, p));
  }
  for (const Dense& s : kDense) add(all, graph::dense({}, {.m = s.m, .k = s.k, .n = s.n}));
  for (const std::uint64_t n : {1'000U, 5'000U, 20'000U, 40'000U, 80'000U, 100'000U, 120'000U}) {
    const graph::Tensor tensor{.elements = n};
    add(all, graph::elementwise({}, {.kind = OpKind::kRelu, .inputs = {tensor}, .output = tensor}));
    add(all, graph::elementwise({}, {.kind = OpKind::kAdd, .inputs = {tensor, tensor}, .output = tensor}));
  }
  return all;
}

Experiment convolution_and_relu() {
  graph::ConvolutionParams p{.in_h = 8, .in_w = 8, .in_c = 4, .out_h = 8, .out_w = 8, .out_c = 6};
  p.kernel_h = p.kernel_w = 3;
  const graph::Tensor tensor{.elements = 8 * 8 * 6};
  return {.name = "pair",
          .ops = {{.op = graph::convolution({.name = "conv"}, p)},
                  {.op = graph::elementwise({.name = "relu"},
                                            {.kind = OpKind::kRelu, .inputs = {tensor}, .output = tensor})}}};
}

// Coefficients of a law nobody tells the regression: launch, per MAC, per byte.
struct HiddenLaw {
  std::map<std::string, std::array<double, 3>> kinds;

  explicit HiddenLaw(std::uint32_t seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> factor(0.5, 2);
    for (const char* kind : {"conv_2d", "dense", "relu", "add", "subgraph"}) {
      kinds[kind] = {30e-6 * factor(random), 20e-12 * factor(random), 150e-12 * factor(random)};
    }
  }
  void write(const std::string& path, std::uint32_t seed) const {
    std::ofstream out(path);
    out << "load 0.002\nnoise 0.003 " << seed << "\n";
    for (const auto& [kind, law] : kinds) out << fmt::format("{} {} {} {}\n", kind, law[0], law[1], law[2]);
  }
};

constexpr const char* kSaysLayers = " --exportProfile={profile} --exportLayerInfo={layers}";

class Bench {
 public:
  explicit Bench(std::uint32_t seed, const std::string& more = kSaysLayers)
      : law(seed),
        command(fmt::format("{} --model={{model}} --iterations={{iterations}} --exportTimes={{times}} --law={} "
                            "--meter={}{}",
                            EDGEJOULE_STAND_IN_RUNTIME, folder.file("law"), folder.file("meter"), more),
                EDGEJOULE_STAND_IN_FORMAT, folder.path() / "experiments") {
    law.write(folder.file("law"), seed);
  }

  RunEnergy measure(const Experiment& experiment, std::uint64_t iterations) {
    const RuntimeRun run = command.run(experiment, iterations);
    RunEnergy out{
        .inferences = run.inferences, .joules = 0, .seconds = 1e-9 * static_cast<double>(run.end_ns - run.begin_ns)};
    std::ifstream(folder.file("meter")) >> out.joules;
    return out;
  }
  MeasuredEngine measure(const Experiment& experiment) {
    const Engine engine = engine_of(experiment, command.model_of(experiment), command.profile(experiment, 2));
    RunEnergy shorter = measure(experiment, 20);
    RunEnergy longer = measure(experiment, 100);
    shorter.seconds = 1;  // of a loaded machine: energies alone are looked at
    longer.seconds = 2;
    return {engine, per_inference(shorter, longer)};
  }

  test::TemporaryFolder folder;
  HiddenLaw law;
  RuntimeCommand command;
};

void expect_close(double found, double truth, double share, const std::string& what) {
  EXPECT_LT(std::abs(found / truth - 1), share) << what << ": " << found << " not " << truth;
}

// Coefficients within 10 %, and engines that were held out within 5 %.
void expect_hidden_law(Bench& bench, const std::set<std::string>& kinds) {
  std::vector<MeasuredEngine> fitted;
  std::vector<MeasuredEngine> held_out;
  for (const Experiment& experiment : experiments_of(small_candidates(), bench.command)) {
    (experiment.held_out ? held_out : fitted).push_back(bench.measure(experiment));
  }
  ASSERT_GE(fitted.size(), 20U);
  ASSERT_GE(held_out.size(), 5U);
  const std::vector<RegressedRow> rows = regress(fitted);
  std::set<std::string> found;
  for (const RegressedRow& row : rows) {
    const std::string kind(name_of(row.kind));
    found.insert(kind);
    for (const RegressedCoefficient& coefficient : row.coefficients) {
      const std::size_t place = coefficient.feature == Feature::kOne    ? 0
                                : coefficient.feature == Feature::kMacs ? 1
                                                                        : 2;
      expect_close(coefficient.joules, bench.law.kinds.at(kind)[place], 0.1,
                   fmt::format("{} {}", kind, name_of(coefficient.feature)));
      EXPECT_LT(coefficient.relative_error, 0.1) << kind << " " << name_of(coefficient.feature);
    }
  }
  EXPECT_EQ(found, kinds);
  for (const MeasuredEngine& measured : held_out) {
    expect_close(predict(rows, measured.engine), measured.energy.joules, 0.05, measured.engine.name);
  }
}

TEST(RuntimeCommand, AGpusHiddenLawIsRegressedFromRunsOfManyEngines) {
  const std::uint32_t seed = test::drawn_seed();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  Bench bench(seed);
  expect_hidden_law(bench, {"conv_2d", "dense", "relu", "add"});
}

TEST(RuntimeCommand, ADlasSubgraphIsOneRowOfSummedFacts) {
  const std::uint32_t seed = test::drawn_seed();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  Bench bench(seed, std::string(kSaysLayers) + " --useDLACore=0");
  expect_hidden_law(bench, {"subgraph"});
}

TEST(RuntimeCommand, WithoutLayersTheLawIsThatOfOpsAlone) {
  const std::uint32_t seed = test::drawn_seed();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  Bench bench(seed, "");
  for (const Experiment& experiment : experiments_of(small_candidates(), bench.command)) {
    EXPECT_EQ(experiment.ops.size(), 1U) << experiment.name << ": nobody would know what was fused";
  }
  expect_hidden_law(bench, {"conv_2d", "dense", "relu", "add"});
}

TEST(RuntimeCommand, ReadsTimesLayersAndFusionOfARealRun) {
  Bench bench(1);
  const Experiment pair = convolution_and_relu();
  const RuntimeRun run = bench.command.run(pair, 7);
  EXPECT_EQ(run.inferences, 7U);
  ASSERT_EQ(run.times.size(), 7U);
  EXPECT_GT(run.times.back().compute_end, run.times.front().compute_begin);
  EXPECT_LT(run.times.back().compute_end, 1e-9 * static_cast<double>(run.end_ns - run.begin_ns));

  const Engine engine = engine_of(pair, bench.command.model_of(pair), bench.command.profile(pair, 5));
  ASSERT_EQ(engine.parts.size(), 1U);
  EXPECT_THAT(engine.notes, IsEmpty());
  const EnginePart& part = engine.parts.front();
  EXPECT_EQ(part.layer, "conv + relu");
  EXPECT_GT(part.seconds, 0);
  EXPECT_EQ(part.op.kind, OpKind::kConv2d);
  const Facts& facts = part.op.facts;
  const Facts& convolution = pair.ops[0].op.facts;
  EXPECT_EQ(count_work(part.op.op_class, facts)->macs, count_work(part.op.op_class, convolution)->macs);
  EXPECT_EQ(count_work(part.op.op_class, facts)->alu_ops, 2U * 8 * 8 * 6);  // the bias and the relu
  EXPECT_EQ(facts[Fact::kInputBytes], convolution[Fact::kInputBytes]);
  EXPECT_EQ(facts[Fact::kOutputBytes], convolution[Fact::kOutputBytes]);
  EXPECT_EQ(measurement_of(engine, {.joules = 1, .seconds = 2}).kind, OpKind::kConv2d);
}

TEST(RuntimeCommand, WithoutLayersEveryOpIsAPart) {
  const test::TemporaryFolder folder;
  RuntimeCommand command("true {model} {iterations}", EDGEJOULE_STAND_IN_FORMAT, folder.path());
  const Experiment pair = convolution_and_relu();
  EXPECT_EQ(command.run(pair, 3).inferences, 3U);
  const Engine engine = engine_of(pair, command.model_of(pair), command.profile(pair, 3));
  ASSERT_EQ(engine.parts.size(), 2U);
  const measurements::Measurement measured = measurement_of(engine, {.joules = 1, .seconds = 2});
  EXPECT_EQ(measured.level, measurements::NodeLevel::kModel);
  ASSERT_NE(measured.parts, nullptr);
  EXPECT_EQ(measured.parts->size(), 2U);
}

TEST(EngineParts, SubgraphsSumWhatTheirOpsDo) {
  const Experiment pair = convolution_and_relu();
  const std::vector<graph::OpNode> two_products{pair.ops[0].op, pair.ops[1].op, pair.ops[0].op};
  const graph::OpNode sum = fuse(two_products, "all");
  EXPECT_EQ(sum.kind, OpKind::kSubgraph);
  const WorkCounts work = *count_work(sum.op_class, sum.facts);
  const WorkCounts one = *count_work(OpClass::kConvolution, pair.ops[0].op.facts);
  EXPECT_EQ(work.macs, 2 * one.macs);
  EXPECT_EQ(work.alu_ops, 2 * one.alu_ops + 8U * 8 * 6);
  EXPECT_EQ(sum.facts[Fact::kWeightBytes], 2 * pair.ops[0].op.facts[Fact::kWeightBytes]);
  EXPECT_EQ(sum.facts[Fact::kOutputBytes], 3 * pair.ops[0].op.facts[Fact::kOutputBytes]);
}

TEST(EngineParts, RunsOfTwoLengthsTellWhatOneInferenceDraws) {
  const InferenceEnergy one = per_inference({10, 5.0, 2.0}, {30, 9.0, 3.0});
  EXPECT_DOUBLE_EQ(one.joules, 0.2);
  EXPECT_DOUBLE_EQ(one.seconds, 0.05);
  EXPECT_THROW(static_cast<void>(per_inference({10, 1, 1}, {10, 2, 2})), RuntimeError);
  EXPECT_THROW(static_cast<void>(per_inference({10, 2, 1}, {20, 1, 2})), RuntimeError);
}

std::string failure(const std::string& command_template) {
  const test::TemporaryFolder folder;
  try {
    RuntimeCommand command(command_template, EDGEJOULE_STAND_IN_FORMAT, folder.path() / "new");
    static_cast<void>(command.run(convolution_and_relu(), 2));
    static_cast<void>(command.profile(convolution_and_relu(), 2));
  } catch (const RuntimeError& error) {
    return error.what();
  } catch (const timeline::TimelineError& error) {
    return error.what();
  }
  return "";
}

TEST(RuntimeCommand, SaysWhatWentWrongWhereAndWhatToDo) {
  EXPECT_THAT(failure("run {iterations}"), HasSubstr("{model} does not stand in it"));
  EXPECT_THAT(failure("run {model}"), HasSubstr("{iterations} does not stand in it"));
  EXPECT_THAT(failure("no_such_runtime {model} {iterations}"), HasSubstr("was not found"));
  const std::string failed = failure("echo out of memory; sh -c 'exit 3' {model} {iterations}");
  EXPECT_THAT(failed, HasSubstr("failed with exit code 3; run it by hand to see why"));
  EXPECT_THAT(failed, HasSubstr("\n  out of memory"));
  EXPECT_THAT(failure("kill -9 $$; true {model} {iterations}"), HasSubstr("was ended by signal 9"));
  const std::string silent = failure("true {model} {iterations} {times}");
  EXPECT_THAT(silent, HasSubstr("ended well and wrote no "));
  EXPECT_THAT(silent, HasSubstr("check the option that {times} stands for"));
  EXPECT_THAT(failure("true {model} {iterations} {layers}"), HasSubstr("the option that {layers} stands for"));
  EXPECT_THAT(failure("echo '[ {' >{times}; true {model} {iterations}"),
              HasSubstr("it ends in the middle; let trtexec"));
  EXPECT_THAT(failure("true {model} {iterations}; echo '[{\"count\":1}]' >{profile}"), HasSubstr("no layer is in it"));
  EXPECT_THAT(failure("echo '[{\"startComputeMs\":1,\"endComputeMs\":2,\"latencyMs\":1}]' >{times}; "
                      "true {model} {iterations}"),
              HasSubstr("1 inferences where 2 were asked for"));
  EXPECT_EQ(failure("test -s {model} && test {iterations} = 2"), "");
}

TEST(RuntimeCommand, ProfilesOnlyWhereNoPowerIsMeasured) {
  const test::TemporaryFolder folder;
  RuntimeCommand command("echo {model} {iterations} --profile={profile} '--layers={layers}' --x; true",
                         EDGEJOULE_STAND_IN_FORMAT, folder.path());
  static_cast<void>(command.run(convolution_and_relu(), 2));
  std::ifstream in(folder.file("pair.log"));
  std::string said;
  std::getline(in, said);
  EXPECT_THAT(said, HasSubstr(" 2 --x"));
  EXPECT_THAT(said, Not(HasSubstr("profile")));
}

TEST(RuntimeCommand, WhatAFormerRunWroteDoesNotPassForThisOnes) {
  const test::TemporaryFolder folder;
  std::ofstream(folder.file("pair.times.json")) << "[{\"startComputeMs\":1,\"endComputeMs\":2,\"latencyMs\":1}]";
  RuntimeCommand command("true {model} {iterations} {times}", EDGEJOULE_STAND_IN_FORMAT, folder.path());
  EXPECT_THROW(static_cast<void>(command.run(convolution_and_relu(), 1)), RuntimeError);
}

}  // namespace
}  // namespace edgejoule::calibration
