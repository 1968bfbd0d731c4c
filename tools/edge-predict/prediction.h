// A model priced by a table: owns the bytes, runs the core, keeps the answer.
//
// Errors: throws PredictionError whose text says what, where and what to do next.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "edgejoule/core/predictor.h"
#include "edgejoule/core/shares.h"
#include "edgejoule/core/spread.h"
#include "files/file_bytes.h"
#include "import/import.h"
#include "what_if.h"

namespace edgejoule::predict {

// A file that cannot be used (exit code 3), as opposed to a request that makes no sense.
struct PredictionError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Request {
  std::string model;            // a path, or zoo:NAME
  std::string table;            // a path to .ejt or its JSON text
  std::string operating_point;  // "" for the table's first
  std::string engine;           // for ops that name none; "" for the table's first
  import::Bindings bindings;    // of dimensions that an ONNX file leaves open
  Confidence confidence = Confidence::k90;
  std::vector<Setting> settings;  // what the model is changed to
  Seconds time{-1.0F};            // of one inference, where known
  Seconds period{-1.0F};          // from one inference to the next, of a stream
};

// What a known time says besides: dynamic joules and, where they are known, static ones,
// over that time.
struct Pace {
  bool with_static = false;
  Watts average_power;
  float energy_delay = 0.0F;  // joule seconds
};
[[nodiscard]] std::optional<Pace> pace_of(const NodeEstimate& node);  // none: the time is not known, or 0

// Of a table, in its order.
[[nodiscard]] std::vector<std::string> engine_names(const CoefficientTable& table);
[[nodiscard]] std::vector<std::string> operating_point_names(const CoefficientTable& table);

class Prediction {
 public:
  explicit Prediction(Request request);

  [[nodiscard]] const Request& request() const { return request_; }
  [[nodiscard]] const GraphView& graph() const { return core_->graph; }
  [[nodiscard]] const CoefficientTable& table() const { return core_->table; }
  [[nodiscard]] const TablePlan& plan() const { return core_->plan; }
  [[nodiscard]] const Predictor& predictor() const { return core_->predictor; }
  [[nodiscard]] const PredictInputs& inputs() const { return inputs_; }
  [[nodiscard]] const NodeEstimate& node(std::uint32_t i) const { return nodes_[i]; }
  [[nodiscard]] std::uint32_t size() const { return core_->graph.size(); }

  // MACs of a node with its children, exact; saturates at the largest uint64.
  [[nodiscard]] std::uint64_t macs(std::uint32_t i) const { return macs_[i]; }

  // Of the model's dynamic joules: of a node, allocated from the root down so that
  // overlapping children add up; of any sum, plainly. 0 where the model costs nothing.
  [[nodiscard]] double share(std::uint32_t i) const { return shares_[i].whole; }
  [[nodiscard]] double share(Joules sum) const;

  // The sum of any ops, with an interval from the spreads of the rows that priced them;
  // Flag::kIntervalUnknown where a row has none.
  [[nodiscard]] Spread sum_of(const std::vector<std::uint32_t>& ops) const;

  // Ops (no modules), costliest first.
  [[nodiscard]] std::vector<std::uint32_t> ops_by_energy() const;

  // Inputs of one inference, as the first op with weights states it; at least 1.
  [[nodiscard]] std::uint64_t batch() const;
  // What the first inference after idling costs more: waking the engines that its ops run on. 0 where the table has
  // measured none.
  [[nodiscard]] Joules wake() const;
  // Whether the time of any node is known.
  [[nodiscard]] bool knows_time() const { return knows_time_; }

  // A readable name: the node's own, else its kind and index.
  [[nodiscard]] std::string name(std::uint32_t i) const;
  // With the modules it stands in, without the root: "layer_0/attention/query".
  [[nodiscard]] std::string path(std::uint32_t i) const;

 private:
  // Views of the bytes and workspaces below.
  struct Core {
    GraphView graph;
    CoefficientTable table;
    TablePlan plan;
    Predictor predictor;
  };

  Request request_;
  files::FileBytes graph_bytes_;
  files::FileBytes table_bytes_;
  std::vector<std::uint64_t> plan_workspace_;
  std::vector<std::uint64_t> predictor_workspace_;
  std::unique_ptr<Core> core_;
  PredictInputs inputs_;
  std::vector<NodeEstimate> nodes_;
  bool knows_time_ = false;
  std::vector<Share> shares_;
  std::vector<std::uint64_t> macs_;
};

}  // namespace edgejoule::predict
