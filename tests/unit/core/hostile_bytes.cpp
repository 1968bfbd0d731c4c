#include "hostile_bytes.h"

#include <cstring>

#include "schemas/graph_generated.h"

namespace edgejoule::test {
files::FileBytes shift_vector_of_longs(const files::FileBytes& graph_file) {
  // Append a copy of the vector, its elements at 4 modulo 8, and point the field at it.
  const auto* root = wire::GetModelGraph(graph_file.span().data());
  const auto* vector = root->facts();
  const std::size_t vector_bytes = 4 + 8 * std::size_t{vector->size()};
  std::size_t at = (graph_file.size() + 7) / 8 * 8;  // the length at 0 modulo 8
  files::FileBytes shifted(at + vector_bytes);
  std::memcpy(shifted.data(), graph_file.span().data(), graph_file.size());
  std::memcpy(shifted.data() + at, vector, vector_bytes);
  const auto* table = reinterpret_cast<const flatbuffers::Table*>(root);
  const std::uint8_t* field = table->GetAddressOf(wire::ModelGraph::VT_FACTS);
  const auto field_at =
      static_cast<std::size_t>(field - reinterpret_cast<const std::uint8_t*>(graph_file.span().data()));
  const auto offset = static_cast<std::uint32_t>(at - field_at);
  std::memcpy(shifted.data() + field_at, &offset, sizeof offset);
  return shifted;
}

}  // namespace edgejoule::test
