// Any bytes as a coefficient table: opened, read in full, planned, and used to price.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "edgejoule/core/plan.h"
#include "support/touch.h"

using namespace edgejoule;

namespace {

void require(bool truth) {
  if (!truth) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint64_t> aligned(size / 8 + 1);
  if (size > 0) std::memcpy(aligned.data(), data, size);
  const auto table = CoefficientTable::open({reinterpret_cast<const std::byte*>(aligned.data()), size});
  if (!table) return 0;
  test::touch_everything(*table);
  const std::size_t needed = TablePlan::required_bytes(*table);
  std::vector<std::uint64_t> workspace(needed / 8 + 1);
  const auto plan = TablePlan::prepare(*table, {}, {reinterpret_cast<std::byte*>(workspace.data()), needed});
  require(plan.ok());  // nothing but the options can be at fault once a table has opened
  for (const OpKind kind : {OpKind::kConv2d, OpKind::kDense, OpKind::kRelu, OpKind::kLayer, OpKind::kUnknown}) {
    for (const float time : {-1.0F, 1e-3F}) {
      OpDescriptor op;
      op.kind = kind;
      op.data_type = DataType::kFloat32;
      op.facts.set(Fact::kOutH, 8).set(Fact::kInC, 4).set(Fact::kOutC, 4).set(Fact::kInputBytes, 512);
      RuntimeFacts runtime;
      runtime.time = Seconds(time);
      runtime.counter_energy = Joules(time);
      runtime.utilisation = time;
      const auto estimate = plan->estimate(op, runtime, Confidence::k95);
      require(estimate.ok() ? std::isfinite(estimate->dynamic.value()) && estimate->dynamic.value() >= 0.0F &&
                                  !std::isnan(estimate->interval.upper.value())
                            : estimate.error() == Error::kOverflow);
    }
  }
  return 0;
}
