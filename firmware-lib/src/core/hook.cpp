#include <cstddef>
#include <cstring>

#include "edgejoule/core/marker_ring.h"
#include "edgejoule/edgejoule.h"
#include "opaque.h"

// What a runtime's hooks report to: markers, prices, a budget. The clock is read last at a
// beginning and first at an end, so that the work done here is no part of the op.
namespace {

using namespace edgejoule;

struct OpenEvent {
  std::int64_t begin_ns;
  std::uint32_t node;
  std::uint32_t name;
  MarkerKind kind;  // its beginning
  std::uint8_t part;
  bool is_priced;  // an op within no other op
};

// Joules are added up as whole picojoules: a float forgets small ops beside a long run, and
// a microcontroller has no double.
using Picojoules = std::uint64_t;
constexpr float kPerJoule = 1e12F;

Picojoules picojoules(float joules) noexcept {
  constexpr float kMost = 1e6F;
  if (!(joules > 0.0F)) return 0;
  return static_cast<Picojoules>((joules < kMost ? joules : kMost) * kPerJoule);
}

float joules(Picojoules sum) noexcept {
  return static_cast<float>(sum) / kPerJoule;
}

struct HookState {
  edgejoule_hook_options options;
  edgejoule_markers markers;
  std::int64_t accounted_ns;  // up to here static power is in the sums of this inference
  Picojoules spent;
  Picojoules budget;  // 0: none
  Picojoules inference_dynamic;
  Picojoules inference_static;
  std::uint32_t inference_index;
  std::uint32_t inference_ops;
  std::uint32_t inference_unpriced;
  std::uint32_t inference_flags;
  std::uint32_t depth;
  std::uint32_t open_ops;
  std::uint32_t next_node;
  bool in_inference;
  bool is_told;  // that the budget is spent
  OpenEvent open[EDGEJOULE_HOOK_DEPTH];
};
static_assert(sizeof(HookState) <= sizeof(edgejoule_hook) && alignof(HookState) <= alignof(edgejoule_hook),
              "edgejoule.h: too few words");

HookState& state_of(edgejoule_hook* hook) noexcept {
  return *reinterpret_cast<HookState*>(hook->opaque);
}
const HookState& state_of(const edgejoule_hook* hook) noexcept {
  return *reinterpret_cast<const HookState*>(hook->opaque);
}

std::int64_t now_of(const HookState& hook) noexcept {
  return hook.options.clock(hook.options.clock_context);
}

bool has_markers(const HookState& hook) noexcept {
  return hook.options.markers != nullptr;
}

MarkerRing ring_of(const HookState& hook) noexcept {
  return opaque::load<MarkerRing>(&hook.markers);
}

float seconds(std::int64_t begin_ns, std::int64_t end_ns) noexcept {
  return end_ns > begin_ns ? static_cast<float>(end_ns - begin_ns) * 1e-9F : 0.0F;
}

float static_joules(const HookState& hook, std::int64_t begin_ns, std::int64_t end_ns) noexcept {
  return hook.options.static_watts > 0.0F ? hook.options.static_watts * seconds(begin_ns, end_ns) : 0.0F;
}

std::uint32_t begin(HookState& hook, MarkerKind kind, const char* name, std::uint32_t node,
                    std::uint32_t part) noexcept {
  if (hook.depth == EDGEJOULE_HOOK_DEPTH) {
    if (has_markers(hook)) {
      MarkerRing ring = ring_of(hook);
      ring.drop(now_of(hook));
    }
    return EDGEJOULE_NO_EVENT;
  }
  const bool is_op = kind == MarkerKind::kOpBegin;
  const bool is_priced = is_op && hook.open_ops == 0;
  if (is_op) ++hook.open_ops;
  if (node == EDGEJOULE_NODE_IN_ORDER) node = is_priced ? hook.next_node++ : EDGEJOULE_NO_NODE;
  const std::uint32_t handle = hook.depth++;
  OpenEvent& event = hook.open[handle];
  event.node = node;
  event.kind = kind;
  event.part = static_cast<std::uint8_t>(part < kMaxMarkedPart ? part : kMaxMarkedPart);
  event.is_priced = is_priced;
  if (!has_markers(hook)) {
    event.begin_ns = now_of(hook);
    return handle;
  }
  MarkerRing ring = ring_of(hook);
  event.name = ring.name_index(name, node);
  event.begin_ns = now_of(hook);
  ring.put(kind, event.begin_ns, event.node, event.part, event.name);
  return handle;
}

void check_budget(HookState& hook) noexcept {
  if (hook.budget == 0 || hook.is_told || hook.spent < hook.budget) return;
  hook.is_told = true;
  if (hook.options.on_budget != nullptr) hook.options.on_budget(hook.options.context, joules(hook.spent));
}

std::uint32_t priced_node_of(const edgejoule_hook_options& options, const OpenEvent& event) noexcept {
  if (event.part != 0) return EDGEJOULE_NO_NODE;
  if (options.graph_nodes == nullptr) return event.node;
  return event.node < options.graph_node_count ? options.graph_nodes[event.node] : EDGEJOULE_NO_NODE;
}

// False: nothing is known of this op.
bool price(const edgejoule_hook_options& options, std::uint32_t node, float time_s, edgejoule_priced_op& op) noexcept {
  edgejoule_estimate at_end;
  const edgejoule_estimate* estimate = nullptr;
  if (options.estimates != nullptr && node < options.estimate_count) {
    estimate = &options.estimates[node];
  } else if (options.plan != nullptr && node < options.op_count) {
    const edgejoule_runtime_facts runtime = {time_s, -1.0F, -1.0F};
    if (edgejoule_plan_estimate(options.plan, &options.ops[node], &runtime, EDGEJOULE_CONFIDENCE_90, &at_end) ==
        EDGEJOULE_OK) {
      estimate = &at_end;
    }
  }
  if (estimate == nullptr) return false;
  op.graph_node = node;
  op.dynamic_j = estimate->dynamic_j;
  op.lower_j = estimate->lower_j;
  op.upper_j = estimate->upper_j;
  op.flags = estimate->flags;
  return true;
}

void end_op(HookState& hook, const OpenEvent& event, std::int64_t end_ns) noexcept {
  const edgejoule_hook_options& options = hook.options;
  edgejoule_priced_op op;
  op.begin_ns = event.begin_ns;
  op.end_ns = end_ns;
  op.node = event.node;
  op.static_j = 0.0F;
  const bool is_known = price(options, priced_node_of(options, event), seconds(event.begin_ns, end_ns), op);
  if (!is_known) {
    op.graph_node = EDGEJOULE_NO_NODE;
    op.dynamic_j = op.lower_j = op.upper_j = 0.0F;
    op.flags = EDGEJOULE_FLAG_UNKNOWN_OP;
    ++hook.inference_unpriced;
  }
  ++hook.inference_ops;
  hook.inference_flags |= op.flags;
  Picojoules spent = picojoules(op.dynamic_j);
  hook.inference_dynamic += spent;
  if ((op.flags & EDGEJOULE_FLAG_STATIC_IN_DYNAMIC) == 0) op.static_j = static_joules(hook, event.begin_ns, end_ns);
  const float between = hook.in_inference ? static_joules(hook, hook.accounted_ns, event.begin_ns) : 0.0F;
  const Picojoules static_part = picojoules(op.static_j + between);
  hook.accounted_ns = end_ns;
  hook.inference_static += static_part;
  hook.spent += spent + static_part;
  if (options.on_op != nullptr) {
    op.inference_j = joules(hook.inference_dynamic + hook.inference_static);
    options.on_op(options.context, &op);
  }
  check_budget(hook);
}

void start_sums(HookState& hook, std::int64_t now_ns) noexcept {
  hook.accounted_ns = now_ns;
  hook.inference_dynamic = hook.inference_static = 0;
  hook.inference_ops = hook.inference_unpriced = hook.inference_flags = 0;
  hook.next_node = 0;
}

// What was watched as a whole costs what the whole model does.
void price_unwatched_ops(HookState& hook) noexcept {
  const edgejoule_hook_options& options = hook.options;
  if (hook.inference_ops != 0 || options.estimates == nullptr || options.estimate_count == 0) return;
  const edgejoule_estimate& model = options.estimates[0];
  hook.inference_dynamic = picojoules(model.dynamic_j);
  hook.inference_flags = model.flags;
  hook.spent += hook.inference_dynamic;
}

void end_inference(HookState& hook, const OpenEvent& event, std::int64_t end_ns) noexcept {
  price_unwatched_ops(hook);
  const bool is_static_inside =
      hook.inference_ops == 0 && (hook.inference_flags & EDGEJOULE_FLAG_STATIC_IN_DYNAMIC) != 0;
  const Picojoules rest = is_static_inside ? 0 : picojoules(static_joules(hook, hook.accounted_ns, end_ns));
  hook.inference_static += rest;
  hook.spent += rest;
  const edgejoule_priced_inference inference = {event.begin_ns,
                                                end_ns,
                                                hook.inference_index++,
                                                hook.inference_ops,
                                                hook.inference_unpriced,
                                                hook.inference_flags,
                                                joules(hook.inference_dynamic),
                                                joules(hook.inference_static)};
  hook.in_inference = false;
  start_sums(hook, end_ns);
  if (hook.options.on_inference != nullptr) hook.options.on_inference(hook.options.context, &inference);
  check_budget(hook);
}

}  // namespace

