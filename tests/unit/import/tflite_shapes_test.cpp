#include "import/tflite/shapes.h"

#include <gtest/gtest.h>

#include "import/tflite/file.h"
#include "import/tflite/writer.h"

namespace edgejoule::import {
namespace {

using namespace tflite_wire;

constexpr std::int32_t kNoTensor = -1;

// One operator on an input of the given shape and further operands, result unstated.
class OneOp {
 public:
  explicit OneOp(std::vector<std::int32_t> input) {
    operands_.push_back(w_.tensor({"input", {}, std::move(input), {}, 0, false}));
  }
  OneOp& tensor(std::vector<std::int32_t> shape) {
    operands_.push_back(w_.constant({"weights", {}, std::move(shape), {}, 0, false}));
    return *this;
  }
  OneOp& ints(const std::vector<std::int32_t>& values) {
    operands_.push_back(w_.constant_ints("ints", values));
    return *this;
  }
  OneOp& scalar(std::int32_t value) {
    ints({value});
    w_.model().subgraphs[0]->tensors.back()->shape.clear();
    return *this;
  }
  OneOp& none() {
    operands_.push_back(kNoTensor);
    return *this;
  }
  OneOp& first(std::size_t operand) {
    std::swap(operands_[0], operands_[operand]);
    return *this;
  }
  template <class Options>
  std::vector<Dims> run(std::int32_t code, Options options, std::size_t results = 1) {
    TfliteIndices outputs;
    for (std::size_t i = 0; i < results; ++i) {
      outputs.push_back(w_.tensor({"result", {}, {}, {}, 0, false}));
      w_.model().subgraphs[0]->tensors.back()->has_rank = false;
    }
    w_.op(code, operands_, outputs, std::move(options));
    const std::vector<std::uint8_t> bytes = w_.finish();
    const TfliteFile file = TfliteFile::open({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}, "test");
    const TfliteShapes shapes = infer_shapes(file.subgraphs[0], {});
    std::vector<Dims> out;
    for (const std::int32_t index : outputs) {
      const auto& dims = shapes.dims[static_cast<std::size_t>(index)];
      out.push_back(dims ? *dims : Dims{-1});
    }
    return out;
  }
  std::vector<Dims> run(std::int32_t code) { return run(code, SoftmaxOptionsT()); }

