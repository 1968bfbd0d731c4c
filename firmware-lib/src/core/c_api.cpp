#include "edgejoule/edgejoule.h"

#include <cstddef>
#include <cstring>
#include <type_traits>

#include "edgejoule/core/graph.h"
#include "edgejoule/core/plan.h"
#include "edgejoule/core/predictor.h"
#include "edgejoule/core/table.h"
#include "opaque.h"

// The C interface: the C++ values travel inside the opaque structs.
namespace {

using namespace edgejoule;
using opaque::bytes_of;
using opaque::finish;
using opaque::load;

static_assert(EDGEJOULE_FACT_COUNT == kFactCount);
static_assert(EDGEJOULE_FACT_REPEATS == static_cast<int>(Fact::kRepeats) &&
              EDGEJOULE_FACT_SPECIAL_PER_OUTPUT == static_cast<int>(Fact::kSpecialPerOutput) &&
              EDGEJOULE_FACT_PARAMETERS == static_cast<int>(Fact::kParameters) &&
              EDGEJOULE_FACT_INPUT_ELEMENTS == static_cast<int>(Fact::kInputElements) &&
              EDGEJOULE_FACT_DEPTH_K == static_cast<int>(Fact::kDepthK) &&
              EDGEJOULE_FACT_GROUPS == static_cast<int>(Fact::kGroups));
static_assert(EDGEJOULE_OP_RESHAPE == static_cast<int>(OpKind::kReshape) &&
              EDGEJOULE_OP_GELU == static_cast<int>(OpKind::kGelu) &&
              EDGEJOULE_OP_LAYER_NORM == static_cast<int>(OpKind::kLayerNorm) &&
              EDGEJOULE_OP_MAX_POOL_2D == static_cast<int>(OpKind::kMaxPool2d) &&
              EDGEJOULE_OP_ATTENTION == static_cast<int>(OpKind::kAttention));
static_assert(EDGEJOULE_TYPE_INT32 == static_cast<int>(DataType::kInt32) &&
              EDGEJOULE_TYPE_INT8 == static_cast<int>(DataType::kInt8));
static_assert(EDGEJOULE_FLAG_TIME_INTERVAL_NOT_GUARANTEED == static_cast<int>(Flag::kTimeIntervalNotGuaranteed) &&
              EDGEJOULE_FLAG_INTERVAL_UNKNOWN == static_cast<int>(Flag::kIntervalUnknown) &&
              EDGEJOULE_FLAG_STATIC_IN_DYNAMIC == static_cast<int>(Flag::kStaticInDynamic));
static_assert(EDGEJOULE_LEVEL_NONE == static_cast<int>(Level::kNone) &&
              EDGEJOULE_LEVEL_ROOFLINE == static_cast<int>(Level::kRoofline));
static_assert(EDGEJOULE_CONFIDENCE_95 == static_cast<int>(Confidence::k95));

// Out of range becomes a value that core refuses.
Confidence confidence_of(std::int32_t confidence) noexcept {
  return static_cast<Confidence>(confidence < 0 || confidence > 255 ? 255 : confidence);
}

std::string_view text_or_empty(const char* text) noexcept {
  return text == nullptr ? std::string_view() : std::string_view(text);
}

// An op is 450 bytes and the hook path short: read in place, not copied.
static_assert(std::is_standard_layout_v<OpDescriptor> && sizeof(OpDescriptor) == sizeof(edgejoule_op) &&
              offsetof(OpDescriptor, op_class) == offsetof(edgejoule_op, op_class) &&
              offsetof(OpDescriptor, data_type) == offsetof(edgejoule_op, data_type) &&
              offsetof(OpDescriptor, engine) == offsetof(edgejoule_op, engine) &&
              offsetof(OpDescriptor, facts) == offsetof(edgejoule_op, facts));
static_assert(std::is_standard_layout_v<RuntimeFacts> && sizeof(RuntimeFacts) == sizeof(edgejoule_runtime_facts) &&
              offsetof(RuntimeFacts, counter_energy) == offsetof(edgejoule_runtime_facts, counter_j) &&
              offsetof(RuntimeFacts, utilisation) == offsetof(edgejoule_runtime_facts, utilisation));
// Core predicts into the caller's slots; each is then rewritten in place.
static_assert(sizeof(NodeEstimate) == sizeof(edgejoule_estimate) &&
              alignof(NodeEstimate) == alignof(edgejoule_estimate));

edgejoule_estimate estimate_of(const NodeEstimate& node) noexcept {
  return {node.dynamic.value(),
          node.own.value(),
          node.static_part.value(),
          node.interval.lower.value(),
          node.interval.upper.value(),
          static_cast<std::uint32_t>(node.level),
          node.flags.bits(),
          node.time.value(),
          node.time_interval.lower.value(),
          node.time_interval.upper.value()};
}

}  // namespace

