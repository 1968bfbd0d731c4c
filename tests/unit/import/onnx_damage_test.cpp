// Damaged and hostile ONNX files: a named error, or a graph that verifies, never more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <limits>

#include "import/onnx/writer.h"
#include "imported.h"
#include "support/onnx_models.h"
#include "support/temporary_folder.h"

namespace edgejoule::import {
namespace {

using namespace test;
using testing::HasSubstr;

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

// Either imports or throws ImportError with a text; anything else escapes and fails.
void expect_survival(const std::vector<std::uint8_t>& bytes) {
  try {
    static_cast<void>(imported(bytes, {{"sequence", 4}}));
  } catch (const ImportError& error) {
    EXPECT_GT(std::string(error.what()).size(), 20U);
  }
}

std::vector<std::uint8_t> one_node(const OnnxNodeSpec& node, const OnnxShape& shape = {2, 4}) {
  OnnxGraphWriter g;
  g.input("x", shape).output("y").weights("w", {4, 4}).node(node);
  return OnnxModelWriter(g).finish();
}

TEST(OnnxDamage, EveryTruncationIsANamedError) {
  const std::vector<std::uint8_t> model = onnx_cnn();
  std::size_t refused = 0;
  for (std::size_t size = 3; size < model.size(); ++size) {
    const std::vector<std::uint8_t> cut(model.begin(), model.begin() + static_cast<std::ptrdiff_t>(size));
    const std::string failure = import_failure(cut);
    refused += failure.empty() ? 0U : 1U;
    if (failure.empty()) {
      EXPECT_GT(size, model.size() - 16) << "only the opset behind the graph may be missing";
    }
  }
  EXPECT_GT(refused, model.size() - 24);
  EXPECT_THAT(import_failure({model.begin(), model.begin() + 200}), HasSubstr("not a whole ONNX model"));
}

TEST(OnnxDamage, BitFlipsNeverEscape) {
  for (const OnnxModel& model : onnx_models()) {
    SCOPED_TRACE(model.name);
    std::vector<std::uint8_t> bytes = model.bytes;
    const std::size_t stride = 1 + bytes.size() / 800;
    for (std::size_t i = 0; i < bytes.size(); i += stride) {
      const std::uint8_t before = bytes[i];
      for (const unsigned bit : {1U << (i % 8), 0xFFU}) {
        bytes[i] = static_cast<std::uint8_t>(before ^ bit);
        expect_survival(bytes);
      }
      bytes[i] = before;
    }
  }
}

TEST(OnnxDamage, ANameThatNothingDefinesIsSaid) {
  const std::string failure = import_failure(one_node({"MatMul", {"x", "lost"}, {"y"}, {}, "product"}));
  EXPECT_THAT(failure, HasSubstr("node 'product' (MatMul): it reads 'lost'"));
  EXPECT_THAT(import_failure(one_node({"Relu", {"x"}, {"z"}})), HasSubstr("output 'y': nothing computes it"));
}

TEST(OnnxDamage, AValueDefinedTwiceIsRefused) {
  OnnxGraphWriter g;
  g.input("x", {4}).output("y").node({"Relu", {"x"}, {"y"}}).node({"Relu", {"x"}, {"y"}});
  EXPECT_THAT(import_failure(OnnxModelWriter(g).finish()), HasSubstr("two nodes define it"));
}

TEST(OnnxDamage, CyclesAreNamed) {
  OnnxGraphWriter g;
  g.input("x", {4})
      .output("y")
      .node({"Add", {"x", "b"}, {"a"}, {}, "first"})
      .node({"Relu", {"a"}, {"b"}, {}, "second"});
  g.node({"Relu", {"a"}, {"y"}});
  EXPECT_THAT(import_failure(OnnxModelWriter(g).finish()), HasSubstr("the graph has a cycle"));
  OnnxGraphWriter self;
  self.input("x", {4}).output("y").node({"Add", {"x", "y"}, {"y"}, {}, "self"});
  EXPECT_THAT(import_failure(OnnxModelWriter(self).finish()), HasSubstr("node 'self' (Add): it waits for its own"));
}

TEST(OnnxDamage, AFunctionThatCallsItselfIsRefused) {
  OnnxGraphWriter g;
  g.input("x", {4}).output("y").node({"F", {"x"}, {"y"}, {}, "", "local"});
  OnnxModelWriter model(g);
  model.function({"F", {"a"}, {"b"}, {}, {{"G", {"a"}, {"b"}, {}, "", "local"}}});
  model.function({"G", {"a"}, {"b"}, {}, {{"F", {"a"}, {"b"}, {}, "", "local"}}});
  EXPECT_THAT(import_failure(model.finish()), HasSubstr("calls itself"));
}

// 2^30 nodes out of sixty lines.
TEST(OnnxDamage, FunctionsThatMultiplyAreBounded) {
  OnnxGraphWriter g;
  g.input("x", {4}).output("y").node({"F0", {"x"}, {"y"}, {}, "", "local"});
  OnnxModelWriter model(g);
  for (int i = 0; i < 30; ++i) {
    const std::string next = i == 29 ? "Relu" : "F" + std::to_string(i + 1);
    const std::string domain = i == 29 ? "" : "local";
    model.function({"F" + std::to_string(i),
                    {"a"},
                    {"b"},
                    {},
                    {{next, {"a"}, {"c"}, {}, "", domain}, {next, {"c"}, {"b"}, {}, "", domain}}});
  }
  EXPECT_THAT(import_failure(model.finish()), HasSubstr("each call of a function counted"));
}

TEST(OnnxDamage, DeepNestingIsBounded) {
  OnnxGraphWriter inner("0");
  inner.node({"Relu", {"x"}, {"r"}}).output("r");
  for (int depth = 1; depth < 40; ++depth) {
    OnnxGraphWriter outer(std::to_string(depth));
    outer.node({"If", {"c"}, {"r"}, {onnx_graph("then_branch", inner), onnx_graph("else_branch", OnnxGraphWriter())}});
    outer.output("r");
    inner = outer;
  }
  OnnxGraphWriter g;
  g.input("x", {4}).input("c", {}, OnnxType::kBool).output("y");
  g.node({"If", {"c"}, {"y"}, {onnx_graph("then_branch", inner), onnx_graph("else_branch", inner)}});
  EXPECT_THAT(import_failure(OnnxModelWriter(g).finish()), HasSubstr("graphs nest more than"));
}

TEST(OnnxDamage, NegativeDimensionsOfWeightsAreRefused) {
  OnnxGraphWriter g;
  g.input("x", {2, 4}).output("y").weights("w", {4, -4}).node({"MatMul", {"x", "w"}, {"y"}});
  EXPECT_THAT(import_failure(OnnxModelWriter(g).finish()), HasSubstr("has a dimension of -4"));
}

TEST(OnnxDamage, AbsurdDimensionsAreNamed) {
  EXPECT_THAT(import_failure(one_node({"Relu", {"x"}, {"y"}}, {kHuge, kHuge})), HasSubstr("64 bits"));
  OnnxGraphWriter g;
  g.input("x", {1 << 30, 1 << 30}).output("y").weights("w", {1 << 30, 1 << 30}).node({"MatMul", {"x", "w"}, {"y"}});
  EXPECT_THAT(import_failure(OnnxModelWriter(g).finish()), HasSubstr("64 bits"));
}

TEST(OnnxDamage, AttributesThatCannotBeCountNothingAndAreSaid) {
  for (const OnnxMessage& wrong :
       {onnx_ints("strides", {0, 0}), onnx_ints("strides", {1}), onnx_ints("dilations", {-1, 1}),
        onnx_ints("pads", {-9, -9, -9, -9}), onnx_ints("strides", {kHuge, kHuge}), onnx_int("group", 0)}) {
    OnnxGraphWriter g;
    g.input("x", {1, 4, 8, 8}).output("y").weights("w", {4, 4, 3, 3}).node({"Conv", {"x", "w"}, {"y"}, {wrong}});
    const Imported graph = imported(OnnxModelWriter(g).finish());
    EXPECT_EQ(graph.total_macs(), 0U);
    EXPECT_THAT(graph.notes(), HasSubstr("1 op could not be counted for want of shapes"));
  }
}

TEST(OnnxDamage, FiltersThatDoNotFitAreNamed) {
  OnnxGraphWriter g;
  g.input("x", {1, 5, 8, 8}).output("y").weights("w", {4, 4, 3, 3}).node({"Conv", {"x", "w"}, {"y"}, {}, "odd"});
  EXPECT_THAT(import_failure(OnnxModelWriter(g).finish()), HasSubstr("op 'odd': filters of 4 channels"));
}

TEST(OnnxDamage, NestedLoopsBeyond64BitsAreNamed) {
  OnnxGraphWriter inner("inner");
  inner.input("i", {}, OnnxType::kInt64).input("go", {}, OnnxType::kBool).input("s", {4});
  inner.node({"Relu", {"s"}, {"n"}}).node({"Identity", {"go"}, {"g"}}).output("g").output("n");
  for (int depth = 0; depth < 3; ++depth) {
    OnnxGraphWriter outer("outer");
    outer.input("i", {}, OnnxType::kInt64).input("go", {}, OnnxType::kBool).input("s", {4});
    outer.node({"Loop", {"many", "", "s"}, {"n"}, {onnx_graph("body", inner)}, "l"});
    outer.node({"Identity", {"go"}, {"g"}}).output("g").output("n");
    inner = outer;
  }
  OnnxGraphWriter g;
  g.input("x", {4}).output("y").scalar("many", 2'000'000'000);
  g.node({"Loop", {"many", "", "x"}, {"y"}, {onnx_graph("body", inner)}, "top"});
  EXPECT_THAT(import_failure(OnnxModelWriter(g).finish()), HasSubstr("2^64"));
}

TEST(OnnxDamage, NamesOfAnyBytesAreKept) {
  const std::string hostile = "/a\xff\xfe/\x1b[2J\xe2\x80\xae<script>/Relu";
  const Imported graph = imported(one_node({"Relu", {"x"}, {"y"}, {}, hostile}));
  EXPECT_EQ(graph.ops(), 1U);
  EXPECT_EQ(graph.view().type_name(1), "Relu");
}

TEST(OnnxDamage, LongNamesAreCut) {
  const Imported graph = imported(one_node({"Relu", {"x"}, {"y"}, {}, std::string(1 << 20, 'n')}));
  EXPECT_LE(graph.view().name(1).size(), 512U);
}

// Weights of 3 GB inside the file: protobuf itself reads no message beyond 2 GB.
TEST(OnnxDamage, AFileBeyondTwoGigabytesIsReadWithoutItsWeights) {
  constexpr std::int64_t kRows = 750'000'000;
  OnnxMessage tensor;
  tensor.packed(1, {kRows, 1}).integer(2, 1).text(8, "w");
  OnnxGraphWriter g;
  g.input("x", {1, kRows}).output("y").node({"MatMul", {"x", "w"}, {"y"}});
  // The tensor, its raw_data and the graph around them by hand: the writer holds text.
  const auto varint = [](std::uint64_t value) {
    std::string out;
    for (; value >= 0x80; value >>= 7U) out += static_cast<char>((value & 0x7FU) | 0x80U);
    return out + static_cast<char>(value);
  };
  const std::uint64_t data = 4ULL * kRows;
  const std::string raw = "\x4a" + varint(data);
  const std::uint64_t tensor_size = tensor.bytes().size() + raw.size() + data;
  const std::string initializer = "\x2a" + varint(tensor_size) + tensor.bytes() + raw;
  const std::uint64_t graph_size = g.message().bytes().size() + initializer.size() + data;
  const std::string head = std::string("\x08\x08\x3a", 3) + varint(graph_size) + g.message().bytes() + initializer;

  const TemporaryFolder folder;
  const std::string path = folder.file("large.onnx");
  std::ofstream(path, std::ios::binary).write(head.data(), static_cast<std::streamsize>(head.size()));
  // Sparse: nothing is written, and nothing is read.
  if (truncate(path.c_str(), static_cast<off_t>(head.size() + data)) != 0) {
    GTEST_SKIP() << "this file system holds no file of 3 GB";
  }
  const Imported graph(import_model(path));
  EXPECT_EQ(graph.total_macs(), static_cast<std::uint64_t>(kRows));
  EXPECT_EQ(graph.total(Fact::kWeightBytes), data);
}

}  // namespace
}  // namespace edgejoule::import
