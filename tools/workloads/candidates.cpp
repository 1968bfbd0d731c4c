// The catalogue: shapes of the sizes networks have, spread over footprints below and
// above the last-level cache.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "workloads/workload.h"

namespace edgejoule::workloads {
namespace {

using graph::OpNode;
using graph::Tensor;

// A footprint near the size of the cache is neither one thing nor the other.
constexpr std::uint64_t kClear = 2;

class Catalogue {
 public:
  explicit Catalogue(const CandidateOptions& options) : options_(options) {}

  void dense(DataType type, DataType weight) {
    struct Shape {
      std::uint64_t m, k, n;
    };
    const std::string types =
        weight == type ? std::string(name_of(type)) : fmt::format("{}x{}", name_of(type), name_of(weight));
    std::vector<Shape> shapes{{1, 128, 64},    {1, 256, 256},   {1, 512, 512},   {1, 1024, 1024}, {1, 2048, 512},
                              {1, 768, 3072},  {16, 256, 256},  {64, 64, 64},    {64, 512, 128},  {128, 768, 768},
                              {196, 128, 512}, {256, 256, 256}, {384, 384, 384}, {32, 2048, 256}, {512, 64, 512}};
    // Weights that no cache holds: what decoding a language model is made of.
    const std::uint64_t bits = bits_of(weight);
    for (const std::uint64_t times : {3U, 5U, 8U}) {
      const std::uint64_t k = 1024 * (times == 5 ? 3 : 2);
      const std::uint64_t rows = times * options_.last_level_bytes * 8 / (bits * k);
      shapes.push_back({1, k, round_up(rows, 64)});
    }
    for (const Shape& s : shapes) {
      graph::DenseParams p{.m = s.m, .k = s.k, .n = s.n};
      p.types.input = type;
      p.types.weight = weight;
      if (weight == DataType::kInt8) p.weights = {.scales = s.n};
      if (weight == DataType::kInt4) p.weights = {.scales = s.n * s.k / 32, .scale_type = DataType::kFloat16};
      add(graph::dense(context("DENSE"), p), fmt::format("dense-{}-{}x{}x{}", types, s.m, s.k, s.n));
    }
    close_key();
  }

  void elementwise(OpKind kind, DataType type, std::size_t inputs) {
    for (const std::uint64_t elements : stream_sizes((inputs + 1) * bits_of(type) / 8)) {
      graph::ElementwiseParams p{.kind = kind, .inputs = {}, .output = {.elements = elements, .type = type}};
      p.inputs.assign(inputs, {.elements = elements, .type = type});
      add(graph::elementwise(context("ELEMENTWISE"), p),
          fmt::format("{}-{}-{}", name_of(kind), name_of(type), elements));
    }
    close_key();
  }

  void copy() {
    for (const std::uint64_t elements : stream_sizes(2 * sizeof(float))) {
      const Tensor tensor{.elements = elements};
      add(graph::data_movement(context("COPY"), OpKind::kCopy, {tensor}, {tensor}),
          fmt::format("copy-float32-{}", elements));
    }
    close_key();
  }

  [[nodiscard]] std::vector<Candidate> finish() { return std::move(out_); }

 private:
  static graph::OpContext context(std::string type_name) { return {.name = {}, .type_name = std::move(type_name)}; }
  static std::uint64_t round_up(std::uint64_t value, std::uint64_t to) { return (value + to - 1) / to * to; }

  // Element counts from a kilobyte to several times the cache, the latter twice.
  [[nodiscard]] std::vector<std::uint64_t> stream_sizes(std::uint64_t bytes_per_element) const {
    std::vector<std::uint64_t> sizes;
    for (const std::uint64_t elements : {1024U, 3136U, 12544U, 50176U, 100352U, 200704U}) sizes.push_back(elements);
    for (const std::uint64_t times : {3U, 6U}) {
      sizes.push_back(round_up(times * options_.last_level_bytes / bytes_per_element, 1024));
    }
    return sizes;
  }

  // With one thread and with all there are.
  void add(OpNode op, const std::string& name) {
    const Facts& facts = op.facts;
    const std::uint64_t bytes = facts[Fact::kInputBytes] + facts[Fact::kOutputBytes] + facts[Fact::kWeightBytes];
    if (bytes > options_.memory_bytes / kClear) return;
    if (bytes > options_.last_level_bytes / kClear && bytes < options_.last_level_bytes * kClear) return;
    op.name = name;
    for (const int threads : {1, options_.max_threads}) {
      pending_.push_back({.workload = {.name = fmt::format("{}-t{}", name, threads), .op = op, .threads = threads}});
      if (options_.max_threads <= 1) break;
    }
  }

  // Every fifth of a key is kept for validation, never its smallest or largest.
  void close_key() {
    for (const int threads : {1, options_.max_threads}) {
      std::vector<Candidate> key;
      std::copy_if(pending_.begin(), pending_.end(), std::back_inserter(key),
                   [threads](const Candidate& c) { return c.workload.threads == threads; });
      for (std::size_t i = 2; i + 1 < key.size(); i += 5) key[i].held_out = true;
      std::move(key.begin(), key.end(), std::back_inserter(out_));
      if (options_.max_threads <= 1) break;
    }
    pending_.clear();
  }

  CandidateOptions options_;
  std::vector<Candidate> pending_;  // of one key
  std::vector<Candidate> out_;
};

}  // namespace

std::vector<Candidate> candidates(const CandidateOptions& options) {
  Catalogue all(options);
  all.dense(DataType::kFloat32, DataType::kFloat32);
  all.dense(DataType::kInt8, DataType::kInt8);
  all.dense(DataType::kFloat32, DataType::kInt4);
  all.elementwise(OpKind::kAdd, DataType::kFloat32, 2);
  all.elementwise(OpKind::kRelu, DataType::kFloat32, 1);
  all.elementwise(OpKind::kAdd, DataType::kInt8, 2);
  all.copy();
  return all.finish();
}

bool has_fp16() {
  return false;
}

}  // namespace edgejoule::workloads
