#include "import/tflite/loops.h"

#include <algorithm>

namespace edgejoule::import {
namespace {

constexpr std::int32_t kAdd = 0;
constexpr std::int32_t kLess = 58;
constexpr std::int32_t kGreater = 61;
constexpr std::int32_t kGreaterEqual = 62;
constexpr std::int32_t kLessEqual = 63;
constexpr std::int32_t kLogicalAnd = 86;
constexpr int kMaxConditionDepth = 8;

class Loop {
 public:
  Loop(const TfliteSubgraph& condition, const TfliteSubgraph& body, const TfliteOperator& loop,
       const TfliteShapes& caller)
      : condition_(condition),
        body_(body),
        loop_(loop),
        caller_(caller),
        condition_shapes_(infer_shapes(condition, {})),
        body_shapes_(infer_shapes(body, {})) {}

  [[nodiscard]] std::optional<std::uint64_t> trips() const {
    return condition_.outputs.empty() ? std::nullopt : trips_of(condition_.outputs[0], 0);
  }

 private:
  static const TfliteOperator* producer(const TfliteSubgraph& graph, std::int32_t tensor) {
    const auto found = std::find_if(graph.operators.begin(), graph.operators.end(), [&](const TfliteOperator& op) {
      return std::find(op.outputs.begin(), op.outputs.end(), tensor) != op.outputs.end();
    });
    return found == graph.operators.end() ? nullptr : &*found;
  }
  static std::optional<std::size_t> position(IndexSpan tensors, std::int32_t tensor) {
    const auto found = std::find(tensors.begin(), tensors.end(), tensor);
    return found == tensors.end() ? std::nullopt : std::optional<std::size_t>(found - tensors.begin());
  }
  static std::optional<std::int64_t> single(const TfliteShapes& shapes, std::int32_t tensor) {
    if (tensor < 0) return std::nullopt;
    const auto& values = shapes.ints[static_cast<std::size_t>(tensor)];
    return values && values->size() == 1 ? std::optional(values->front()) : std::nullopt;
  }
  [[nodiscard]] std::optional<std::int64_t> initial(std::size_t variable) const {
    return variable < loop_.inputs.size() ? single(caller_, loop_.inputs[variable]) : std::nullopt;
  }

  // A value of the condition that no iteration changes.
  [[nodiscard]] std::optional<std::int64_t> invariant(std::int32_t tensor) const {
    if (const auto constant = single(condition_shapes_, tensor)) return constant;
    const auto variable = position(condition_.inputs, tensor);
    if (!variable || *variable >= body_.inputs.size() || *variable >= body_.outputs.size() ||
        body_.inputs[*variable] != body_.outputs[*variable]) {
      return std::nullopt;
    }
    return initial(*variable);
  }

  // What the body adds to a loop variable in each iteration.
  [[nodiscard]] std::optional<std::int64_t> step(std::size_t variable) const {
    if (variable >= body_.inputs.size() || variable >= body_.outputs.size()) return std::nullopt;
    const TfliteOperator* add = producer(body_, body_.outputs[variable]);
    if (add == nullptr || add->code != kAdd || add->inputs.size() != 2) return std::nullopt;
    for (std::size_t i = 0; i < 2; ++i) {
      if (add->inputs[i] == body_.inputs[variable]) return single(body_shapes_, add->inputs[1 - i]);
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<std::uint64_t> trips_of(std::int32_t tensor, int depth) const {
    const TfliteOperator* op = producer(condition_, tensor);
    if (op == nullptr || op->inputs.size() != 2 || depth > kMaxConditionDepth) return std::nullopt;
    if (op->code == kLogicalAnd) {
      const auto a = trips_of(op->inputs[0], depth + 1);
      const auto b = trips_of(op->inputs[1], depth + 1);
      return a && b ? std::min(*a, *b) : std::optional<std::uint64_t>();
    }
    const bool less = op->code == kLess || op->code == kLessEqual;
    if (!less && op->code != kGreater && op->code != kGreaterEqual) return std::nullopt;
    const auto variable = position(condition_.inputs, op->inputs[less ? 0 : 1]);
    const auto limit = invariant(op->inputs[less ? 1 : 0]);
    if (!variable || !limit) return std::nullopt;
    const auto start = initial(*variable);
    const auto increment = step(*variable);
    if (!start || !increment || *increment <= 0) return std::nullopt;
    const bool inclusive = op->code == kLessEqual || op->code == kGreaterEqual;
    const std::int64_t distance = *limit - *start + (inclusive ? 1 : 0);
    return distance <= 0 ? 0 : static_cast<std::uint64_t>((distance - 1) / *increment + 1);
  }

  const TfliteSubgraph& condition_;
  const TfliteSubgraph& body_;
  const TfliteOperator& loop_;
  const TfliteShapes& caller_;
  TfliteShapes condition_shapes_;
  TfliteShapes body_shapes_;
};

}  // namespace

std::optional<std::uint64_t> trip_count(const TfliteFile& file, const TfliteOperator& loop,
                                        const TfliteShapes& caller) {
  const TfliteSubgraph* condition = nullptr;
  const TfliteSubgraph* body = nullptr;
  for (const SubgraphReference& reference : subgraphs_of(loop)) {
    if (reference.use == SubgraphUse::kCondition) condition = &file.subgraphs[reference.subgraph];
    if (reference.use == SubgraphUse::kBody) body = &file.subgraphs[reference.subgraph];
  }
  if (condition == nullptr || body == nullptr) return std::nullopt;
  return Loop(*condition, *body, loop, caller).trips();
}

}  // namespace edgejoule::import