 private:
  TfliteWriter w_;
  TfliteIndices operands_;
};

using Shapes = std::vector<Dims>;

TEST(TfliteShapes, Convolutions) {
  Conv2DOptionsT conv;
  conv.stride_h = 2;
  conv.stride_w = 1;
  EXPECT_EQ(OneOp({1, 9, 8, 3}).tensor({16, 3, 3, 3}).run(3, conv), (Shapes{{1, 5, 8, 16}}));
  conv.padding = Padding::valid;
  conv.dilation_h = 2;
  EXPECT_EQ(OneOp({1, 9, 8, 3}).tensor({16, 3, 3, 3}).run(3, conv), (Shapes{{1, 3, 6, 16}}));
  DepthwiseConv2DOptionsT depthwise;
  depthwise.stride_h = depthwise.stride_w = 2;
  EXPECT_EQ(OneOp({2, 7, 7, 8}).tensor({1, 3, 3, 16}).run(4, depthwise), (Shapes{{2, 4, 4, 16}}));
  Conv3DOptionsT deep;
  deep.stride_d = deep.stride_h = deep.stride_w = 1;
  EXPECT_EQ(OneOp({1, 4, 5, 6, 2}).tensor({3, 3, 3, 2, 7}).run(132, deep), (Shapes{{1, 4, 5, 6, 7}}));
  TransposeConvOptionsT transposed;
  EXPECT_EQ(OneOp({1, 4, 4, 8}).tensor({16, 3, 3, 8}).ints({1, 8, 8, 16}).first(2).run(67, transposed),
            (Shapes{{1, 8, 8, 16}}));
}

TEST(TfliteShapes, KernelLargerThanTheInputFitsNowhere) {
  Conv2DOptionsT conv;
  conv.stride_h = conv.stride_w = 1;
  conv.padding = Padding::valid;
  EXPECT_EQ(OneOp({1, 2, 2, 3}).tensor({16, 5, 5, 3}).run(3, conv), (Shapes{{-1}}));
}

TEST(TfliteShapes, Dense) {
  FullyConnectedOptionsT options;
  EXPECT_EQ(OneOp({2, 3, 8}).tensor({5, 8}).run(9, options), (Shapes{{6, 5}}));
  options.keep_num_dims = true;
  EXPECT_EQ(OneOp({2, 3, 8}).tensor({5, 8}).run(9, options), (Shapes{{2, 3, 5}}));
  BatchMatMulOptionsT product;
  product.adj_y = true;
  EXPECT_EQ(OneOp({4, 1, 6, 8}).tensor({3, 5, 8}).run(126, product), (Shapes{{4, 3, 6, 5}}));
}

TEST(TfliteShapes, Broadcasting) {
  EXPECT_EQ(OneOp({4, 1, 3}).tensor({5, 1}).run(0), (Shapes{{4, 5, 3}}));
  EXPECT_EQ(OneOp({4, 2}).tensor({3}).run(0), (Shapes{{-1}}));
}

TEST(TfliteShapes, Reshaping) {
  EXPECT_EQ(OneOp({2, 3, 4}).ints({-1, 6}).run(22), (Shapes{{4, 6}}));
  EXPECT_EQ(OneOp({2, 3, 4}).ints({-1, 7}).run(22), (Shapes{{-1}}));
  ReshapeOptionsT old_style;
  old_style.new_shape = {6, 4};
  EXPECT_EQ(OneOp({2, 3, 4}).run(22, old_style), (Shapes{{6, 4}}));
  SqueezeOptionsT squeeze;
  EXPECT_EQ(OneOp({1, 3, 1}).run(43, squeeze), (Shapes{{3}}));
  squeeze.squeeze_dims = {-1};
  EXPECT_EQ(OneOp({1, 3, 1}).run(43, squeeze), (Shapes{{1, 3}}));
  EXPECT_EQ(OneOp({2, 3}).scalar(-1).run(70), (Shapes{{2, 3, 1}}));
  EXPECT_EQ(OneOp({2, 3, 4}).ints({2, 0, 1}).run(39), (Shapes{{4, 2, 3}}));
}

TEST(TfliteShapes, JoiningAndSplitting) {
  ConcatenationOptionsT concatenation;
  concatenation.axis = -1;
  EXPECT_EQ(OneOp({2, 3}).tensor({2, 5}).run(2, concatenation), (Shapes{{2, 8}}));
  PackOptionsT pack;
  pack.axis = 1;
  EXPECT_EQ(OneOp({2, 3}).tensor({2, 3}).run(83, pack), (Shapes{{2, 2, 3}}));
  UnpackOptionsT unpack;
  EXPECT_EQ(OneOp({2, 3}).run(88, unpack, 2), (Shapes{{3}, {3}}));
  EXPECT_EQ(OneOp({2, 6}).scalar(1).first(1).run(49, SplitOptionsT(), 3), (Shapes{{2, 2}, {2, 2}, {2, 2}}));
  EXPECT_EQ(OneOp({2, 6}).ints({1, -1}).scalar(1).run(102, SplitOptionsT(), 2), (Shapes{{2, 1}, {2, 5}}));
}

TEST(TfliteShapes, Slicing) {
  EXPECT_EQ(OneOp({5, 6}).ints({1, 2}).ints({2, -1}).run(65), (Shapes{{2, 4}}));
  StridedSliceOptionsT options;
  EXPECT_EQ(OneOp({10, 6}).ints({1, 0}).ints({9, 6}).ints({3, 2}).run(45, options), (Shapes{{3, 3}}));
  options.begin_mask = 1;
  options.end_mask = 1;
  options.shrink_axis_mask = 2;
  EXPECT_EQ(OneOp({10, 6}).ints({5, 4}).ints({0, 5}).ints({-1, 1}).run(45, options), (Shapes{{10}}));
  // x[-1] is written with an end of 0, which does not count where an axis is dropped.
  StridedSliceOptionsT last;
  last.shrink_axis_mask = 1;
  EXPECT_EQ(OneOp({10, 6}).ints({-1, 0}).ints({0, 3}).ints({1, 1}).run(45, last), (Shapes{{3}}));
  EXPECT_EQ(OneOp({10}).ints({10}).ints({11}).ints({1}).run(45, last), (Shapes{{-1}}));
  StridedSliceOptionsT wide;
  wide.ellipsis_mask = 1;
  wide.new_axis_mask = 4;
  EXPECT_EQ(OneOp({2, 3, 4}).ints({0, 1, 0}).ints({0, 3, 0}).ints({1, 1, 1}).run(45, wide), (Shapes{{2, 3, 2, 1}}));
  EXPECT_EQ(OneOp({4}).ints({0}).ints({4}).ints({0}).run(45, StridedSliceOptionsT()), (Shapes{{-1}}));
}

TEST(TfliteShapes, Reducing) {
  ReducerOptionsT options;
  EXPECT_EQ(OneOp({2, 7, 7, 9}).ints({1, -2}).run(40, options), (Shapes{{2, 9}}));
  options.keep_dims = true;
  EXPECT_EQ(OneOp({2, 7, 7, 9}).ints({1, 2}).run(40, options), (Shapes{{2, 1, 1, 9}}));
  EXPECT_EQ(OneOp({2, 7}).scalar(1).run(56), (Shapes{{2}}));
  EXPECT_EQ(OneOp({2, 7}).scalar(3).run(48, SoftmaxOptionsT(), 2), (Shapes{{2, 3}, {2, 3}}));
}

TEST(TfliteShapes, SpaceAndDepth) {
  SpaceToDepthOptionsT fold;
  fold.block_size = 2;
  EXPECT_EQ(OneOp({1, 4, 6, 3}).run(26, fold), (Shapes{{1, 2, 3, 12}}));
  DepthToSpaceOptionsT unfold;
  unfold.block_size = 2;
  EXPECT_EQ(OneOp({1, 2, 3, 12}).run(5, unfold), (Shapes{{1, 4, 6, 3}}));
  EXPECT_EQ(OneOp({1, 5, 6, 3}).ints({2, 2}).ints({0, 1, 0, 0}).run(38), (Shapes{{4, 3, 3, 3}}));
  EXPECT_EQ(OneOp({4, 3, 3, 3}).ints({2, 2}).ints({0, 1, 0, 0}).run(37), (Shapes{{1, 5, 6, 3}}));
  EXPECT_EQ(OneOp({1, 5, 6, 3}).ints({10, 12}).run(23), (Shapes{{1, 10, 12, 3}}));
  EXPECT_EQ(OneOp({1, 5}).ints({0, 0, 2, 1}).run(34), (Shapes{{1, 8}}));
}

TEST(TfliteShapes, LookingUp) {
  GatherOptionsT gather;
  gather.axis = 1;
  EXPECT_EQ(OneOp({2, 100, 8}).ints({1, 2, 3}).run(36, gather), (Shapes{{2, 3, 8}}));
  EXPECT_EQ(OneOp({100, 8}).ints({1, 2, 3}).first(1).run(7), (Shapes{{3, 8}}));
  OneHotOptionsT one_hot;
  one_hot.axis = -1;
  EXPECT_EQ(OneOp({2, 3}).scalar(10).scalar(1).scalar(0).run(85, one_hot), (Shapes{{2, 3, 10}}));
  EXPECT_EQ(OneOp({2, 3}).ints({2, 4}).run(69), (Shapes{{4, 12}}));
}

TEST(TfliteShapes, FollowsShapesThatAreComputed) {
  // RESHAPE to [shape(x)[0], 12] through SHAPE, STRIDED_SLICE and PACK.
  TfliteWriter w;
  const auto open = [&](const char* name) {
    const auto index = w.tensor({name, TensorType::int32, {}, {}, 0, false});
    w.model().subgraphs[0]->tensors.back()->has_rank = false;
    return index;
  };
  const auto input = w.tensor({"input", {}, {7, 3, 4}, {}, 0, false});
  const auto shape = open("shape");
  const auto first = open("first");
  const auto target = open("target");
  const auto result = open("result");
  w.op(77, {input}, {shape});
  StridedSliceOptionsT slice;
  slice.shrink_axis_mask = 1;
  w.op(45, {shape, w.constant_ints("b", {0}), w.constant_ints("e", {1}), w.constant_ints("s", {1})}, {first}, slice);
  w.op(83, {first, w.constant_ints("twelve", {12})}, {target}, PackOptionsT());
  w.op(22, {input, target}, {result});
  const std::vector<std::uint8_t> bytes = w.finish();
  const TfliteFile file = TfliteFile::open({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}, "test");
  const TfliteShapes shapes = infer_shapes(file.subgraphs[0], {});
  EXPECT_EQ(shapes.dims[static_cast<std::size_t>(result)], (Dims{7, 12}));
}

}  // namespace
}  // namespace edgejoule::import
