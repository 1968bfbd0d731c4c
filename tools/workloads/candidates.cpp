// Which shapes: sizes that networks have, small and large, so that launch, work and
// traffic can be told apart.
#include <fmt/format.h>

#include <array>

#include "workloads/catalogue.h"

namespace edgejoule::workloads {
namespace {

using graph::Tensor;

graph::OpContext context(std::string type_name) {
  return {.name = {}, .type_name = std::move(type_name)};
}

std::string types_text(DataType type, DataType weight) {
  return weight == type ? std::string(name_of(type)) : fmt::format("{}x{}", name_of(type), name_of(weight));
}

void dense(Catalogue& all, DataType type, DataType weight, double importance) {
  struct Shape {
    std::uint64_t m, k, n;
  };
  std::vector<Shape> shapes{{1, 64, 32},     {1, 256, 256},   {1, 512, 512},   {1, 1024, 1000}, {1, 2048, 512},
                            {1, 768, 3072},  {16, 256, 256},  {64, 64, 64},    {64, 512, 128},  {128, 768, 768},
                            {196, 128, 512}, {256, 256, 256}, {384, 384, 384}, {32, 2048, 256}, {512, 64, 512}};
  // Weights that no cache holds: what decoding a language model is made of.
  for (const std::uint64_t times : {3U, 4U, 5U, 8U}) {
    const std::uint64_t k = times % 2 == 0 ? 2048 : 3072;
    shapes.push_back({1, k, times * all.last_level_bytes() * 8 / (bits_of(weight) * k) / 64 * 64 + 64});
  }
  for (const Shape& s : shapes) {
    graph::DenseParams p{.m = s.m, .k = s.k, .n = s.n};
    p.types.input = type;
    p.types.weight = weight;
    if (weight == DataType::kInt8) p.weights = {.scales = s.n};
    if (weight == DataType::kInt4) p.weights = {.scales = s.n * s.k / 32, .scale_type = DataType::kFloat16};
    all.add(graph::dense(context("FULLY_CONNECTED"), p),
            fmt::format("dense-{}-{}x{}x{}", types_text(type, weight), s.m, s.k, s.n));
  }
  all.close_key(importance);
}

struct ConvolutionShape {
  std::uint64_t size, in_c, out_c, kernel, stride = 1, groups = 1, dilation = 1;
};

void convolution(Catalogue& all, std::string_view name, const std::vector<ConvolutionShape>& shapes, DataType type,
                 double importance) {
  for (const ConvolutionShape& s : shapes) {
    graph::ConvolutionParams p;
    p.in_h = p.in_w = s.size;
    p.out_h = p.out_w = (s.size + s.stride - 1) / s.stride;
    p.in_c = s.in_c;
    p.out_c = s.out_c;
    p.kernel_h = p.kernel_w = s.kernel;
    p.stride_h = p.stride_w = s.stride;
    p.dilation_h = p.dilation_w = s.dilation;
    p.groups = s.groups;
    p.types.input = type;
    if (type == DataType::kInt8) p.weights = {.scales = s.out_c};
    std::string text = fmt::format("{}-{}-{}x{}x{}-{}-k{}s{}", name, name_of(type), s.size, s.size, s.in_c, s.out_c,
                                   s.kernel, s.stride);
    if (s.groups != 1 && s.groups != s.in_c) text += fmt::format("g{}", s.groups);
    if (s.dilation != 1) text += fmt::format("d{}", s.dilation);
    all.add(graph::convolution(context(s.groups > 1 && s.groups == s.in_c ? "DEPTHWISE_CONV_2D" : "CONV_2D"), p), text);
  }
  all.close_key(importance);
}

void convolutions(Catalogue& all, DataType type, double importance) {
  // Libraries choose among several algorithms by these numbers, so each kind of convolution needs shapes of its own:
  // pointwise, 3 x 3 at stride 1 and 2, the first layer of three channels, and the rare ones.
  const std::vector<ConvolutionShape> full{
      // clang-format off
      {224, 3, 32, 3, 2}, {56, 64, 64, 3}, {28, 128, 128, 3}, {14, 256, 256, 3}, {7, 512, 512, 3}, {112, 16, 32, 3, 2},
      {56, 24, 144, 1}, {28, 144, 32, 1}, {14, 96, 576, 1}, {7, 320, 1280, 1}, {7, 960, 160, 1}, {112, 32, 16, 1},
      {28, 64, 128, 5, 2}, {14, 64, 64, 7}, {28, 64, 64, 3, 1, 4}, {14, 256, 256, 3, 1, 32}, {28, 64, 64, 3, 1, 1, 2},
      {14, 128, 128, 3, 1, 1, 4}, {8, 16, 16, 3},
      {112, 16, 96, 1}, {80, 32, 64, 1}, {56, 64, 64, 1}, {56, 144, 24, 1}, {40, 64, 128, 1}, {28, 40, 240, 1},
      {28, 192, 32, 1}, {28, 128, 128, 1}, {28, 256, 128, 1}, {20, 128, 256, 1}, {14, 384, 64, 1}, {14, 576, 96, 1},
      {14, 112, 672, 1}, {14, 256, 256, 1}, {14, 480, 80, 1}, {10, 256, 512, 1}, {7, 160, 960, 1}, {7, 512, 512, 1},
      {7, 1152, 192, 1}, {5, 512, 512, 1}, {4, 256, 256, 1}, {1, 576, 1024, 1}, {25, 64, 64, 1}, {6, 128, 128, 1},
      {7, 192, 192, 3}, {7, 128, 128, 3}, {56, 128, 128, 3, 1, 32}, {4, 128, 128, 3}, {28, 96, 96, 3, 1, 2},
      {5, 64, 64, 3}, {28, 128, 128, 3, 1, 8},
      {112, 16, 16, 3}, {56, 32, 32, 3}, {32, 16, 16, 3}, {28, 64, 64, 3}, {16, 32, 32, 3}, {14, 128, 128, 3},
      {8, 64, 64, 3}, {7, 256, 256, 3}, {40, 48, 48, 3}, {56, 64, 128, 3, 2}, {28, 128, 256, 3, 2}, {14, 256, 512, 3, 2},
      {32, 16, 32, 3, 2}, {16, 32, 64, 3, 2}, {56, 24, 48, 3, 2}, {56, 64, 128, 1, 2}, {28, 128, 256, 1, 2},
      {14, 256, 512, 1, 2}, {32, 16, 32, 1, 2},
      {160, 3, 16, 3, 2}, {128, 3, 8, 3, 2}, {192, 3, 24, 3, 2}, {96, 3, 16, 3, 2}, {32, 3, 16, 3}, {160, 3, 64, 7, 2},
      {112, 3, 96, 16, 16}, {28, 32, 32, 5}, {14, 96, 96, 5}, {49, 1, 64, 7, 2}, {4, 8, 8, 1}
      // clang-format on
  };
  const std::vector<ConvolutionShape> depthwise{
      // clang-format off
      {112, 32, 32, 3, 1, 32}, {112, 96, 96, 3, 2, 96}, {56, 144, 144, 3, 1, 144}, {28, 192, 192, 3, 1, 192},
      {28, 240, 240, 5, 2, 240}, {14, 384, 384, 3, 1, 384}, {14, 480, 480, 5, 1, 480}, {7, 960, 960, 3, 1, 960},
      {14, 64, 64, 3, 1, 64, 2}, {7, 960, 960, 5, 1, 960},
      {112, 16, 16, 3, 1, 16}, {80, 16, 16, 3, 1, 16}, {64, 8, 8, 3, 1, 8}, {56, 64, 64, 3, 2, 64},
      {56, 144, 144, 3, 2, 144}, {56, 24, 24, 3, 1, 24}, {40, 64, 64, 3, 1, 64}, {28, 192, 192, 3, 2, 192},
      {28, 128, 128, 3, 1, 128}, {28, 120, 120, 5, 1, 120}, {25, 64, 64, 3, 1, 64}, {20, 128, 128, 3, 1, 128},
      {14, 576, 576, 3, 1, 576}, {14, 576, 576, 3, 2, 576}, {14, 256, 256, 3, 1, 256}, {14, 672, 672, 5, 2, 672},
      {10, 256, 256, 3, 1, 256}, {7, 1152, 1152, 5, 1, 1152}, {5, 512, 512, 3, 1, 512}, {8, 32, 32, 3, 1, 32}
      // clang-format on
  };
  convolution(all, "conv", full, type, importance);
  convolution(all, "depthwise", depthwise, type, importance / 2);
}

void elementwise(Catalogue& all, OpKind kind, DataType type, std::size_t inputs, double importance) {
  for (const std::uint64_t elements : all.stream_sizes((inputs + 1) * bits_of(type) / 8)) {
    graph::ElementwiseParams p{.kind = kind, .inputs = {}, .output = {.elements = elements, .type = type}};
    p.inputs.assign(inputs, {.elements = elements, .type = type});
    all.add(graph::elementwise(context(std::string(name_of(kind))), p),
            fmt::format("{}-{}-{}", name_of(kind), name_of(type), elements));
  }
  all.close_key(importance);
}

struct RowsShape {
  std::uint64_t rows, width;
};

// Rows as transformers have them, and streams beyond the cache.
std::vector<RowsShape> row_shapes(const Catalogue& all, std::uint64_t large_width) {
  std::vector<RowsShape> shapes{{1, 256},  {16, 64},   {1, 1000},  {64, 256},  {128, 128},
                                {32, 768}, {196, 196}, {128, 768}, {384, 384}, {768, 64}};
  for (const std::uint64_t times : {3U, 5U}) {
    shapes.push_back({times * all.last_level_bytes() / (2 * sizeof(float) * large_width) + 1, large_width});
  }
  return shapes;
}

void softmax(Catalogue& all) {
  for (const RowsShape& s : row_shapes(all, 512)) {
    all.add(graph::softmax(context("SOFTMAX"), OpKind::kSoftmax, s.rows, s.width, DataType::kFloat32),
            fmt::format("softmax-float32-{}x{}", s.rows, s.width), s.rows);
  }
  all.close_key(1);
}

void normalisation(Catalogue& all, OpKind kind, std::uint64_t parameters_per_column) {
  for (const RowsShape& s : row_shapes(all, 768)) {
    all.add(graph::normalisation(context(std::string(name_of(kind))), {.kind = kind,
                                                                       .elements = s.rows * s.width,
                                                                       .groups = s.rows,
                                                                       .parameters = parameters_per_column * s.width}),
            fmt::format("{}-float32-{}x{}", name_of(kind), s.rows, s.width), s.rows);
  }
  all.close_key(1);
}

void mean(Catalogue& all) {
  for (const RowsShape& s : row_shapes(all, 1024)) {
    all.add(graph::reduction(context("MEAN"), OpKind::kMean, {.elements = s.rows * s.width}, {{.elements = s.rows}}),
            fmt::format("mean-float32-{}x{}", s.rows, s.width), s.rows);
  }
  all.close_key(0.5);
}

void pooling(Catalogue& all, OpKind kind) {
  struct Shape {
    std::uint64_t size, channels, kernel, stride;
  };
  constexpr std::array<Shape, 9> kShapes{{{113, 64, 3, 2},
                                          {56, 128, 2, 2},
                                          {28, 256, 2, 2},
                                          {15, 512, 3, 2},
                                          {35, 192, 3, 1},
                                          {17, 64, 3, 1},
                                          {14, 96, 7, 7},
                                          {24, 16, 2, 2},
                                          {7, 32, 3, 2}}};
  for (const Shape& s : kShapes) {
    const std::uint64_t out = (s.size - s.kernel) / s.stride + 1;
    graph::PoolingParams p{.kind = kind, .in_h = s.size, .in_w = s.size, .channels = s.channels};
    p.out_h = p.out_w = out;
    p.kernel_h = p.kernel_w = s.kernel;
    p.stride_h = p.stride_w = s.stride;
    all.add(graph::pooling(context(kind == OpKind::kMaxPool2d ? "MAX_POOL_2D" : "AVERAGE_POOL_2D"), p),
            fmt::format("{}-float32-{}x{}x{}-k{}s{}", name_of(kind), s.size, s.size, s.channels, s.kernel, s.stride));
  }
  all.close_key(0.5);
}

void batch_matmul(Catalogue& all) {
  struct Shape {
    std::uint64_t products, m, k, n;
  };
  constexpr std::array<Shape, 10> kShapes{{{12, 128, 64, 128},
                                           {12, 128, 128, 64},
                                           {8, 64, 64, 64},
                                           {12, 1, 64, 512},
                                           {12, 1, 512, 64},
                                           {4, 32, 32, 32},
                                           {3, 197, 64, 197},
                                           {3, 197, 197, 64},
                                           {1, 256, 256, 256},
                                           {16, 16, 80, 16}}};
  for (const Shape& s : kShapes) {
    all.add(graph::batch_matmul(context("BATCH_MATMUL"), {.products = s.products, .m = s.m, .k = s.k, .n = s.n}),
            fmt::format("batch_matmul-float32-{}x{}x{}x{}", s.products, s.m, s.k, s.n));
  }
  all.close_key(1);
}

void attention(Catalogue& all) {
  struct Shape {
    std::uint64_t heads, kv_heads, queries, context, depth;
  };
  std::vector<Shape> shapes{{12, 12, 128, 128, 64}, {8, 8, 64, 64, 64},  {4, 4, 32, 32, 32},
                            {3, 3, 197, 197, 64},   {32, 4, 1, 256, 64}, {32, 8, 1, 128, 64},
                            {12, 12, 1, 512, 64},   {8, 2, 16, 256, 64}, {32, 4, 16, 512, 64}};
  // A cache of keys and values that no cache of the CPU holds.
  for (const std::uint64_t times : {3U, 5U}) {
    shapes.push_back({32, 8, 1, times * all.last_level_bytes() / (8 * 64 * 2 * sizeof(float)) / 64 * 64 + 64, 64});
  }
  for (const Shape& s : shapes) {
    all.add(
        graph::attention(
            context("ATTENTION"),
            {.heads = s.heads, .kv_heads = s.kv_heads, .queries = s.queries, .context = s.context, .depth = s.depth}),
        fmt::format("attention-float32-h{}kv{}-{}x{}x{}", s.heads, s.kv_heads, s.queries, s.context, s.depth));
  }
  all.close_key(2);
}

void copy(Catalogue& all) {
  for (const std::uint64_t elements : all.stream_sizes(2 * sizeof(float))) {
    const Tensor tensor{.elements = elements};
    all.add(graph::data_movement(context("COPY"), OpKind::kCopy, {tensor}, {tensor}),
            fmt::format("copy-float32-{}", elements));
  }
  all.close_key(2);
}

void transpose(Catalogue& all) {
  for (const RowsShape& s : row_shapes(all, 1024)) {
    const Tensor tensor{.elements = s.rows * s.width};
    all.add(graph::data_movement(context("TRANSPOSE"), OpKind::kTranspose, {tensor}, {tensor}),
            fmt::format("transpose-float32-{}x{}", s.rows, s.width), s.rows);
  }
  all.close_key(0.5);
}

void embedding(Catalogue& all) {
  struct Shape {
    std::uint64_t rows, width, table;
  };
  const std::uint64_t large = 4 * all.last_level_bytes() / (768 * sizeof(float));
  const std::vector<Shape> shapes{{1, 64, 256},      {32, 64, 512},     {16, 128, 512},
                                  {128, 64, 1000},   {1, 768, large},   {32, 768, large},
                                  {128, 768, large}, {384, 768, large}, {512, 768, large}};
  for (const Shape& s : shapes) {
    const graph::LookupParams p{.kind = OpKind::kEmbedding,
                                .table = {.elements = s.table * s.width, .constant = true},
                                .rows_read = s.rows,
                                .row_elements = s.width,
                                .indices = {.elements = s.rows, .type = DataType::kInt32}};
    all.add(graph::lookup(context("EMBEDDING_LOOKUP"), p),
            fmt::format("embedding-float32-{}x{}-of-{}", s.rows, s.width, s.table));
  }
  all.close_key(0.5);
}

}  // namespace

std::vector<Candidate> candidates(const CandidateOptions& options) {
  Catalogue all(options);
  convolutions(all, DataType::kFloat32, 4);
  dense(all, DataType::kFloat32, DataType::kFloat32, 4);
  copy(all);
  elementwise(all, OpKind::kAdd, DataType::kFloat32, 2, 1);
  convolutions(all, DataType::kInt8, 4);
  dense(all, DataType::kInt8, DataType::kInt8, 4);
  dense(all, DataType::kFloat32, DataType::kInt4, 2);
  attention(all);
  batch_matmul(all);
  softmax(all);
  normalisation(all, OpKind::kLayerNorm, 2);
  normalisation(all, OpKind::kRmsNorm, 1);
  elementwise(all, OpKind::kMul, DataType::kFloat32, 2, 1);
  elementwise(all, OpKind::kRelu, DataType::kFloat32, 1, 1);
  elementwise(all, OpKind::kGelu, DataType::kFloat32, 1, 1);
  elementwise(all, OpKind::kHardSwish, DataType::kFloat32, 1, 1);
  elementwise(all, OpKind::kSilu, DataType::kFloat32, 1, 1);
  elementwise(all, OpKind::kAdd, DataType::kInt8, 2, 1);
  pooling(all, OpKind::kMaxPool2d);
  pooling(all, OpKind::kAveragePool2d);
  mean(all);
  transpose(all);
  embedding(all);
  elementwise(all, OpKind::kRelu6, DataType::kFloat32, 1, 0.5);
  elementwise(all, OpKind::kSigmoid, DataType::kFloat32, 1, 0.5);
  elementwise(all, OpKind::kTanh, DataType::kFloat32, 1, 0.5);
  if (options.has_fp16) {
    dense(all, DataType::kFloat16, DataType::kFloat16, 2);
    elementwise(all, OpKind::kAdd, DataType::kFloat16, 2, 1);
  }
  return all.finish();
}

}  // namespace edgejoule::workloads
