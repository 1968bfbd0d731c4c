#include "calibration/network_spread.h"

#include <algorithm>
#include <cmath>

#include "fit/student_t.h"
#include "fit/table_writer.h"
#include "pricing/set_pricer.h"

namespace edgejoule::calibration {
namespace {

constexpr double kWidest = 0.5;
constexpr int kSteps = 12;  // of bisection: to 0.01 %

fit::FittedTable widened(fit::FittedTable fitted, double sigma) {
  for (fit::FittedRow& row : fitted.rows) {
    if (row.residual.groups == 0) continue;  // nothing is known of it, and the table says so
    row.residual.shared_sigma = static_cast<float>(std::hypot(row.residual.shared_sigma, sigma));
  }
  return fitted;
}

// How far networks are off, in standard deviations of their intervals: root mean square.
double off_by(const measurements::MeasurementSet& set, const measurements::MeasurementSet& networks,
              const fit::FittedTable& fitted) {
  pricing::SetPricer pricer(networks, fit::write_table(fitted, set, {"networks", "2000-01-01", "edge-calibrate"}), {});
  double sum = 0;
  int count = 0;
  for (std::size_t i = 0; i < networks.measurements.size(); ++i) {
    const pricing::Priced priced = pricer.price(i);
    if (!priced.problem.empty() || !(priced.lower > 0)) continue;
    const double residual = std::log(networks.measurements[i].energy_joules / priced.joules);
    const double reach = residual < 0 ? std::log(priced.joules / priced.lower) : std::log(priced.upper / priced.joules);
    sum += std::pow(fit::kNormalP95 * residual / std::max(reach, 1e-6), 2);
    ++count;
  }
  return count == 0 ? 0 : std::sqrt(sum / count);
}

}  // namespace

NetworkSpread widen_by_networks(const measurements::MeasurementSet& set, const measurements::MeasurementSet& networks,
                                fit::FittedTable& fitted) {
  NetworkSpread result{0, networks.measurements.size()};
  if (result.networks < kFewestForSpread) return result;
  const double allowed = fit::kNormalP95 / fit::student_t_quantile(0.95, static_cast<int>(result.networks));
  if (off_by(set, networks, fitted) <= allowed) return result;
  double below = 0, above = kWidest;
  for (int step = 0; step < kSteps; ++step) {
    const double middle = (below + above) / 2;
    (off_by(set, networks, widened(fitted, middle)) > allowed ? below : above) = middle;
  }
  result.sigma = above;
  fitted = widened(std::move(fitted), above);
  return result;
}

}  // namespace edgejoule::calibration
