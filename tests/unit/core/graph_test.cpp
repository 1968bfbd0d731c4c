#include "edgejoule/core/graph.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <set>

#include "fixture.h"
#include "hostile_bytes.h"
#include "support/touch.h"

namespace edgejoule::test {
namespace {

wire::ModelGraphT small_graph() {
  wire::ModelGraphT graph =
      graph_of({{.kind = OpKind::kLayer, .parent = 0, .name = "layer"},
                {.kind = OpKind::kConv2d, .parent = 1, .facts = conv_facts(1, 8, 8, 4, 8, 3), .name = "conv"},
                {.kind = OpKind::kRelu, .parent = 1, .facts = elementwise_facts(512), .name = "relu"},
                {.kind = OpKind::kDense, .parent = 0, .facts = dense_facts(1, 1, 512, 10), .name = "fc"}});
  graph.type_names = {"CONV_2D", "RELU"};
  graph.type_name_index = {0xFFFF, 0xFFFF, 0, 1, 0xFFFF};
  graph.source->file = "small.tflite";
  graph.source->sha256 = "00ff";
  graph.source->notes = {"the batch was assumed to be 1"};
  return graph;
}

Error error_of(const files::FileBytes& bytes) {
  const auto opened = GraphView::open(bytes.span());
  EXPECT_FALSE(opened.ok());
  return opened.ok() ? Error{} : opened.error();
}

Error error_after(const std::function<void(wire::ModelGraphT&)>& change) {
  wire::ModelGraphT graph = small_graph();
  change(graph);
  return error_of(pack(graph));
}

void set_fact(wire::ModelGraphT& graph, std::size_t node, Fact fact, std::uint64_t value) {
  graph.facts[node * graph.fact_ids.size() + static_cast<std::size_t>(fact)] = value;
}

TEST(GraphView, GivesBackWhatTheFileSays) {
  const files::FileBytes bytes = pack(small_graph());
  const auto graph = GraphView::open(bytes.span());
  ASSERT_TRUE(graph.ok()) << error_text(graph.error());
  EXPECT_EQ(graph->size(), 5U);
  EXPECT_EQ(graph->model_name(), "test model");
  EXPECT_EQ(graph->source_format(), "test");
  EXPECT_EQ(graph->source_file(), "small.tflite");
  EXPECT_EQ(graph->source_sha256(), "00ff");
  ASSERT_EQ(graph->note_count(), 1U);
  EXPECT_EQ(graph->note(0), "the batch was assumed to be 1");
  EXPECT_EQ(graph->kind(2), OpKind::kConv2d);
  EXPECT_EQ(graph->op_class(2), OpClass::kConvolution);
  EXPECT_EQ(graph->data_type(2), DataType::kFloat32);
  EXPECT_EQ(graph->weight_type(2), DataType::kFloat32);
  EXPECT_EQ(graph->parent(0), kNoParent);
  EXPECT_EQ(graph->parent(2), 1U);
  EXPECT_EQ(graph->depth(2), 2U);
  EXPECT_EQ(graph->engine(2), 255U);
  EXPECT_TRUE(graph->is_module_node(1));
  EXPECT_FALSE(graph->is_module_node(2));
  EXPECT_EQ(graph->name(2), "conv");
  EXPECT_EQ(graph->type_name(2), "CONV_2D");
  EXPECT_EQ(graph->type_name(4), "");
  EXPECT_EQ(graph->facts(2)[Fact::kOutC], 8U);
  EXPECT_EQ(graph->unique_weight_bytes(), 4U * (8 * 4 * 9 + 512 * 10));
}

TEST(GraphView, OptionalPartsMayBeAbsent) {
  wire::ModelGraphT file = small_graph();
  file.source.reset();
  file.names.clear();
  file.type_names.clear();
  file.type_name_index.clear();
  file.weight_types.clear();
  file.engines.clear();
  const files::FileBytes bytes = pack(file);
  const auto graph = GraphView::open(bytes.span());
  ASSERT_TRUE(graph.ok()) << error_text(graph.error());
  EXPECT_EQ(graph->name(2), "");
  EXPECT_EQ(graph->type_name(2), "");
  EXPECT_EQ(graph->source_format(), "");
  EXPECT_EQ(graph->note_count(), 0U);
  EXPECT_EQ(graph->weight_type(2), DataType::kUnknown);
  EXPECT_EQ(graph->engine(2), 255U);
}

TEST(GraphView, AFileMayLackColumnsAndHaveNewerOnes) {
  wire::ModelGraphT file = graph_of({{.kind = OpKind::kDense, .parent = 0}});
  file.fact_ids = {wire::Fact::rows_m, static_cast<wire::Fact>(999), wire::Fact::cols_n};
  file.facts = {1, 1, 1, 3, 12345, 7};
  const files::FileBytes bytes = pack(file);
  const auto graph = GraphView::open(bytes.span());
  ASSERT_TRUE(graph.ok()) << error_text(graph.error());
  EXPECT_EQ(graph->facts(1)[Fact::kRowsM], 3U);
  EXPECT_EQ(graph->facts(1)[Fact::kColsN], 7U);
  EXPECT_EQ(graph->facts(1)[Fact::kBatch], 1U) << "a fact that multiplies is 1 where absent";
  EXPECT_EQ(graph->facts(1)[Fact::kInputBytes], 0U);
}

TEST(GraphView, PassesOnKindsAndClassesItDoesNotKnow) {
  wire::ModelGraphT file = small_graph();
  file.kinds[2] = static_cast<wire::OpKind>(3000);
  file.classes[3] = static_cast<wire::OpClass>(77);
  const files::FileBytes bytes = pack(file);
  const auto graph = GraphView::open(bytes.span());
  ASSERT_TRUE(graph.ok()) << error_text(graph.error());
  EXPECT_EQ(name_of(graph->kind(2)), "?");
  EXPECT_EQ(graph->op_class(2), OpClass::kConvolution);
  EXPECT_EQ(name_of(graph->op_class(3)), "?");
}

TEST(GraphView, NamesEachFault) {
  EXPECT_EQ(error_after([](auto& g) { g.format_version = 2; }), Error::kUnsupportedVersion);
  EXPECT_EQ(error_after([](auto& g) { g.kinds.clear(); }), Error::kMissingField);
  EXPECT_EQ(error_after([](auto& g) { g.classes.clear(); }), Error::kMissingField);
  EXPECT_EQ(error_after([](auto& g) { g.data_types.clear(); }), Error::kMissingField);
  EXPECT_EQ(error_after([](auto& g) { g.parents.clear(); }), Error::kMissingField);
  EXPECT_EQ(error_after([](auto& g) { g.depths.clear(); }), Error::kMissingField);

  EXPECT_EQ(error_after([](auto& g) { g.classes.pop_back(); }), Error::kShapeMismatch);
  EXPECT_EQ(error_after([](auto& g) { g.data_types.pop_back(); }), Error::kShapeMismatch);
  EXPECT_EQ(error_after([](auto& g) { g.weight_types.pop_back(); }), Error::kShapeMismatch);
  EXPECT_EQ(error_after([](auto& g) { g.parents.pop_back(); }), Error::kShapeMismatch);
  EXPECT_EQ(error_after([](auto& g) { g.depths.pop_back(); }), Error::kShapeMismatch);
  EXPECT_EQ(error_after([](auto& g) { g.engines.pop_back(); }), Error::kShapeMismatch);
  EXPECT_EQ(error_after([](auto& g) { g.names.pop_back(); }), Error::kShapeMismatch);
  EXPECT_EQ(error_after([](auto& g) { g.facts.pop_back(); }), Error::kShapeMismatch);
  EXPECT_EQ(error_after([](auto& g) { g.fact_ids.pop_back(); }), Error::kShapeMismatch);
  EXPECT_EQ(error_after([](auto& g) { g.type_name_index.pop_back(); }), Error::kShapeMismatch);

  EXPECT_EQ(error_after([](auto& g) { g.parents[3] = 5; }), Error::kBadIndex);
  EXPECT_EQ(error_after([](auto& g) { g.parents[3] = kNoParent; }), Error::kBadIndex) << "a second root";
  EXPECT_EQ(error_after([](auto& g) { g.parents[0] = 9; }), Error::kBadIndex);
  EXPECT_EQ(error_after([](auto& g) { g.type_name_index[2] = 2; }), Error::kBadIndex);
  EXPECT_EQ(error_after([](auto& g) { g.type_names.clear(); }), Error::kBadIndex);

  EXPECT_EQ(error_after([](auto& g) { g.parents[0] = 0; }), Error::kParentCycle);
  EXPECT_EQ(error_after([](auto& g) { g.parents[2] = 2; }), Error::kParentCycle);
  EXPECT_EQ(error_after([](auto& g) { g.parents[2] = 3; }), Error::kParentCycle);

  EXPECT_EQ(error_after([](auto& g) { g.depths[0] = 1; }), Error::kBadRange);
  EXPECT_EQ(error_after([](auto& g) { g.depths[2] = 1; }), Error::kBadRange);
  EXPECT_EQ(error_after([](auto& g) { g.depths[2] = 3; }), Error::kBadRange);
  EXPECT_EQ(error_after([](auto& g) { g.parents[4] = 2; }), Error::kBadRange) << "depth and parent disagree";
  EXPECT_EQ(error_after([](auto& g) { g.fact_ids[1] = g.fact_ids[0]; }), Error::kBadRange);
  EXPECT_EQ(error_after([](auto& g) { g.kinds[1] = wire::OpKind::dense; }), Error::kBadRange)
      << "an op that calls itself a module";
  EXPECT_EQ(error_after([](auto& g) { set_fact(g, 2, Fact::kGroups, 3); }), Error::kBadRange);

  EXPECT_EQ(error_after([](auto& g) { set_fact(g, 2, Fact::kOutH, 1ULL << 62U); }), Error::kOverflow);
  EXPECT_EQ(error_after([](auto& g) { set_fact(g, 3, Fact::kInputBytes, ~0ULL); }), Error::kOverflow);
  EXPECT_EQ(error_after([](auto& g) { set_fact(g, 2, Fact::kUniqueWeightBytes, ~0ULL); }), Error::kOverflow);
  EXPECT_EQ(error_after([](auto& g) {
              set_fact(g, 3, Fact::kStatedAlu, 1ULL << 40U);
              set_fact(g, 3, Fact::kRepeats, 1ULL << 40U);
            }),
            Error::kOverflow);

  EXPECT_EQ(error_after([](auto& g) {
              g.fact_ids.assign(257, static_cast<wire::Fact>(600));
              g.facts.assign(257 * 5, 1);
            }),
            Error::kTooLarge);
}

TEST(GraphView, APreorderTreeKeepsSubtreesTogether) {
  // Node 4's parent left the path when node 3 came: the subtree of node 1 is torn apart.
  wire::ModelGraphT file = graph_of({{.kind = OpKind::kLayer, .parent = 0},
                                     {.kind = OpKind::kRelu, .parent = 1},
                                     {.kind = OpKind::kLayer, .parent = 0},
                                     {.kind = OpKind::kRelu, .parent = 3}});
  ASSERT_TRUE(GraphView::open(pack(file).span()).ok());
  file.parents[4] = 1;
  EXPECT_EQ(error_of(pack(file)), Error::kBadRange);
}

TEST(GraphView, TheDeepestTreeIsSixtyFour) {
  std::vector<NodeSpec> specs;
  for (std::uint32_t depth = 0; depth < kMaxDepth; ++depth) {
    specs.push_back({.kind = OpKind::kBlock, .parent = depth});
  }
  EXPECT_TRUE(GraphView::open(pack(graph_of(specs)).span()).ok());
  specs.push_back({.kind = OpKind::kRelu, .parent = kMaxDepth});
  EXPECT_EQ(error_of(pack(graph_of(specs))), Error::kTooDeep);
}

TEST(GraphView, BytesMustBeAlignedAndOfItsKind) {
  const files::FileBytes bytes = pack(small_graph());
  files::FileBytes shifted(bytes.size() + 8);
  std::memcpy(shifted.data() + 4, bytes.span().data(), bytes.size());
  EXPECT_EQ(GraphView::open({shifted.data() + 4, bytes.size()}).error(), Error::kMisaligned);
  EXPECT_EQ(error_of(pack(sound_table())), Error::kWrongIdentifier);
  EXPECT_EQ(GraphView::open({}).error(), Error::kTruncated);
}

TEST(GraphView, FactsMustBeAlignedThoughTheVerifierDoesNotAsk) {
  // The vector of facts moved by four bytes, everything else as it was.
  const files::FileBytes bytes = pack(small_graph());
  EXPECT_EQ(GraphView::open(shift_vector_of_longs(bytes).span()).error(), Error::kCorrupt);
}

TEST(GraphView, EveryTruncationIsNamed) {
  expect_every_truncation_named(pack(small_graph()),
                                [](Span<const std::byte> bytes) { return open_error<GraphView>(bytes); });
}

TEST(GraphView, EveryFlippedBitIsHarmless) {
  const files::FileBytes bytes = pack(small_graph());
  for_every_flipped_bit(bytes, [](const files::FileBytes& flipped) {
    const auto graph = GraphView::open(flipped.span());
    if (!graph.ok()) {
      ASSERT_STRNE(error_text(graph.error()), "unknown error");
      return;
    }
    touch_everything(*graph);
  });
}

}  // namespace
}  // namespace edgejoule::test
