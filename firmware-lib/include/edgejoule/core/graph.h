// A verified view of an EJG1 model graph.
//
// Lifetime: views the caller's bytes, which must outlive it and start on an 8-byte
// boundary. Node 0 is the root; nodes stand in preorder: a parent before its
// children, the nodes of a subtree side by side.
// Errors (open): kMisaligned, kTruncated, kWrongIdentifier, kUnsupportedVersion,
// kCorrupt, kMissingField, kShapeMismatch, kBadIndex, kParentCycle, kTooDeep,
// kTooLarge, kOverflow, kBadRange.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "edgejoule/core/facts.h"
#include "edgejoule/core/op_kinds.h"
#include "edgejoule/core/result.h"
#include "edgejoule/core/span.h"

namespace edgejoule {

inline constexpr std::uint32_t kNoParent = 0xFFFFFFFFU;
inline constexpr std::uint8_t kMaxDepth = 64;
inline constexpr std::uint32_t kMaxNodes = 1U << 24U;

class GraphView {
 public:
  // Verifies structure and meaning once, in time linear in the number of nodes
  // and without memory of its own.
  [[nodiscard]] static Result<GraphView> open(Span<const std::byte> bytes) noexcept;

  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
  [[nodiscard]] std::string_view model_name() const noexcept;
  [[nodiscard]] std::uint64_t unique_weight_bytes() const noexcept { return unique_weight_bytes_; }

  // Where the graph came from; "" where the file does not say.
  [[nodiscard]] std::string_view source_format() const noexcept;
  [[nodiscard]] std::string_view source_file() const noexcept;
  [[nodiscard]] std::string_view source_sha256() const noexcept;
  // What the import had to assume, one sentence each.
  [[nodiscard]] std::uint32_t note_count() const noexcept;
  [[nodiscard]] std::string_view note(std::uint32_t i) const noexcept;

  // Precondition of all below: node < size(). Numbers newer than this build are
  // passed on as they are: class_of() and name_of() answer for them.
  [[nodiscard]] OpKind kind(std::uint32_t node) const noexcept { return static_cast<OpKind>(kinds_[node]); }
  [[nodiscard]] OpClass op_class(std::uint32_t node) const noexcept { return static_cast<OpClass>(classes_[node]); }
  [[nodiscard]] DataType data_type(std::uint32_t node) const noexcept {
    return static_cast<DataType>(data_types_[node]);
  }
  [[nodiscard]] DataType weight_type(std::uint32_t node) const noexcept {
    return weight_types_ == nullptr ? DataType::kUnknown : static_cast<DataType>(weight_types_[node]);
  }
  [[nodiscard]] std::uint32_t parent(std::uint32_t node) const noexcept { return parents_[node]; }  // kNoParent: root
  [[nodiscard]] std::uint8_t depth(std::uint32_t node) const noexcept { return depths_[node]; }
  [[nodiscard]] std::uint8_t engine(std::uint32_t node) const noexcept {  // 255: any
    return engines_ == nullptr ? std::uint8_t{255} : engines_[node];
  }
  [[nodiscard]] bool is_module_node(std::uint32_t node) const noexcept { return op_class(node) == OpClass::kModule; }
  [[nodiscard]] std::string_view name(std::uint32_t node) const noexcept;       // "" where the file has none
  [[nodiscard]] std::string_view type_name(std::uint32_t node) const noexcept;  // the source format's op type
  [[nodiscard]] Facts facts(std::uint32_t node) const noexcept;
  void read_facts(std::uint32_t node, Facts& facts) const noexcept;  // into a place the caller has

 private:
  GraphView() = default;
  friend class Result<GraphView>;
  [[nodiscard]] Error attach(const std::uint8_t* root) noexcept;
  const std::uint8_t* root_ = nullptr;  // the FlatBuffers root, opaque here
  const std::uint16_t* kinds_ = nullptr;
  const std::uint8_t* classes_ = nullptr;
  const std::uint8_t* data_types_ = nullptr;
  const std::uint8_t* weight_types_ = nullptr;
  const std::uint32_t* parents_ = nullptr;
  const std::uint8_t* depths_ = nullptr;
  const std::uint8_t* engines_ = nullptr;
  const std::uint64_t* facts_ = nullptr;
  const std::uint16_t* fact_ids_ = nullptr;
  std::uint32_t fact_columns_ = 0;
  std::uint32_t size_ = 0;
  std::uint64_t unique_weight_bytes_ = 0;
};

}  // namespace edgejoule
