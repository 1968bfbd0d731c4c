#include "adapters/recorded_hook.h"

#include <stdexcept>

namespace edgejoule::test {
namespace {

void require(edgejoule_status status) {
  if (status != EDGEJOULE_OK) throw std::runtime_error(edgejoule_error_text(status));
}

}  // namespace

RecordedHook::RecordedHook() : memory_(edgejoule_markers_required_bytes(1024, 4096) / 8 + 1) {
  require(edgejoule_markers_create(memory_.data(), memory_.size() * 8, 4096, &markers_));
  edgejoule_hook_options_init(&options_);
  options_.clock = [](void* context) { return ++*static_cast<std::int64_t*>(context); };
  options_.clock_context = &now_ns_;
  options_.markers = &markers_;
  options_.context = this;
  options_.on_op = [](void* context, const edgejoule_priced_op* op) {
    static_cast<RecordedHook*>(context)->op_joules.push_back(op->dynamic_j);
  };
  options_.on_inference = [](void* context, const edgejoule_priced_inference* inference) {
    static_cast<RecordedHook*>(context)->inference_joules.push_back(inference->dynamic_j);
  };
  options_.on_budget = [](void* context, float) { ++static_cast<RecordedHook*>(context)->budgets_spent; };
}

void RecordedHook::price(const std::vector<float>& joules_by_node) {
  estimates_.clear();
  for (const float joules : joules_by_node) {
    edgejoule_estimate estimate{};
    estimate.dynamic_j = joules;
    estimates_.push_back(estimate);
  }
  options_.estimates = estimates_.data();
  options_.estimate_count = estimates_.size();
}

void RecordedHook::start() {
  require(edgejoule_hook_init(&hook_, &options_));
}

std::vector<std::string> RecordedHook::marks() {
  static constexpr const char* kKinds[] = {"+op", "-op", "+inference", "-inference", "+inner", "-inner", "gap"};
  std::vector<std::string> out;
  edgejoule_marker marker;
  while (edgejoule_markers_read(&markers_, &marker, 1) == 1) {
    std::string text = kKinds[marker.kind];
    if (marker.node != EDGEJOULE_NO_NODE) text += " " + std::to_string(marker.node);
    text += std::string(" ") + edgejoule_markers_name(&markers_, marker.name);
    if (marker.part != 0) text += "@" + std::to_string(marker.part);
    out.push_back(text);
  }
  return out;
}

}  // namespace edgejoule::test
