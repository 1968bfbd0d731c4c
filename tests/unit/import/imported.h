// An imported graph with its view and its notes, for tests to ask.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "edgejoule/core/graph.h"
#include "import/import.h"
#include "schemas/graph_generated.h"

namespace edgejoule::test {

class Imported {
 public:
  explicit Imported(files::FileBytes bytes) : bytes_(std::move(bytes)), view_(open(bytes_)) {}

  [[nodiscard]] const GraphView& view() const { return view_; }

  [[nodiscard]] std::uint64_t total_macs() const {
    std::uint64_t macs = 0;
    for (std::uint32_t i = 0; i < view_.size(); ++i) {
      if (!view_.is_module_node(i)) macs += work(i).macs;
    }
    return macs;
  }
  [[nodiscard]] std::uint64_t total(Fact fact) const {
    std::uint64_t sum = 0;
    for (std::uint32_t i = 0; i < view_.size(); ++i) {
      if (!view_.is_module_node(i)) sum += view_.facts(i)[fact];
    }
    return sum;
  }
  [[nodiscard]] std::size_t ops() const {
    std::size_t count = 0;
    for (std::uint32_t i = 0; i < view_.size(); ++i) count += view_.is_module_node(i) ? 0U : 1U;
    return count;
  }
  [[nodiscard]] WorkCounts work(std::uint32_t node) const {
    return *count_work(view_.op_class(node), view_.facts(node));
  }
  // The n-th node of that name (modules too).
  [[nodiscard]] std::uint32_t named(std::string_view name) const {
    for (std::uint32_t i = 0; i < view_.size(); ++i) {
      if (view_.name(i) == name) return i;
    }
    throw std::runtime_error("no node is named " + std::string(name));
  }
  [[nodiscard]] std::uint32_t of_type(std::string_view type) const {
    for (std::uint32_t i = 0; i < view_.size(); ++i) {
      if (view_.type_name(i) == type) return i;
    }
    throw std::runtime_error("no op is of type " + std::string(type));
  }
  // "root/module/op"
  [[nodiscard]] std::string path(std::uint32_t node) const {
    const std::string name(view_.name(node));
    return node == 0 ? name : path(view_.parent(node)) + "/" + name;
  }
  [[nodiscard]] std::string notes() const {
    std::string out;
    const auto* source = wire::GetModelGraph(bytes_.span().data())->source();
    if (source->notes() != nullptr) {
      for (const auto* note : *source->notes()) out += note->str() + "\n";
    }
    return out;
  }

 private:
  static GraphView open(const files::FileBytes& bytes) {
    const Result<GraphView> view = GraphView::open(bytes.span());
    if (!view) throw std::runtime_error(error_text(view.error()));
    return *view;
  }
  files::FileBytes bytes_;
  GraphView view_;
};

[[nodiscard]] inline Imported imported(const std::vector<std::uint8_t>& model, const import::Bindings& bindings = {}) {
  const Span<const std::byte> bytes(reinterpret_cast<const std::byte*>(model.data()), model.size());
  import::ImportOptions options;
  options.bindings = bindings;
  return Imported(import::import_bytes(bytes, "test.model", options));
}

// The message of the ImportError that importing throws; "" where it throws none.
[[nodiscard]] inline std::string import_failure(const std::vector<std::uint8_t>& model,
                                                const import::Bindings& bindings = {}) {
  try {
    static_cast<void>(imported(model, bindings));
  } catch (const import::ImportError& error) {
    return error.what();
  }
  return "";
}

}  // namespace edgejoule::test
