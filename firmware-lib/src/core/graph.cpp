#include "edgejoule/core/graph.h"

#include "edgejoule_wire/graph_generated.h"
#include "wire_file.h"
#include "wire_reader.h"
#include "wire_specs.h"
#include "work.h"

namespace edgejoule {
namespace {

constexpr std::uint32_t kMaxFactColumns = 256;
constexpr std::uint16_t kNoTypeName = 0xFFFFU;

using Root = wire::ModelGraph;

constexpr Error kFine{};

constexpr std::size_t kPerNodeVectors = 9;

// The vectors with one entry per node, some of which may be absent, and the matrix.
Error find_vectors(WireTable file, std::uint32_t size, const std::uint8_t* (&elements)[kPerNodeVectors]) noexcept {
  constexpr std::uint16_t kFields[kPerNodeVectors] = {Root::VT_KINDS,   Root::VT_CLASSES, Root::VT_DATA_TYPES,
                                                      Root::VT_PARENTS, Root::VT_DEPTHS,  Root::VT_WEIGHT_TYPES,
                                                      Root::VT_ENGINES, Root::VT_NAMES,   Root::VT_TYPE_NAME_INDEX};
  constexpr std::size_t kRequired = 5;  // the first ones
  Error error = kFine;
  for (std::size_t i = 0; i < kPerNodeVectors; ++i) {
    const Span<const std::uint8_t> vector = wire_span<std::uint8_t>(file, kFields[i]);  // for its length and place
    elements[i] = vector.data();
    if (vector.data() == nullptr) {
      error = i < kRequired ? Error::kMissingField : error;
    } else if (vector.size() != size && error == kFine) {
      error = Error::kShapeMismatch;
    }
  }
  return error;
}

// Counts of a node in a file may be any 64-bit numbers. In a frame of its own, like the
// next: a node's facts and the path to it need not wait on the stack for each other.
__attribute__((noinline)) Error check_facts(const GraphView& graph, std::uint64_t& unique_weights) noexcept {
  Facts facts;
  OpQuantities op;
  for (std::uint32_t node = 0; node < graph.size(); ++node) {
    graph.read_facts(node, facts);
    if (const Error error = measure(graph.op_class(node), facts, op); error != kFine) {
      return error;
    }
    repeat(op.work, facts[Fact::kRepeats]);
    unique_weights = plus(unique_weights, facts[Fact::kUniqueWeightBytes]);
    if (!fits(op.work) || unique_weights == kTooMany) {
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

Error check_type_names(WireTable file) noexcept {
  const std::uint32_t names = wire_count(file, Root::VT_TYPE_NAMES);
  for (const std::uint16_t index : wire_span<std::uint16_t>(file, Root::VT_TYPE_NAME_INDEX)) {
    if (index != kNoTypeName && index >= names) {
      return Error::kBadIndex;
    }
  }
  return kFine;
}

}  // namespace

// Everything but the facts, in a frame that is gone when these are looked at.
__attribute__((noinline)) Error GraphView::attach(const std::uint8_t* root) noexcept {
  if (wire_number<std::uint16_t>(root, Root::VT_FORMAT_VERSION) != kFormatVersion) {
    return Error::kUnsupportedVersion;
  }
  root_ = root;
  size_ = wire_count(root, Root::VT_KINDS);
  if (size_ == 0) {
    return Error::kMissingField;
  }
  if (size_ > kMaxNodes) {
    return Error::kTooLarge;
  }
  const std::uint8_t* elements[kPerNodeVectors];
  Error error = find_vectors(root, size_, elements);
  const auto fact_ids = wire_span<std::uint16_t>(root, Root::VT_FACT_IDS);
  const auto facts = wire_span<std::uint64_t>(root, Root::VT_FACTS);
  if (error == kFine && (fact_ids.data() == nullptr || facts.data() == nullptr)) {
    error = Error::kMissingField;
  }
  if (error == kFine && fact_ids.size() > kMaxFactColumns) {
    error = Error::kTooLarge;
  }
  if (error == kFine && facts.size() != std::uint64_t{size_} * fact_ids.size()) {
    error = Error::kShapeMismatch;
  }
  if (error != kFine) {
    return error;
  }
  kinds_ = reinterpret_cast<const std::uint16_t*>(elements[0]);
  classes_ = elements[1];
  data_types_ = elements[2];
  parents_ = reinterpret_cast<const std::uint32_t*>(elements[3]);
  depths_ = elements[4];
  weight_types_ = elements[5];
  engines_ = elements[6];
  fact_ids_ = fact_ids.data();
  facts_ = facts.data();
  fact_columns_ = static_cast<std::uint32_t>(fact_ids.size());
  error = check_tree(parents_, depths_, size_);
  if (error == kFine) {
    error = check_columns(fact_ids_, fact_columns_);
  }
  if (error == kFine) {
    error = check_kinds(kinds_, classes_, size_);
  }
  return error == kFine ? check_type_names(root) : error;
}

Result<GraphView> GraphView::open(Span<const std::byte> bytes) noexcept {
  constexpr std::uint32_t kTablesInFile = 2;  // the graph and its source
  // In the caller's place from the start: views are large for small stacks.
  Result<GraphView> view = GraphView();
  const auto root = verify_file(bytes, wire::ModelGraphIdentifier(), wire_specs::graph::kTables, kTablesInFile);
  Error error = root ? view->attach(*root) : root.error();
  if (error == kFine) {
    error = check_facts(*view, view->unique_weight_bytes_);
  }
  if (error != kFine) {
    view = error;
  }
  return view;
}

std::string_view GraphView::model_name() const noexcept {
  return wire_text(root_, Root::VT_NAME);
}

std::string_view GraphView::name(std::uint32_t node) const noexcept {
  const std::uint8_t* names = wire_reference(root_, Root::VT_NAMES);
  return names == nullptr ? std::string_view() : wire_text(wire_item(names, node));
}

std::string_view GraphView::type_name(std::uint32_t node) const noexcept {
  const auto indices = wire_span<std::uint16_t>(root_, Root::VT_TYPE_NAME_INDEX);
  const std::uint16_t index = indices.empty() ? kNoTypeName : indices[node];
  return index == kNoTypeName ? std::string_view() : wire_text(wire_item(root_, Root::VT_TYPE_NAMES, index));
}

std::uint32_t GraphView::note_count() const noexcept {
  const WireTable source = wire_reference(root_, Root::VT_SOURCE);
  return source == nullptr ? 0 : wire_count(source, wire::GraphSource::VT_NOTES);
}

std::string_view GraphView::note(std::uint32_t i) const noexcept {
  return wire_text(wire_item(wire_reference(root_, Root::VT_SOURCE), wire::GraphSource::VT_NOTES, i));
}

std::string_view GraphView::source_format() const noexcept {
  return wire_text_in(root_, Root::VT_SOURCE, wire::GraphSource::VT_FORMAT);
}
std::string_view GraphView::source_file() const noexcept {
  return wire_text_in(root_, Root::VT_SOURCE, wire::GraphSource::VT_FILE);
}
std::string_view GraphView::source_sha256() const noexcept {
  return wire_text_in(root_, Root::VT_SOURCE, wire::GraphSource::VT_SHA256);
}

Facts GraphView::facts(std::uint32_t node) const noexcept {
  Facts facts;
  read_facts(node, facts);
  return facts;
}

void GraphView::read_facts(std::uint32_t node, Facts& facts) const noexcept {
  if constexpr (sizeof(void*) > 4) {
    static constexpr Facts kDefaults;
    facts = kDefaults;
  } else {
    facts.reset();  // half a kilobyte of constants less
  }
  const std::uint64_t* row = facts_ + std::size_t{node} * fact_columns_;
  for (std::uint32_t column = 0; column < fact_columns_; ++column) {
    if (fact_ids_[column] < kFactCount) {
      facts.set(static_cast<Fact>(fact_ids_[column]), row[column]);
    }
  }
}

}  // namespace edgejoule
