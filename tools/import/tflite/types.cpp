#include "import/tflite/types.h"

namespace edgejoule::import {

using tflite_wire::TensorType;

DataType data_type_of(TensorType type) noexcept {
  switch (type) {
    case TensorType::float32: return DataType::kFloat32;
    case TensorType::float16: return DataType::kFloat16;
    case TensorType::int32: return DataType::kInt32;
    case TensorType::uint8: return DataType::kUint8;
    case TensorType::int64: return DataType::kInt64;
    case TensorType::string: return DataType::kString;
    case TensorType::boolean: return DataType::kBoolean;
    case TensorType::int16: return DataType::kInt16;
    case TensorType::complex64: return DataType::kComplex64;
    case TensorType::int8: return DataType::kInt8;
    case TensorType::float64: return DataType::kFloat64;
    case TensorType::uint64: return DataType::kUint64;
    case TensorType::uint32: return DataType::kUint32;
    case TensorType::uint16: return DataType::kUint16;
    case TensorType::int4: return DataType::kInt4;
    case TensorType::bfloat16: return DataType::kBfloat16;
    case TensorType::uint4: return DataType::kUint4;
    case TensorType::float8_e4m3fn:
    case TensorType::float8_e5m2: return DataType::kFloat8;
    case TensorType::complex128:
    case TensorType::resource:
    case TensorType::variant:
    case TensorType::int2: return DataType::kUnknown;
  }
  return DataType::kUnknown;  // a type newer than this build
}

std::uint32_t bits_of(TensorType type) noexcept {
  if (type == TensorType::complex128) return 128;
  if (type == TensorType::int2) return 2;
  return edgejoule::bits_of(data_type_of(type));
}

}  // namespace edgejoule::import
