// Our shapes against libonnx's, tensor by tensor, and rules of their own.
#include "import/onnx/shapes.h"

#include <gtest/gtest.h>
#include <onnx/shape_inference/implementation.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "import/onnx/file.h"
#include "import/onnx/graph.h"
#include "import/onnx/writer.h"
#include "support/onnx_models.h"

namespace edgejoule::import {
namespace {

using namespace test;

Span<const std::byte> bytes_of(const std::vector<std::uint8_t>& model) {
  return {reinterpret_cast<const std::byte*>(model.data()), model.size()};
}

struct Lowered {
  std::vector<std::uint8_t> bytes;
  OnnxFile file;
  OnnxProgram program;

  explicit Lowered(std::vector<std::uint8_t> model, const Bindings& bindings = {})
      : bytes(std::move(model)),
        file(OnnxFile::open(bytes_of(bytes), "test")),
        program(lower_onnx(file, "test", bindings)) {}

  [[nodiscard]] const OnnxValue& value(std::string_view name) const {
    for (const OnnxValue& candidate : program.values) {
      if (candidate.name == name) return candidate;
    }
    throw std::runtime_error("no value " + std::string(name));
  }
};

// Tensors whose static shape both know. Fails where they differ.
std::size_t compare_with_library(const std::vector<std::uint8_t>& model) {
  onnx::ModelProto proto;
  if (!proto.ParseFromArray(model.data(), static_cast<int>(model.size()))) {
    ADD_FAILURE() << "protobuf does not read it";
    return 0;
  }
  onnx::shape_inference::InferShapes(proto);
  const Lowered ours(model);
  std::size_t compared = 0;
  for (const auto* list : {&proto.graph().value_info(), &proto.graph().output()}) {
    for (const onnx::ValueInfoProto& info : *list) {
      if (!info.type().tensor_type().has_shape()) continue;
      Dims dims;
      bool open = false;
      for (const auto& dim : info.type().tensor_type().shape().dim()) {
        open = open || !dim.has_dim_value();
        dims.push_back(dim.dim_value());
      }
      const OnnxValue& value = ours.value(info.name());
      if (open || !value.dims) continue;
      EXPECT_EQ(*value.dims, dims) << info.name();
      EXPECT_EQ(value.type, data_type_of_onnx(info.type().tensor_type().elem_type())) << info.name();
      ++compared;
    }
  }
  return compared;
}

TEST(OnnxShapes, AgreeWithTheLibraryOnTheModelsOfTheTests) {
  EXPECT_GT(compare_with_library(onnx_recurrent()), 4U);
  EXPECT_GT(compare_with_library(onnx_quantised()), 8U);
  EXPECT_GT(compare_with_library(onnx_control_flow()), 2U);
}

TEST(OnnxShapes, AgreeWithTheLibraryOnRealFiles) {
  const char* shared = std::getenv("EDGEJOULE_SHARED_DIR");
  if (shared == nullptr || *shared == '\0') {
    GTEST_SKIP() << "EDGEJOULE_SHARED_DIR is not set: the real models are not at hand";
  }
  std::size_t compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(shared) / "models/onnx")) {
    if (entry.path().extension() != ".onnx") continue;
    SCOPED_TRACE(entry.path().string());
    std::ifstream in(entry.path(), std::ios::binary);
    compared += compare_with_library({std::istreambuf_iterator<char>(in), {}});
  }
  EXPECT_GT(compared, 300U);
}

// One node on x; what `y` looks like.
Dims shape_after(const OnnxShape& shape, OnnxNodeSpec node, std::int64_t opset = 18) {
  OnnxGraphWriter g;
  g.input("x", shape).output("y");
  g.integers("i1", {1}).integers("i2", {2}).integers("i3", {3}).integers("m1", {-1}).integers("ends", {100});
  g.integers("to", {2, -1}).integers("sizes", {1, 3, 20, 30}).integers("parts", {1, 5});
  g.integers("pads", {0, 1, 2, 0, 1, 2}).integers("axes", {0, 2}).integers("pick", {0, 0, 1, 1});
  node.outputs = {"y"};
  g.node(node);
  const Lowered lowered(OnnxModelWriter(g, opset).finish());
  const OnnxValue& value = lowered.value("y");
  return value.dims ? *value.dims : Dims{-1};
}

TEST(OnnxShapes, OfEveryWayToRearrange) {
  EXPECT_EQ(shape_after({6, 4}, {"Reshape", {"x", "to"}, {}}), (Dims{2, 12}));
  EXPECT_EQ(shape_after({6, 4, 5}, {"Flatten", {"x"}, {}, {onnx_int("axis", 2)}}), (Dims{24, 5}));
  EXPECT_EQ(shape_after({1, 4, 1}, {"Squeeze", {"x"}, {}}), (Dims{4}));
  EXPECT_EQ(shape_after({1, 4, 1}, {"Squeeze", {"x", "m1"}, {}}), (Dims{1, 4}));
  EXPECT_EQ(shape_after({4}, {"Unsqueeze", {"x", "axes"}, {}}), (Dims{1, 4, 1}));
  EXPECT_EQ(shape_after({4}, {"Unsqueeze", {"x"}, {}, {onnx_ints("axes", {0})}}, 11), (Dims{1, 4}));
  EXPECT_EQ(shape_after({2, 3, 4}, {"Transpose", {"x"}, {}}), (Dims{4, 3, 2}));
  EXPECT_EQ(shape_after({2, 3, 4}, {"Pad", {"x", "pads"}, {}}), (Dims{2, 5, 8}));
  EXPECT_EQ(shape_after({1, 3, 10, 10}, {"Resize", {"x", "", "", "sizes"}, {}}), (Dims{1, 3, 20, 30}));
  EXPECT_EQ(shape_after({1, 8, 3, 3}, {"DepthToSpace", {"x"}, {}, {onnx_int("blocksize", 2)}}), (Dims{1, 2, 6, 6}));
  EXPECT_EQ(shape_after({2, 3}, {"Tile", {"x", "axes"}, {}}), (Dims{0, 6}));
}

