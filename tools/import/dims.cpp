#include "import/dims.h"

namespace edgejoule::import {

bool is_float(DataType type) {
  return type == DataType::kFloat32 || type == DataType::kFloat16 || type == DataType::kBfloat16;
}
bool is_narrow_integer(DataType type) {
  return type == DataType::kInt8 || type == DataType::kUint8 || type == DataType::kInt4 || type == DataType::kUint4;
}

}  // namespace edgejoule::import