extern "C" {

void edgejoule_hook_options_init(edgejoule_hook_options* options) {
  *options = edgejoule_hook_options{};
  options->static_watts = -1.0F;
}

edgejoule_status edgejoule_hook_init(edgejoule_hook* hook, const edgejoule_hook_options* options) {
  const bool has_two_prices = options->estimates != nullptr && options->plan != nullptr;
  if (options->clock == nullptr || has_two_prices || (options->plan != nullptr && options->ops == nullptr)) {
    return static_cast<edgejoule_status>(Error::kInvalidArgument);
  }
  std::memset(hook->opaque, 0, sizeof hook->opaque);
  HookState& state = state_of(hook);
  state.options = *options;
  if (options->markers != nullptr) state.markers = *options->markers;
  return EDGEJOULE_OK;
}

uint32_t edgejoule_hook_begin_op(edgejoule_hook* hook, const char* name, uint32_t node, uint32_t part) {
  return begin(state_of(hook), MarkerKind::kOpBegin, name, node, part);
}

uint32_t edgejoule_hook_begin_inner(edgejoule_hook* hook, const char* name, uint32_t node, uint32_t part) {
  return begin(state_of(hook), MarkerKind::kInnerBegin, name, node, part);
}

uint32_t edgejoule_hook_begin_inference(edgejoule_hook* hook, const char* name) {
  HookState& state = state_of(hook);
  if (state.in_inference) return EDGEJOULE_NO_EVENT;
  const std::uint32_t handle = begin(state, MarkerKind::kInferenceBegin, name, EDGEJOULE_NO_NODE, 0);
  if (handle == EDGEJOULE_NO_EVENT) return handle;
  state.in_inference = true;
  start_sums(state, state.open[handle].begin_ns);
  return handle;
}

void edgejoule_hook_end(edgejoule_hook* hook, uint32_t handle) {
  HookState& state = state_of(hook);
  if (handle >= state.depth) return;
  const std::int64_t end_ns = now_of(state);
  // What is open within it never ended: its beginning stays alone.
  while (state.depth > handle) {
    const MarkerKind kind = state.open[--state.depth].kind;
    if (kind == MarkerKind::kOpBegin) --state.open_ops;
    if (kind == MarkerKind::kInferenceBegin && state.depth > handle) state.in_inference = false;
  }
  const OpenEvent& event = state.open[handle];
  if (has_markers(state)) {
    const auto kind = static_cast<MarkerKind>(static_cast<std::uint8_t>(event.kind) + 1U);
    MarkerRing ring = ring_of(state);
    ring.put(kind, end_ns, event.node, event.part, event.name);
  }
  if (event.is_priced) {
    end_op(state, event, end_ns);
  } else if (event.kind == MarkerKind::kInferenceBegin) {
    end_inference(state, event, end_ns);
  }
}

float edgejoule_hook_spent(const edgejoule_hook* hook) {
  return joules(state_of(hook).spent);
}

void edgejoule_hook_set_budget(edgejoule_hook* hook, float budget_j) {
  HookState& state = state_of(hook);
  state.spent = 0;
  state.budget = picojoules(budget_j);
  state.is_told = false;
}

int32_t edgejoule_hook_is_over_budget(const edgejoule_hook* hook) {
  const HookState& state = state_of(hook);
  return state.budget != 0 && state.spent >= state.budget ? 1 : 0;
}

}  // extern "C"