TEST(OnnxShapes, OfSlicesAndLookups) {
  EXPECT_EQ(shape_after({6, 4}, {"Slice", {"x", "i1", "ends"}, {}}), (Dims{5, 4}));
  EXPECT_EQ(shape_after({6, 4}, {"Slice", {"x", "m1", "i1", "i1"}, {}}), (Dims{6, 0}));
  EXPECT_EQ(shape_after({6, 4}, {"Slice", {"x", "i1", "ends", "m1", "i2"}, {}}), (Dims{6, 2}));
  EXPECT_EQ(shape_after({6, 4}, {"Gather", {"x", "pick"}, {}, {onnx_int("axis", 1)}}), (Dims{6, 4}));
  EXPECT_EQ(shape_after({6, 4}, {"Gather", {"x", "pick"}, {}}), (Dims{4, 4}));
  EXPECT_EQ(shape_after({6, 4}, {"Split", {"x", "parts"}, {}}), (Dims{1, 4}));
  EXPECT_EQ(shape_after({6, 4}, {"TopK", {"x", "i3"}, {}}), (Dims{6, 3}));
  EXPECT_EQ(shape_after({6, 4}, {"Expand", {"x", "sizes"}, {}}), (Dims{-1})) << "does not fit";
}

TEST(OnnxShapes, OfReductions) {
  EXPECT_EQ(shape_after({6, 4, 5}, {"ReduceMean", {"x"}, {}, {onnx_ints("axes", {-1})}}), (Dims{6, 4, 1}));
  EXPECT_EQ(shape_after({6, 4, 5}, {"ReduceSum", {"x", "axes"}, {}, {onnx_int("keepdims", 0)}}), (Dims{4}));
  EXPECT_EQ(shape_after({6, 4, 5}, {"ReduceMax", {"x"}, {}, {onnx_int("keepdims", 0)}}), Dims{});
  EXPECT_EQ(shape_after({6, 4, 5}, {"ArgMax", {"x"}, {}, {onnx_int("axis", 1)}}), (Dims{6, 1, 5}));
}

TEST(OnnxShapes, OfEinsums) {
  const auto einsum = [](const char* equation, const OnnxShape& left, const OnnxShape& right) {
    OnnxGraphWriter g;
    g.input("a", left)
        .input("b", right)
        .output("y")
        .node({"Einsum", {"a", "b"}, {"y"}, {onnx_text("equation", equation)}});
    const Lowered lowered(OnnxModelWriter(g).finish());
    const OnnxValue& value = lowered.value("y");
    return value.dims ? *value.dims : Dims{-1};
  };
  EXPECT_EQ(einsum("bij, bjk -> bik", {2, 3, 4}, {2, 4, 5}), (Dims{2, 3, 5}));
  EXPECT_EQ(einsum("...ij,...jk->...ik", {7, 2, 3, 4}, {7, 2, 4, 5}), (Dims{7, 2, 3, 5}));
  EXPECT_EQ(einsum("ij,jk", {3, 4}, {4, 5}), (Dims{3, 5}));
}

// The chain that exporters write for a flatten: its length is known through it.
TEST(OnnxShapes, FollowNumbersThroughShapeArithmetic) {
  OnnxGraphWriter g;
  g.input("x", {2, 3, 4, 5}).output("y").scalar("zero", 0).integers("first", {0}).integers("open", {-1});
  g.node({"Shape", {"x"}, {"s"}}).node({"Gather", {"s", "zero"}, {"n"}}).node({"Unsqueeze", {"n", "first"}, {"nv"}});
  g.node({"Concat", {"nv", "open"}, {"to"}, {onnx_int("axis", 0)}}).node({"Reshape", {"x", "to"}, {"y"}});
  const Lowered lowered(OnnxModelWriter(g).finish());
  EXPECT_EQ(lowered.value("y").dims, (Dims{2, 60}));
  EXPECT_EQ(lowered.value("to").numbers, (OnnxNumbers{2, -1}));
}

TEST(OnnxShapes, BroadcastOrRefuse) {
  EXPECT_EQ(broadcast({3, 1}, {2, 1, 4}), (Dims{2, 3, 4}));
  EXPECT_EQ(broadcast({0, 1}, {1, 4}), (Dims{0, 4}));
  EXPECT_FALSE(broadcast({3}, {4}));
}

}  // namespace
}  // namespace edgejoule::import
