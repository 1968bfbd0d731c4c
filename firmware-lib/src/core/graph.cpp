#include "edgejoule/core/graph.h"

#include "edgejoule/core/features.h"
#include "edgejoule_wire/graph_generated.h"
#include "wire_file.h"

namespace edgejoule {
namespace {

constexpr std::uint32_t kMaxFactColumns = 256;
constexpr std::uint16_t kNoTypeName = 0xFFFFU;

const wire::ModelGraph* graph_of(const std::uint8_t* root) noexcept {
  return reinterpret_cast<const wire::ModelGraph*>(root);
}

template <class T, class Stored>
const T* elements_of(const flatbuffers::Vector<Stored>* vector) noexcept {
  static_assert(sizeof(T) == sizeof(Stored));
  return vector == nullptr ? nullptr : reinterpret_cast<const T*>(vector->Data());
}

template <class Vector>
bool absent_or_sized(const Vector* vector, std::uint32_t size) noexcept {
  return vector == nullptr || vector->size() == size;
}

// Counts of a node in a file may be any 64-bit numbers.
Result<std::uint64_t> check_facts(const GraphView& graph) noexcept {
  std::uint64_t unique_weights = 0;
  for (std::uint32_t node = 0; node < graph.size(); ++node) {
    const Facts facts = graph.facts(node);
    const Result<OpQuantities> measured = measure_op(graph.op_class(node), facts);
    if (!measured) {
      return measured.error();
    }
    if (const Result<WorkCounts> all = count_work(graph.op_class(node), facts); !all) {
      return all.error();
    }
    if (__builtin_add_overflow(unique_weights, facts[Fact::kUniqueWeightBytes], &unique_weights)) {
      return Error::kOverflow;
    }
  }
  return unique_weights;
}

// Preorder: the ancestors of the node before are the only parents a node can have.
Status check_tree(const std::uint32_t* parents, const std::uint8_t* depths, std::uint32_t size) noexcept {
  std::uint32_t path[kMaxDepth + 1];  // the node at each depth on the way to the current one
  if (parents[0] != kNoParent) {
    return parents[0] >= size ? Error::kBadIndex : Error::kParentCycle;
  }
  if (depths[0] != 0) {
    return Error::kBadRange;
  }
  path[0] = 0;
  for (std::uint32_t node = 1; node < size; ++node) {
    if (parents[node] >= size) {
      return Error::kBadIndex;
    }
    if (parents[node] >= node) {
      return Error::kParentCycle;
    }
    const std::uint8_t depth = depths[node];
    if (depth > kMaxDepth) {
      return Error::kTooDeep;
    }
    if (depth == 0 || depth > depths[node - 1] + 1 || path[depth - 1] != parents[node]) {
      return Error::kBadRange;
    }
    path[depth] = node;
  }
  return {};
}

Status check_columns(const std::uint16_t* ids, std::uint32_t columns) noexcept {
  std::uint64_t seen = 0;
  static_assert(kFactCount <= 64);
  for (std::uint32_t column = 0; column < columns; ++column) {
    if (ids[column] >= kFactCount) {
      continue;  // a fact newer than this build: nothing here can use it
    }
    const std::uint64_t bit = std::uint64_t{1} << ids[column];
    if ((seen & bit) != 0) {
      return Error::kBadRange;
    }
    seen |= bit;
  }
  return {};
}

Status check_kinds(const std::uint16_t* kinds, const std::uint8_t* classes, std::uint32_t size) noexcept {
  for (std::uint32_t node = 0; node < size; ++node) {
    const bool by_class = static_cast<OpClass>(classes[node]) == OpClass::kModule;
    if (by_class != is_module(static_cast<OpKind>(kinds[node]))) {
      return Error::kBadRange;
    }
  }
  return {};
}

Status check_type_names(const wire::ModelGraph& file, std::uint32_t size) noexcept {
  if (file.type_name_index() == nullptr) {
    return {};
  }
  if (file.type_name_index()->size() != size) {
    return Error::kShapeMismatch;
  }
  const std::uint32_t names = file.type_names() == nullptr ? 0 : file.type_names()->size();
  const auto* index = elements_of<std::uint16_t>(file.type_name_index());
  for (std::uint32_t node = 0; node < size; ++node) {
    if (index[node] != kNoTypeName && index[node] >= names) {
      return Error::kBadIndex;
    }
  }
  return {};
}

}  // namespace

Result<GraphView> GraphView::open(Span<const std::byte> bytes) noexcept {
  constexpr std::uint32_t kTablesInFile = 2;  // the graph and its source
  const auto verified =
      verify_file<wire::ModelGraph>(bytes, wire::ModelGraphIdentifier(), kTablesInFile, kTablesInFile);
  if (!verified) {
    return verified.error();
  }
  const wire::ModelGraph& file = **verified;
  if (file.format_version() != kFormatVersion) {
    return Error::kUnsupportedVersion;
  }
  if (file.kinds() == nullptr || file.classes() == nullptr || file.data_types() == nullptr ||
      file.parents() == nullptr || file.depths() == nullptr || file.fact_ids() == nullptr || file.facts() == nullptr ||
      file.kinds()->size() == 0) {
    return Error::kMissingField;
  }
  const std::uint32_t size = file.kinds()->size();
  const std::uint32_t columns = file.fact_ids()->size();
  if (size > kMaxNodes || columns > kMaxFactColumns) {
    return Error::kTooLarge;
  }
  if (file.classes()->size() != size || file.data_types()->size() != size || file.parents()->size() != size ||
      file.depths()->size() != size || !absent_or_sized(file.weight_types(), size) ||
      !absent_or_sized(file.engines(), size) || !absent_or_sized(file.names(), size) ||
      file.facts()->size() != std::uint64_t{size} * columns) {
    return Error::kShapeMismatch;
  }

  GraphView view;
  view.root_ = reinterpret_cast<const std::uint8_t*>(&file);
  view.kinds_ = elements_of<std::uint16_t>(file.kinds());
  view.classes_ = elements_of<std::uint8_t>(file.classes());
  view.data_types_ = elements_of<std::uint8_t>(file.data_types());
  view.weight_types_ = elements_of<std::uint8_t>(file.weight_types());
  view.parents_ = elements_of<std::uint32_t>(file.parents());
  view.depths_ = elements_of<std::uint8_t>(file.depths());
  view.engines_ = elements_of<std::uint8_t>(file.engines());
  view.facts_ = elements_of<std::uint64_t>(file.facts());
  view.fact_ids_ = elements_of<std::uint16_t>(file.fact_ids());
  view.fact_columns_ = columns;
  view.size_ = size;
  // The verifier aligns a vector's length, not its elements.
  if (columns != 0 && !is_aligned(view.facts_)) {  // an empty vector has no elements to align
    return Error::kCorrupt;
  }
  for (const Status& status : {check_tree(view.parents_, view.depths_, size), check_columns(view.fact_ids_, columns),
                               check_kinds(view.kinds_, view.classes_, size), check_type_names(file, size)}) {
    if (!status) {
      return status.error();
    }
  }
  const Result<std::uint64_t> unique_weights = check_facts(view);
  if (!unique_weights) {
    return unique_weights.error();
  }
  view.unique_weight_bytes_ = *unique_weights;
  return view;
}

std::string_view GraphView::model_name() const noexcept {
  return text_of(graph_of(root_)->name());
}

std::string_view GraphView::name(std::uint32_t node) const noexcept {
  const auto* names = graph_of(root_)->names();
  return names == nullptr ? std::string_view() : text_of(names->Get(node));
}

std::string_view GraphView::type_name(std::uint32_t node) const noexcept {
  const wire::ModelGraph& file = *graph_of(root_);
  if (file.type_name_index() == nullptr) {
    return {};
  }
  const std::uint16_t index = file.type_name_index()->Get(node);
  return index == kNoTypeName ? std::string_view() : text_of(file.type_names()->Get(index));
}

std::uint32_t GraphView::note_count() const noexcept {
  const auto* source = graph_of(root_)->source();
  return source == nullptr || source->notes() == nullptr ? 0 : source->notes()->size();
}

std::string_view GraphView::note(std::uint32_t i) const noexcept {
  return text_of(graph_of(root_)->source()->notes()->Get(i));
}

namespace {
const flatbuffers::String* source_field(const std::uint8_t* root,
                                        const flatbuffers::String* (wire::GraphSource::*field)() const) noexcept {
  const auto* source = graph_of(root)->source();
  return source == nullptr ? nullptr : (source->*field)();
}
}  // namespace

std::string_view GraphView::source_format() const noexcept {
  return text_of(source_field(root_, &wire::GraphSource::format));
}
std::string_view GraphView::source_file() const noexcept {
  return text_of(source_field(root_, &wire::GraphSource::file));
}
std::string_view GraphView::source_sha256() const noexcept {
  return text_of(source_field(root_, &wire::GraphSource::sha256));
}

Facts GraphView::facts(std::uint32_t node) const noexcept {
  Facts facts;
  const std::uint64_t* row = facts_ + std::size_t{node} * fact_columns_;
  for (std::uint32_t column = 0; column < fact_columns_; ++column) {
    if (fact_ids_[column] < kFactCount) {
      facts.set(static_cast<Fact>(fact_ids_[column]), row[column]);
    }
  }
  return facts;
}

}  // namespace edgejoule
