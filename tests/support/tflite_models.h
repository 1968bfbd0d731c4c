// Small TFLite models written for tests: each is a kind of file that converters make.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace edgejoule::test {

struct TfliteModel {
  std::string name;
  std::vector<std::uint8_t> bytes;
};

// A convolutional classifier in int8 with per-channel scales and Keras scopes.
[[nodiscard]] std::vector<std::uint8_t> tflite_cnn();
// The same with no shape on any result.
[[nodiscard]] std::vector<std::uint8_t> tflite_cnn_without_shapes();
// The same with its constants behind the FlatBuffer (Buffer.offset and size).
[[nodiscard]] std::vector<std::uint8_t> tflite_cnn_with_appended_weights();
// A WHILE that counts to ten by twos, an IF and a CALL_ONCE.
[[nodiscard]] std::vector<std::uint8_t> tflite_control_flow();
// LSTM in all variants, RNN, SVDF.
[[nodiscard]] std::vector<std::uint8_t> tflite_recurrent();
// One attention head: dense layers, batch products, softmax, GELU.
[[nodiscard]] std::vector<std::uint8_t> tflite_attention();
// Two custom operators and a builtin code nobody has defined yet.
[[nodiscard]] std::vector<std::uint8_t> tflite_custom_ops();
// Every builtin code once, on the same two tensors.
[[nodiscard]] std::vector<std::uint8_t> tflite_all_codes();

// All of the above, named.
[[nodiscard]] std::vector<TfliteModel> tflite_models();

}  // namespace edgejoule::test
