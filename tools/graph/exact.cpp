#include "graph/exact.h"

#include <fmt/format.h>

#include "graph/graph_builder.h"

namespace edgejoule::graph {

std::uint64_t Exact::bytes(std::uint64_t elements, DataType type) const {
  const std::uint64_t bits = bits_of(type);
  return bits < 8 ? elements / 8 * bits + (elements % 8 * bits + 7) / 8 : mul(elements, bits / 8);
}

void Exact::refuse() const {
  throw GraphError(fmt::format("op '{}': a count exceeds 64 bits; its dimensions are damaged or not meant", op_name_));
}

}  // namespace edgejoule::graph
