// Opens bytes that are no table and expects the error that says so.
#include <cstddef>
#include <cstdio>

#include "edgejoule/core/graph.h"
#include "edgejoule/core/predictor.h"
#include "edgejoule/core/table.h"
#include "edgejoule/sensors/ina_reader.h"

static_assert(__cplusplus >= 201703L, "the target asks for C++17");

int main() {
  alignas(8) const std::byte bytes[16] = {};
  const auto table = edgejoule::CoefficientTable::open(bytes);
  if (table.ok() || table.error() != edgejoule::Error::kWrongIdentifier) {
    return 1;
  }
  std::puts(edgejoule::error_text(table.error()));
  return 0;
}
