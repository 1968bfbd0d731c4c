#include "align/align.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "edgejoule/sensors/response.h"

namespace edgejoule::align {
namespace {

constexpr double kSecondsPerNanosecond = 1e-9;
constexpr double kMicro = 1e-6;

struct Row {
  std::vector<std::pair<Eigen::Index, double>> weights;
  double watts = 0;
};

bool usable(const PowerSample& sample) {
  return !sample.has(SampleFlag::kClipped) && !sample.has(SampleFlag::kMathOverflow) &&
         !sample.has(SampleFlag::kCounterReset) && sample.window_end_ns > sample.window_begin_ns;
}

class Regression {
 public:
  Regression(std::span<const ActivitySpan> spans, std::size_t activities, const AlignOptions& options)
      : spans_(spans), options_(options), before_(static_cast<Eigen::Index>(activities)) {
    const Eigen::Index unknowns = before_ + (options.constant_before ? 1 : 0);
    gram_ = Eigen::MatrixXd::Zero(unknowns, unknowns);
    moment_ = Eigen::VectorXd::Zero(unknowns);
    seen_of_.assign(static_cast<std::size_t>(unknowns), 0);
  }

  bool add(const PowerSample& sample) {
    Row row;
    double seen = 0;
    // A running filter reaches back over hundreds of spans of few activities.
    const auto take = [&](Eigen::Index activity, double weight) {
      if (weight <= 0) return;
      double& sum = seen_of_[static_cast<std::size_t>(activity)];
      if (sum == 0) row.weights.emplace_back(activity, 0);
      sum += weight;
      seen += weight;
    };
    const std::int64_t begin_ns = response_begin_ns(sample, options_.tail / 4);
    auto span = std::upper_bound(spans_.begin(), spans_.end(), begin_ns,
                                 [](std::int64_t t, const ActivitySpan& s) { return t < s.end_ns; });
    for (; span != spans_.end() && span->begin_ns < sample.window_end_ns; ++span) {
      take(static_cast<Eigen::Index>(span->activity), response_weight(sample, span->begin_ns, span->end_ns));
    }
    if (!row.weights.empty() && options_.constant_before) {
      take(before_, response_weight(sample, std::numeric_limits<std::int64_t>::min() / 2, spans_.front().begin_ns));
    }
    for (auto& [activity, weight] : row.weights)
      weight = std::exchange(seen_of_[static_cast<std::size_t>(activity)], 0);
    if (row.weights.empty() || seen < 1 - options_.tail) return false;
    row.watts = static_cast<double>(sample.power_uw) * kMicro;
    for (const auto& [a, weight] : row.weights) {
      moment_[a] += weight * row.watts;
      for (const auto& [b, other] : row.weights) gram_(a, b) += weight * other;
    }
    rows_.push_back(std::move(row));
    return true;
  }

  void solve(Alignment& result) const {
    result.samples = rows_.size();
    if (rows_.empty()) return;
    // What no sample saw stays finite and is said by its error.
    const double trace = gram_.trace();
    const double ridge = 1e-12 * trace;
    Eigen::MatrixXd gram = gram_;
    gram.diagonal().array() += ridge;
    Eigen::VectorXd moment = moment_;
    if (options_.prior_watts > 0) {
      double mean = 0;
      for (const Row& row : rows_) mean += row.watts / static_cast<double>(rows_.size());
      // In units of a sample's own variance, of which its rounding is the least.
      const double own = std::max(options_.quantum_watts * options_.quantum_watts / 12, 1e-6);
      const double weight = own / (options_.prior_watts * options_.prior_watts);
      gram.diagonal().array() += weight;
      moment.array() += weight * mean;
    }
    const Eigen::LDLT<Eigen::MatrixXd> solved(gram);
    const Eigen::VectorXd watts = solved.solve(moment);
    const Eigen::MatrixXd inverse = solved.solve(Eigen::MatrixXd::Identity(gram.rows(), gram.cols()));

    double squares = 0, lagged = 0, last = 0;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      double residual = rows_[i].watts;
      for (const auto& [a, weight] : rows_[i].weights) residual -= weight * watts[a];
      squares += residual * residual;
      if (i > 0) lagged += residual * last;
      last = residual;
    }
    Eigen::Index seen = 0;
    constexpr double kFewestWeight = 1e-6;  // of one sample
    for (Eigen::Index a = 0; a < gram_.rows(); ++a) seen += gram_(a, a) > kFewestWeight ? 1 : 0;
    const auto count = static_cast<double>(rows_.size());
    const double freedom = std::max(1.0, count - static_cast<double>(seen));
    result.residual_watts = std::sqrt(squares / count);
    result.autocorrelation = squares > 0 ? std::clamp(lagged / squares, 0.0, 0.95) : 0;
    // Rounding alone leaves this much, however still the power is.
    const double rounding = options_.quantum_watts * options_.quantum_watts / 12;
    const double variance =
        std::max(squares / freedom, rounding) * (1 + result.autocorrelation) / (1 - result.autocorrelation);
    for (std::size_t a = 0; a < result.activities.size(); ++a) {
      const auto at = static_cast<Eigen::Index>(a);
      ActivityPower& power = result.activities[a];
      power.watts = watts[at];
      power.standard_error = gram_(at, at) > kFewestWeight ? std::sqrt(std::max(0.0, variance * inverse(at, at)))
                                                           : std::numeric_limits<double>::infinity();
    }
    const std::size_t count_of = result.activities.size();
    result.covariance.assign(count_of * count_of, 0);
    for (std::size_t a = 0; a < count_of; ++a) {
      for (std::size_t b = 0; b < count_of; ++b) {
        if (std::isinf(result.activities[a].standard_error) || std::isinf(result.activities[b].standard_error))
          continue;
        result.covariance[a * count_of + b] =
            variance * inverse(static_cast<Eigen::Index>(a), static_cast<Eigen::Index>(b));
      }
    }
  }

