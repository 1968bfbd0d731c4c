// What the benchmarks measure with: graphs of a wanted size, a table of a wanted number of
// rows, and everything a prediction needs kept alive in one place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "edgejoule/core/graph.h"
#include "edgejoule/core/plan.h"
#include "edgejoule/core/predictor.h"
#include "edgejoule/core/table.h"
#include "files/file_bytes.h"

namespace edgejoule::benchmarks {

// "synthetic-N": N ops in blocks of ten; otherwise a model of the zoo.
[[nodiscard]] files::FileBytes make_graph(std::string_view name);

// Rows for single kinds and data types, then classes, one module row, one roofline row;
// `timed`: each with a time.
[[nodiscard]] files::FileBytes make_table(std::uint32_t rows, bool timed = false);

// Errors: throws std::runtime_error with the text of core's error.
class Scene {
 public:
  Scene(files::FileBytes table, files::FileBytes graph);
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  [[nodiscard]] const GraphView& graph() const { return graph_; }
  [[nodiscard]] const CoefficientTable& table() const { return table_; }
  [[nodiscard]] const TablePlan& plan() const { return plan_; }
  [[nodiscard]] const Predictor& predictor() const { return predictor_; }
  [[nodiscard]] Span<NodeEstimate> estimates() { return estimates_; }
  [[nodiscard]] std::uint32_t op_count() const;
  // One per node: a time for every op, none for modules.
  [[nodiscard]] std::vector<RuntimeFacts> op_times() const;

  // The steps themselves, over the same bytes and workspaces.
  [[nodiscard]] CoefficientTable open_table() const;
  [[nodiscard]] GraphView open_graph() const;
  [[nodiscard]] TablePlan prepare();
  [[nodiscard]] Predictor bind();

 private:
  files::FileBytes table_bytes_;
  files::FileBytes graph_bytes_;
  CoefficientTable table_;
  GraphView graph_;
  std::vector<std::uint64_t> plan_words_;
  TablePlan plan_;
  std::vector<std::uint64_t> predictor_words_;
  Predictor predictor_;
  std::vector<NodeEstimate> estimates_;
};

// A convolution as a hook describes it.
[[nodiscard]] OpDescriptor hooked_convolution();

}  // namespace edgejoule::benchmarks
