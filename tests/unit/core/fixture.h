// A graph bound to a planned table, with everything they view.
#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "edgejoule/core/predictor.h"
#include "support/graph_fixture.h"
#include "support/prepared.h"

namespace edgejoule::test {

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

}  // namespace edgejoule::test
