// Small ONNX models written for tests: each is a kind of file that exporters make.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace edgejoule::test {

struct OnnxModel {
  std::string name;
  std::vector<std::uint8_t> bytes;
};

// A convolutional classifier; the batch is open and called "N".
[[nodiscard]] std::vector<std::uint8_t> onnx_cnn();
// Two transformer layers with PyTorch's scopes; "batch" and "sequence" are open.
[[nodiscard]] std::vector<std::uint8_t> onnx_transformer();
// DequantizeLinear, Conv, Relu, QuantizeLinear; QLinearConv; MatMulInteger; MatMulNBits.
[[nodiscard]] std::vector<std::uint8_t> onnx_quantised();
// An If of two sizes, a Loop of three passes, a Scan over five elements.
[[nodiscard]] std::vector<std::uint8_t> onnx_control_flow();
// A function called twice, with an attribute of the call; one function calls another.
[[nodiscard]] std::vector<std::uint8_t> onnx_functions();
// LSTM in both directions, GRU, RNN.
[[nodiscard]] std::vector<std::uint8_t> onnx_recurrent();
// What ONNX Runtime's optimiser writes: attention, skip normalisation, fused products.
[[nodiscard]] std::vector<std::uint8_t> onnx_contributed();
// An operator nobody knows and one that only libonnx knows the shape of.
[[nodiscard]] std::vector<std::uint8_t> onnx_unknown();
// Every operator named, once, on the same operands; (domain, operator) each.
[[nodiscard]] std::vector<std::uint8_t> onnx_all_ops(const std::vector<std::pair<std::string, std::string>>& operators);

// All of the above but the last, named.
[[nodiscard]] std::vector<OnnxModel> onnx_models();

}  // namespace edgejoule::test
