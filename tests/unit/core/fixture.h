// A table and a graph opened, planned and bound, with everything they view.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "edgejoule/core/predictor.h"
#include "support/graph_fixture.h"
#include "support/table_fixture.h"

namespace edgejoule::test {

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
      : table_bytes_(pack(table)),
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

class Bound : public Prepared {
 public:
  Bound(const wire::CoefficientTableT& table, const wire::ModelGraphT& graph, const PlanOptions& options = {})
      : Prepared(table, options),
        graph_bytes_(pack(graph)),
        graph_(value(GraphView::open(graph_bytes_.span()), "graph")),
        workspace_(Predictor::required_bytes(plan(), graph_)),
        predictor_(value(Predictor::bind(plan(), graph_, workspace_.span()), "bind")) {}

  [[nodiscard]] const GraphView& graph() const { return graph_; }
  [[nodiscard]] const Predictor& predictor() const { return predictor_; }
  [[nodiscard]] std::vector<NodeEstimate> predict(const PredictInputs& inputs = {}) const {
    std::vector<NodeEstimate> out(graph_.size());
    const Status status = predictor_.predict(inputs, out);
    if (!status) throw std::runtime_error(std::string("predict: ") + error_text(status.error()));
    return out;
  }

 private:
  files::FileBytes graph_bytes_;
  GraphView graph_;
  Workspace workspace_;
  Predictor predictor_;
};

inline PlanOptions at_point(std::string_view name) {
  PlanOptions options;
  options.operating_point = name;
  return options;
}

}  // namespace edgejoule::test
