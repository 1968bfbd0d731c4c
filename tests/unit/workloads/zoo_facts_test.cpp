// What is measured must be what networks are priced as: shapes that a network of the
// zoo has, too, carry the same facts there.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "edgejoule/core/graph.h"
#include "workloads/workload.h"
#include "zoo/zoo.h"

namespace edgejoule::workloads {
namespace {

// Not where it stands.
bool is_about_the_op(Fact fact) {
  return fact != Fact::kTokens && fact != Fact::kSequence;
}

bool same_facts(const Facts& a, const Facts& b) {
  for (std::size_t i = 0; i < kFactCount; ++i) {
    const auto fact = static_cast<Fact>(i);
    if (is_about_the_op(fact) && a[fact] != b[fact]) return false;
  }
  return true;
}

std::map<OpKind, int> found_in(const char* network) {
  const files::FileBytes bytes = zoo::build(network);
  const Result<GraphView> view = GraphView::open(bytes.span());
  EXPECT_TRUE(view);
  std::map<OpKind, int> found;
  for (const Candidate& candidate : candidates({.last_level_bytes = 64U << 20U, .max_threads = 1})) {
    const graph::OpNode& op = candidate.workload.op;
    for (std::uint32_t node = 0; node < view->size(); ++node) {
      if (view->kind(node) == op.kind && view->data_type(node) == op.data_type &&
          view->weight_type(node) == op.weight_type && same_facts(view->facts(node), op.facts)) {
        ++found[op.kind];
        break;
      }
    }
  }
  return found;
}

TEST(ZooFacts, AreThoseOfTheCatalogueWhereShapesAreEqual) {
  std::map<OpKind, int> mobilenet = found_in("mobilenet_v2-1.0-224");
  EXPECT_GE(mobilenet[OpKind::kConv2d], 2);  // the linear ones: no activation is fused into them
  std::map<OpKind, int> quantised = found_in("mobilenet_v2-1.0-224:dtype=int8");
  EXPECT_GE(quantised[OpKind::kConv2d], 2);
  std::map<OpKind, int> bert = found_in("bert-base:seq=128");
  for (const OpKind kind : {OpKind::kDense, OpKind::kLayerNorm, OpKind::kBatchMatmul}) {
    EXPECT_GE(bert[kind], 1) << name_of(kind);
  }
}

}  // namespace
}  // namespace edgejoule::workloads
