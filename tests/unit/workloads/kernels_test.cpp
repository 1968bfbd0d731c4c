#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "edgejoule/core/graph.h"
#include "unit/workloads/reference.h"
#include "workloads/workload.h"
#include "zoo/zoo.h"

namespace edgejoule::workloads {
namespace {

using ::testing::HasSubstr;

// A cache so small that even footprints above it are quick to check.
std::vector<Candidate> small_candidates() {
  return candidates(
      {.last_level_bytes = 64U << 10U, .memory_bytes = 64U << 20U, .max_threads = 3, .has_fp16 = has_fp16()});
}

std::string types_of(const Workload& workload) {
  const graph::OpNode& op = workload.op;
  return fmt::format("{} {} {}", name_of(op.kind), name_of(op.data_type), name_of(op.weight_type));
}

double work(const Workload& workload) {
  return static_cast<double>(count_work(workload.op.op_class, workload.op.facts)->macs);
}

void expect_right(const Workload& workload, const Operands& operands) {
  const test::Reference expected = test::reference(workload, operands);
  ASSERT_EQ(operands.output.size(), expected.output.size()) << workload.name;
  double worst = 0;
  double mean = 0;
  for (std::size_t i = 0; i < expected.output.size(); ++i) {
    worst = std::max(worst, std::abs(operands.output[i] - expected.output[i]));
    mean += std::abs(expected.output[i]) / static_cast<double>(expected.output.size());
  }
  EXPECT_LE(worst, expected.tolerance) << workload.name;
  EXPECT_GT(mean, 4 * expected.tolerance) << workload.name << ": a check that could not fail";
}

TEST(Kernels, ComputeWhatTheirFactsSay) {
  std::set<std::string> kinds;
  for (const Candidate& candidate : small_candidates()) {
    if (work(candidate.workload) > 4e6) continue;  // the reference is slow
    const std::unique_ptr<Kernel> kernel = prepare(candidate.workload);
    kernel->run(1);
    expect_right(candidate.workload, kernel->operands());
    kinds.insert(types_of(candidate.workload));
  }
  std::set<std::string> all;
  for (const Candidate& candidate : small_candidates()) {
    all.insert(types_of(candidate.workload));
  }
  EXPECT_EQ(kinds, all);
  EXPECT_EQ(kinds.count("dense float16 float16") != 0, has_fp16());
}

TEST(Kernels, ReadTheBytesOfTheirFacts) {
  for (const Candidate& candidate : small_candidates()) {
    const Facts& facts = candidate.workload.op.facts;
    const Operands operands = prepare(candidate.workload)->operands();
    std::uint64_t elements = 0;
    for (const std::vector<float>& input : operands.inputs) elements += input.size();
    const std::uint64_t scales = candidate.workload.op.data_type == DataType::kInt8 ? operands.inputs.back().size() : 0;
    EXPECT_EQ(elements - scales, facts[Fact::kInputElements] + facts[Fact::kParameters]) << candidate.workload.name;
    EXPECT_EQ(operands.output.size(), facts[Fact::kOutputElements]) << candidate.workload.name;
  }
}

// Broadcasts, padding, quantised ends: what no candidate has and whole networks do.
TEST(Kernels, ComputeWhatOnlyNetworksHave) {
  const std::set<OpKind> kinds = {OpKind::kAdd,     OpKind::kMul,       OpKind::kMaxPool2d, OpKind::kGlobalAveragePool,
                                  OpKind::kSoftmax, OpKind::kLayerNorm, OpKind::kTranspose, OpKind::kConcatenation};
  std::set<OpKind> checked;
  for (const char* network :
       {"bert-tiny", "vit-tiny-16", "mobilenet_v3-small", "resnet18", "kws:dtype=int8", "resnet8:dtype=int8"}) {
    const files::FileBytes bytes = zoo::build(network);
    const Result<GraphView> view = GraphView::open(bytes.span());
    ASSERT_TRUE(view);
    std::set<std::string> seen;
    for (std::uint32_t node = 0; node < view->size(); ++node) {
      if (view->is_module_node(node) || kinds.count(view->kind(node)) == 0) continue;
      Workload workload{.name = fmt::format("{}/{}", network, view->name(node))};
      workload.op.kind = view->kind(node);
      workload.op.op_class = view->op_class(node);
      workload.op.data_type = view->data_type(node);
      workload.op.weight_type = view->weight_type(node);
      workload.op.facts = view->facts(node);
      workload.threads = 2;
      workload.rows = rows_of(workload.op);
      if (!seen.insert(fmt::format("{} {}", types_of(workload), workload.op.facts[Fact::kInputElements])).second) {
        continue;
      }
      const std::unique_ptr<Kernel> kernel = prepare(workload);
      kernel->run(1);
      expect_right(workload, kernel->operands());
      checked.insert(workload.op.kind);
    }
  }
  EXPECT_EQ(checked, kinds);
}

TEST(Kernels, SayWhatTheyCannotRun) {
  Workload lstm{.name = "lstm-1", .op = graph::recurrent({}, {})};
  Workload half{.name = "half", .op = graph::dense({}, {.types = {.input = DataType::kFloat64}})};
  for (const auto& [workload, what] :
       {std::pair{lstm, "there is no kernel for lstm"}, std::pair{half, "there is no kernel for dense of float64"}}) {
    try {
      static_cast<void>(prepare(workload));
      ADD_FAILURE() << workload.name;
    } catch (const WorkloadError& error) {
      EXPECT_THAT(error.what(), HasSubstr("workload " + workload.name));
      EXPECT_THAT(error.what(), HasSubstr(what));
    }
  }
}

}  // namespace
}  // namespace edgejoule::workloads
