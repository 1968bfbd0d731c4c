// The hook path of a runtime: one op on a plan.
#include "edgejoule/core/plan.h"
#include "edgejoule/core/table.h"
#include "predict_model.h"

namespace firmware {
namespace {

alignas(8) std::byte plan_workspace[4096];
edgejoule::OpDescriptor op;  // half a kilobyte: not on a small stack

}  // namespace

edgejoule::Status price_op(edgejoule::Span<const std::byte> table_bytes, edgejoule::Estimate& estimate) noexcept {
  const auto table = edgejoule::CoefficientTable::open(table_bytes);
  if (!table) {
    return table.error();
  }
  edgejoule::PlanOptions options;
  options.board_compatible = "test,none";
  const auto plan = edgejoule::TablePlan::prepare(*table, options, plan_workspace);
  if (!plan) {
    return plan.error();
  }
  op.kind = edgejoule::OpKind::kDense;
  op.data_type = edgejoule::DataType::kFloat32;
  op.facts.set(edgejoule::Fact::kColsN, 1000).set(edgejoule::Fact::kDepthK, 32);
  edgejoule::RuntimeFacts runtime;
  runtime.time = edgejoule::Seconds(0.0005F);
  const auto priced = plan->estimate(op, runtime, edgejoule::Confidence::k95);
  if (!priced) {
    return priced.error();
  }
  estimate = *priced;
  return {};
}

}  // namespace firmware
