#include "edgejoule/core/graph.h"

#include "edgejoule_wire/graph_generated.h"
#include "wire_file.h"
#include "wire_specs.h"
#include "work.h"

namespace edgejoule {
namespace {

constexpr std::uint32_t kMaxFactColumns = 256;
constexpr std::uint16_t kNoTypeName = 0xFFFFU;

const wire::ModelGraph* graph_of(const std::uint8_t* root) noexcept {
  return reinterpret_cast<const wire::ModelGraph*>(root);
}

constexpr Error kFine{};

constexpr std::size_t kPerNodeVectors = 9;

// The vectors with one entry per node, some of which may be absent, and the matrix.
Error find_vectors(const wire::ModelGraph& file, const std::uint8_t* (&elements)[kPerNodeVectors]) noexcept {
  using File = wire::ModelGraph;
  using AnyVector = flatbuffers::Vector<std::uint8_t>;  // for its length and place, whatever its elements
  constexpr std::uint16_t kFields[kPerNodeVectors] = {File::VT_KINDS,   File::VT_CLASSES, File::VT_DATA_TYPES,
                                                      File::VT_PARENTS, File::VT_DEPTHS,  File::VT_WEIGHT_TYPES,
                                                      File::VT_ENGINES, File::VT_NAMES,   File::VT_TYPE_NAME_INDEX};
  constexpr std::size_t kRequired = 5;  // the first ones
  const auto& table = reinterpret_cast<const flatbuffers::Table&>(file);
  const std::uint32_t size = file.kinds()->size();
  Error error = file.fact_ids() == nullptr || file.facts() == nullptr ? Error::kMissingField : kFine;
  for (std::size_t i = 0; i < kPerNodeVectors; ++i) {
    const auto* vector = table.GetPointer<const AnyVector*>(kFields[i]);
    if (vector == nullptr) {
      error = i < kRequired ? Error::kMissingField : error;
      continue;
    }
    elements[i] = vector->Data();
    if (vector->size() != size && error == kFine) {
      error = Error::kShapeMismatch;
    }
  }
  if (error != kFine) {
    return error;
  }
  if (file.fact_ids()->size() > kMaxFactColumns) {
    return Error::kTooLarge;
  }
  return file.facts()->size() == std::uint64_t{size} * file.fact_ids()->size() ? kFine : Error::kShapeMismatch;
}

// Counts of a node in a file may be any 64-bit numbers. In a frame of its own, like the
// next: a node's facts and the path to it need not wait on the stack for each other.
__attribute__((noinline)) Error check_facts(const GraphView& graph, std::uint64_t& unique_weights) noexcept {
  Checked exact;
  for (std::uint32_t node = 0; node < graph.size(); ++node) {
    const Facts facts = graph.facts(node);
    OpQuantities op;
    if (const Error error = measure(graph.op_class(node), facts, op); error != kFine) {
      return error;
    }
    repeat(op.work, facts[Fact::kRepeats], exact);
    unique_weights = exact.add(unique_weights, facts[Fact::kUniqueWeightBytes]);
    if (exact.overflowed()) {
      return Error::kOverflow;
    }
  }
  return kFine;
}

// Preorder: the ancestors of the node before are the only parents a node can have.
__attribute__((noinline)) Error check_tree(const std::uint32_t* parents, const std::uint8_t* depths,
                                           std::uint32_t size) noexcept {
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
  return kFine;
}

Error check_columns(const std::uint16_t* ids, std::uint32_t columns) noexcept {
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
  return kFine;
}

Error check_kinds(const std::uint16_t* kinds, const std::uint8_t* classes, std::uint32_t size) noexcept {
  for (std::uint32_t node = 0; node < size; ++node) {
    const bool by_class = static_cast<OpClass>(classes[node]) == OpClass::kModule;
    if (by_class != is_module(static_cast<OpKind>(kinds[node]))) {
      return Error::kBadRange;
    }
  }
  return kFine;
}

Error check_type_names(const wire::ModelGraph& file) noexcept {
  if (file.type_name_index() == nullptr) {
    return kFine;
  }
  const std::uint32_t names = file.type_names() == nullptr ? 0 : file.type_names()->size();
  for (const std::uint16_t index : *file.type_name_index()) {
    if (index != kNoTypeName && index >= names) {
      return Error::kBadIndex;
    }
  }
  return kFine;
}

}  // namespace

Result<GraphView> GraphView::open(Span<const std::byte> bytes) noexcept {
  constexpr std::uint32_t kTablesInFile = 2;  // the graph and its source
  const auto root = verify_file(bytes, wire::ModelGraphIdentifier(), wire_specs::graph::kTables, kTablesInFile);
  if (!root) {
    return root.error();
  }
  const wire::ModelGraph& file = *graph_of(*root);
  if (file.format_version() != kFormatVersion) {
    return Error::kUnsupportedVersion;
  }
  if (file.kinds() == nullptr || file.kinds()->size() == 0) {
    return Error::kMissingField;
  }
  GraphView view;
  view.root_ = *root;
  view.size_ = file.kinds()->size();
  if (view.size_ > kMaxNodes) {
    return Error::kTooLarge;
  }
  const std::uint8_t* elements[kPerNodeVectors] = {};
  Error error = find_vectors(file, elements);
  if (error != kFine) {
    return error;
  }
  view.kinds_ = reinterpret_cast<const std::uint16_t*>(elements[0]);
  view.classes_ = elements[1];
  view.data_types_ = elements[2];
  view.parents_ = reinterpret_cast<const std::uint32_t*>(elements[3]);
  view.depths_ = elements[4];
  view.weight_types_ = elements[5];
  view.engines_ = elements[6];
  view.fact_ids_ = reinterpret_cast<const std::uint16_t*>(file.fact_ids()->Data());
  view.facts_ = reinterpret_cast<const std::uint64_t*>(file.facts()->Data());
  view.fact_columns_ = file.fact_ids()->size();
  error = check_tree(view.parents_, view.depths_, view.size_);
  if (error == kFine) {
    error = check_columns(view.fact_ids_, view.fact_columns_);
  }
  if (error == kFine) {
    error = check_kinds(view.kinds_, view.classes_, view.size_);
  }
  if (error == kFine) {
    error = check_type_names(file);
  }
  if (error == kFine) {
    error = check_facts(view, view.unique_weight_bytes_);
  }
  if (error != kFine) {
    return error;
  }
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
