#include "edgejoule/core/spread.h"

#include <cmath>

#include "edgejoule/core/predictor.h"
#include "plan_data.h"

namespace edgejoule {

Result<SpreadAccumulator> SpreadAccumulator::start(const CoefficientTable& table, Span<float> sums) noexcept {
  if (sums.size() < required_sums(table)) {
    return Error::kWorkspaceTooSmall;
  }
  for (float& sum : sums) {
    sum = 0.0F;
  }
  return SpreadAccumulator(table, sums);
}

void SpreadAccumulator::add(std::uint32_t row, Joules joules, float weight) noexcept {
  const float weighted = weight * joules.value();
  if (weighted == 0.0F) {
    return;
  }
  total_ += weighted;
  const bool has_row = row < table_.row_count();
  Residual residual;
  if (has_row && table_.row(row).has_residual()) {
    residual = table_.row(row).residual();
  } else {
    residual = has_row && table_.row(row).children_gain() == 0.0F ? table_.op_residual() : table_.module_residual();
  }
  unknown_ |= residual.shared_sigma == 0.0F && residual.independent_sigma == 0.0F;
  fewest_groups_ = residual.groups < fewest_groups_ ? residual.groups : fewest_groups_;
  shared_[has_row ? row : table_.row_count()] += weighted * residual.shared_sigma;
  const float independent = weighted * residual.independent_sigma;
  independent_ += independent * independent;
}

Result<Spread> SpreadAccumulator::finish(Confidence confidence) const noexcept {
  if (!detail::is_sound_confidence(confidence)) {
    return Error::kInvalidArgument;
  }
  // Two-sided quantiles of the normal distribution.
  constexpr float kSigmas[detail::kConfidences] = {0.6744898F, 1.2815516F, 1.6448536F, 1.9599640F};
  float variance = independent_;
  for (const float shared : shared_.first(required_sums(table_))) {
    variance += shared * shared;
  }
  Spread spread;
  spread.total = Joules(total_);
  spread.sigma = Joules(std::sqrt(variance));
  const Joules half = spread.sigma * kSigmas[static_cast<std::size_t>(confidence)];
  spread.interval = {spread.total - half, spread.total + half};
  if (unknown_) {
    spread.flags.set(Flag::kIntervalUnknown);
  }
  if (unknown_ || fewest_groups_ < detail::kGroupsNeeded[static_cast<std::size_t>(confidence)]) {
    spread.flags.set(Flag::kIntervalNotGuaranteed);
  }
  return spread;
}

}  // namespace edgejoule
