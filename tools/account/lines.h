// An account as lines to show: per op, per kind, per module, the model's tree, or per single inference.
//
// Units: joules and seconds of one inference; of the whole run where the timeline has no inferences.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "account/account.h"
#include "account/model_match.h"

namespace edgejoule::account {

enum class By : std::uint8_t { kOp, kKind, kModule, kTree, kInference };

struct Line {
  std::string name;
  std::string plain_name;           // without the number that tells it from others of that name
  std::uint32_t order = 0;          // in the run or the model, where lines are sorted otherwise
  std::optional<std::uint32_t> op;  // of the run
  std::uint32_t parent = kNoNode;   // another line, of trees
  std::uint32_t depth = 0;
  double seconds = 0;
  Energy total, dynamic;
  bool is_resolved = true;
  bool is_shared = false;  // ran beside other ops
  bool is_matched = true;  // stands for something of the model
  std::optional<ExpectedNode> expected;
  [[nodiscard]] double watts() const { return seconds > 0 ? total.joules / seconds : 0; }
  // The table's interval and the rails' do not meet.
  [[nodiscard]] bool parts_from_table() const;
};

struct Model {
  GraphView graph;
  ModelMatch match;
  std::vector<ExpectedNode> expected;  // empty: without a table
};

// Modules and trees need a model. The last line of ops and of kinds is the time between ops. Inferences stand in the
// order of time; there are none where not one is resolved.
[[nodiscard]] std::vector<Line> lines_of(const Account& account, const Model* model, By by);

// All ops and the time between them.
[[nodiscard]] Line whole_of(const Account& account, const Model* model);

}  // namespace edgejoule::account
