// TFLite's tensor types in our vocabulary.
#pragma once

#include <cstdint>

#include "edgejoule/core/op_kinds.h"
#include "schemas/tflite_wire_generated.h"

namespace edgejoule::import {

// kUnknown for resources, variants and types this build does not know.
[[nodiscard]] DataType data_type_of(tflite_wire::TensorType type) noexcept;

// Bits of one stored element, packed types included; 0 where that has no answer.
[[nodiscard]] std::uint32_t bits_of(tflite_wire::TensorType type) noexcept;

}  // namespace edgejoule::import
