// The shape, type and, where small and needed for shapes, the numbers of what each
// ONNX node makes.
//
// Own rules first: they are exact, hold for every opset and cannot be made to fail by
// a damaged file. What they leave open comes from the file's own statements, then from
// libonnx (library.h).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "import/onnx/graph.h"

namespace edgejoule::import {

// Beyond any tensor there is; keeps sums and products of two within 64 bits.
inline constexpr std::int64_t kMaxExtent = std::int64_t{1} << 30U;

class OnnxShapes {
 public:
  explicit OnnxShapes(std::vector<OnnxValue>& values, std::uint64_t& bounded_results)
      : values_(values), bounded_results_(bounded_results) {}

  // Fills the outputs of the step as far as the operands tell.
  void infer(const OnnxStep& step);

 private:
  [[nodiscard]] const Dims* dims(const OnnxStep& step, std::size_t input) const;
  [[nodiscard]] const OnnxNumbers* numbers(const OnnxStep& step, std::size_t input) const;
  [[nodiscard]] DataType type(const OnnxStep& step, std::size_t input) const;
  [[nodiscard]] std::optional<std::vector<std::int64_t>> integers(const OnnxStep& step, std::size_t input) const;
  // An attribute that later opsets made an input.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> integers(const OnnxStep& step, const char* attribute,
                                                                  std::size_t input) const;
  void set(const OnnxStep& step, std::size_t output, std::optional<Dims> result, DataType data_type);
  void set_numbers(const OnnxStep& step, OnnxNumbers result);

  void general(const OnnxStep& step);
  void product(const OnnxStep& step);
  void arithmetic(const OnnxStep& step);
  void constant(const OnnxStep& step);
  void shape_of(const OnnxStep& step);
  void reshape(const OnnxStep& step);
  void squeeze(const OnnxStep& step);
  void unsqueeze(const OnnxStep& step);
  void concatenation(const OnnxStep& step, std::size_t first, std::size_t stride);
  void split(const OnnxStep& step);
  void slice(const OnnxStep& step);
  void pad(const OnnxStep& step);
  void resize(const OnnxStep& step);
  void gather(const OnnxStep& step);
  void gather_nd(const OnnxStep& step);
  void reduce(const OnnxStep& step);
  void top_k(const OnnxStep& step);
  void range(const OnnxStep& step);
  void copy_numbers(const OnnxStep& step);

  void convolution(const OnnxStep& step);
  void transposed_convolution(const OnnxStep& step);
  void pool(const OnnxStep& step);
  void gemm(const OnnxStep& step);
  void matmul(const OnnxStep& step);
  void einsum(const OnnxStep& step);
  void attention(const OnnxStep& step);
  void recurrent(const OnnxStep& step);

  std::vector<OnnxValue>& values_;
  std::uint64_t& bounded_results_;
};

// An Einsum as its three subscript lists, dots and spaces resolved; nothing where the
// equation is malformed, has other than two operands or does not fit their ranks.
struct EinsumTerms {
  std::string left, right, result;
};
[[nodiscard]] std::optional<EinsumTerms> einsum_terms(std::string_view equation, std::size_t left_rank,
                                                      std::size_t right_rank);

}  // namespace edgejoule::import
