// A table opened and planned, with everything it views.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "edgejoule/core/plan.h"
#include "files/file_bytes.h"
#include "support/table_fixture.h"

namespace edgejoule::test {

inline PlanOptions at_point(std::string_view name) {
  PlanOptions options;
  options.operating_point = name;
  return options;
}

// Memory for a workspace of exactly `size` bytes, aligned as core asks.
class Workspace {
 public:
  explicit Workspace(std::size_t size) : words_(size / sizeof(std::uint64_t) + 1), size_(size) {}
  [[nodiscard]] Span<std::byte> span() { return {reinterpret_cast<std::byte*>(words_.data()), size_}; }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t size_;
};

// Throws where core refuses, so that a test sees which step did.
class Prepared {
 public:
  explicit Prepared(const wire::CoefficientTableT& table, const PlanOptions& options = {})
      : Prepared(pack(table), options) {}
  explicit Prepared(files::FileBytes table, const PlanOptions& options = {})
      : table_bytes_(std::move(table)),
        table_(value(CoefficientTable::open(table_bytes_.span()), "open")),
        workspace_(TablePlan::required_bytes(table_)),
        plan_(value(TablePlan::prepare(table_, options, workspace_.span()), "prepare")) {}

  [[nodiscard]] const CoefficientTable& table() const { return table_; }
  [[nodiscard]] const TablePlan& plan() const { return plan_; }

  template <class T>
  static T value(const Result<T>& result, const char* what) {
    if (!result.ok()) throw std::runtime_error(std::string(what) + ": " + error_text(result.error()));
    return *result;
  }

 private:
  files::FileBytes table_bytes_;
  CoefficientTable table_;
  Workspace workspace_;
  TablePlan plan_;
};

}  // namespace edgejoule::test