extern "C" {

int32_t edgejoule_version(void) {
  return EDGEJOULE_VERSION;
}

const char* edgejoule_error_text(edgejoule_status status) {
  if (status == EDGEJOULE_OK) {
    return "ok";
  }
  constexpr edgejoule_status kLargestCode = 255;
  return error_text(static_cast<Error>(status > 0 && status <= kLargestCode ? status : kLargestCode));
}

edgejoule_status edgejoule_table_open(const void* bytes, size_t size, edgejoule_table* out) {
  return finish(CoefficientTable::open(bytes_of(bytes, size)), out);
}

size_t edgejoule_plan_required_bytes(const edgejoule_table* table) {
  return TablePlan::required_bytes(load<CoefficientTable>(table));
}

edgejoule_status edgejoule_plan_prepare(const edgejoule_table* table, const edgejoule_plan_options* options,
                                        void* workspace, size_t workspace_size, edgejoule_plan* out) {
  PlanOptions plan_options;
  if (options != nullptr) {
    plan_options.board_compatible = text_or_empty(options->board_compatible);
    plan_options.runtime = text_or_empty(options->runtime);
    plan_options.operating_point = text_or_empty(options->operating_point);
    plan_options.require_same_board = options->require_same_board != 0;
  }
  return finish(TablePlan::prepare(load<CoefficientTable>(table), plan_options, bytes_of(workspace, workspace_size)),
                out);
}

float edgejoule_plan_static_watts(const edgejoule_plan* plan, uint8_t engine) {
  return load<TablePlan>(plan).static_power(engine).value();
}

void edgejoule_op_init(edgejoule_op* op, uint16_t kind, uint8_t data_type) {
  op->kind = kind;
  op->op_class = 0;
  op->data_type = data_type;
  op->engine = EDGEJOULE_ANY_ENGINE;
  for (std::size_t fact = 0; fact < kFactCount; ++fact) {
    op->facts[fact] = is_one_by_default(static_cast<Fact>(fact)) ? 1U : 0U;
  }
}

edgejoule_status edgejoule_plan_estimate(const edgejoule_plan* plan, const edgejoule_op* op,
                                         const edgejoule_runtime_facts* runtime, int32_t confidence,
                                         edgejoule_estimate* out) {
  const RuntimeFacts nothing;
  const Result<Estimate> estimate = load<TablePlan>(plan).estimate(
      *reinterpret_cast<const OpDescriptor*>(op),
      runtime == nullptr ? nothing : *reinterpret_cast<const RuntimeFacts*>(runtime), confidence_of(confidence));
  if (!estimate) {
    return static_cast<edgejoule_status>(estimate.error());
  }
  *out = {estimate->dynamic.value(),
          estimate->dynamic.value(),
          estimate->static_part.value(),
          estimate->interval.lower.value(),
          estimate->interval.upper.value(),
          static_cast<std::uint32_t>(estimate->level),
          estimate->flags.bits(),
          estimate->time.value(),
          estimate->time_interval.lower.value(),
          estimate->time_interval.upper.value()};
  return EDGEJOULE_OK;
}

edgejoule_status edgejoule_graph_open(const void* bytes, size_t size, edgejoule_graph* out) {
  return finish(GraphView::open(bytes_of(bytes, size)), out);
}

uint32_t edgejoule_graph_size(const edgejoule_graph* graph) {
  return load<GraphView>(graph).size();
}

uint32_t edgejoule_graph_parent(const edgejoule_graph* graph, uint32_t node) {
  return load<GraphView>(graph).parent(node);
}

uint16_t edgejoule_graph_kind(const edgejoule_graph* graph, uint32_t node) {
  return static_cast<std::uint16_t>(load<GraphView>(graph).kind(node));
}

const char* edgejoule_graph_name(const edgejoule_graph* graph, uint32_t node, size_t* length) {
  const std::string_view name = load<GraphView>(graph).name(node);
  *length = name.size();
  return name.empty() ? "" : name.data();
}

size_t edgejoule_graph_ops(const edgejoule_graph* graph, uint32_t* out, size_t count) {
  const GraphView& view = load<GraphView>(graph);
  std::size_t found = 0;
  for (std::uint32_t node = 0; node < view.size(); ++node) {
    if (view.is_module_node(node)) continue;
    if (found < count) out[found] = node;
    ++found;
  }
  return found;
}

size_t edgejoule_predictor_required_bytes(const edgejoule_plan* plan, const edgejoule_graph* graph) {
  return Predictor::required_bytes(load<TablePlan>(plan), load<GraphView>(graph));
}

edgejoule_status edgejoule_predictor_bind(const edgejoule_plan* plan, const edgejoule_graph* graph, void* workspace,
                                          size_t workspace_size, edgejoule_predictor* out) {
  return finish(Predictor::bind(load<TablePlan>(plan), load<GraphView>(graph), bytes_of(workspace, workspace_size)),
                out);
}

edgejoule_status edgejoule_predictor_predict(const edgejoule_predictor* predictor,
                                             const edgejoule_predict_inputs* inputs, edgejoule_estimate* out,
                                             size_t out_count) {
  const Predictor& bound = load<Predictor>(predictor);
  const std::uint32_t size = bound.graph().size();
  PredictInputs predict_inputs;
  if (inputs != nullptr) {
    predict_inputs.batch_ratio = inputs->batch_ratio;
    predict_inputs.confidence = confidence_of(inputs->confidence);
    predict_inputs.time = Seconds(inputs->time_s);
    if (inputs->per_node != nullptr) {
      predict_inputs.per_node = {reinterpret_cast<const RuntimeFacts*>(inputs->per_node), size};
    }
  }
  const Status status = bound.predict(predict_inputs, {reinterpret_cast<NodeEstimate*>(out), out_count});
  if (!status) {
    return static_cast<edgejoule_status>(status.error());
  }
  for (std::uint32_t node = 0; node < size; ++node) {
    NodeEstimate estimate;
    std::memcpy(static_cast<void*>(&estimate), &out[node], sizeof estimate);
    out[node] = estimate_of(estimate);
  }
  return EDGEJOULE_OK;
}

}  // extern "C"