 private:
  std::span<const ActivitySpan> spans_;
  AlignOptions options_;
  Eigen::Index before_;
  Eigen::MatrixXd gram_;
  Eigen::VectorXd moment_;
  std::vector<Row> rows_;
  std::vector<double> seen_of_;  // by unknown, of the sample at hand
};

// What the samples say, each for the time since the one before it, against what the activities say of the same time.
struct Balance {
  double sampled_joules = 0, activity_joules = 0, integrated_s = 0;
};

Balance balance(std::span<const PowerSample> samples, std::span<const ActivitySpan> spans,
                const std::vector<ActivityPower>& activities) {
  Balance sum;
  std::size_t first = 0;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    const PowerSample& sample = samples[i];
    if (!usable(sample)) continue;
    if (sample.response == ResponseKind::kExponential && sample.taps > 1) continue;
    const std::int64_t from_ns = samples[i - 1].window_end_ns;
    const std::int64_t to_ns = sample.window_end_ns;
    while (first < spans.size() && spans[first].end_ns <= from_ns) ++first;
    for (std::size_t k = first; k < spans.size() && spans[k].begin_ns < to_ns; ++k) {
      const std::int64_t begin_ns = std::max(spans[k].begin_ns, from_ns);
      const std::int64_t end_ns = std::min(spans[k].end_ns, to_ns);
      const double seconds = static_cast<double>(end_ns - begin_ns) * kSecondsPerNanosecond;
      sum.sampled_joules += static_cast<double>(sample.power_uw) * kMicro * seconds;
      sum.activity_joules += activities[spans[k].activity].watts * seconds;
      const std::int64_t window_ns = std::max(sample.window_begin_ns, begin_ns);
      if (end_ns > window_ns) sum.integrated_s += static_cast<double>(end_ns - window_ns) * kSecondsPerNanosecond;
    }
  }
  return sum;
}

}  // namespace

Alignment align(std::span<const PowerSample> samples, std::span<const ActivitySpan> spans, std::size_t activities,
                const AlignOptions& options) {
  Alignment result;
  result.activities.resize(activities);
  for (ActivityPower& power : result.activities) power.standard_error = std::numeric_limits<double>::infinity();
  double spanned_s = 0;
  for (const ActivitySpan& span : spans) {
    const double seconds = static_cast<double>(span.end_ns - span.begin_ns) * kSecondsPerNanosecond;
    result.activities[span.activity].seconds += seconds;
    spanned_s += seconds;
  }
  if (spans.empty()) {
    result.left_out = samples.size();
    return result;
  }
  Regression regression(spans, activities, options);
  for (const PowerSample& sample : samples) {
    if (!usable(sample) || !regression.add(sample)) ++result.left_out;
  }
  regression.solve(result);
  const Balance sums = balance(samples, spans, result.activities);
  if (sums.sampled_joules != 0) result.conservation = sums.activity_joules / sums.sampled_joules - 1;
  if (spanned_s > 0) result.covered = sums.integrated_s / spanned_s;
  return result;
}

}  // namespace edgejoule::align
