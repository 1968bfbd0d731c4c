#include "edgejoule/core/meter.h"

#include <cmath>

namespace edgejoule {
namespace {

constexpr float kSecondsPerNano = 1e-9F;
constexpr float kWattsPerMicro = 1e-6F;
constexpr std::int64_t kMicrowattNanosPerNano = 1000000;  // uW * ns in a nJ
constexpr float kMostGain = 16.0F;
constexpr float kMostMerged = 8.0F;    // spans put together reach over this part of a cycle
constexpr float kOldShare = 0.05F;     // a filter that remembers less of the start is trusted
constexpr float kUsualErrors = 6.0F;   // a larger surprise counts as this much
constexpr float kRepeatShare = 0.05F;  // of the reading: what cannot move without being seen
constexpr float kRepeatWatts = 0.02F;
constexpr std::uint32_t kStuckAfter = 8;

bool is_above_zero(float value) noexcept {
  return value > 0.0F && std::isfinite(value);
}

// (1 - 1/taps)^cycles
float kept_share(std::uint16_t taps, std::int64_t cycles) noexcept {
  float base = taps > 1 ? 1.0F - 1.0F / static_cast<float>(taps) : 0.0F;
  float kept = 1.0F;
  while (cycles > 0 && kept > 0.0F) {
    kept *= (cycles & 1) != 0 ? base : 1.0F;
    base *= base;
    cycles >>= 1U;
  }
  return kept;
}

// How far a sample is trusted: all by the same share, so that what was learned before a
// change weighs no more than what comes after it.
float noise_of(float watts) noexcept {
  const float known_to = 0.02F * std::fabs(watts) + 0.005F;
  return known_to * known_to;
}

float at_most(float value, float most) noexcept {
  return value < most ? value : most;
}

}  // namespace

Status Meter::start(const MeterOptions& options) noexcept {
  const float static_watts = options.static_power.value();
  if (!is_above_zero(options.memory.value()) || !is_above_zero(options.static_doubt.value()) ||
      !is_above_zero(options.gain_doubt) || !(static_watts >= 0.0F) || !std::isfinite(static_watts)) {
    return Error::kInvalidArgument;
  }
  options_ = options;
  span_count_ = waiting_count_ = 0;
  first_ns_ = known_ns_ = gap_ns_ = sample_ns_ = power_uw_ = learned_uw_ = 0;
  learned_watts_ = filtered_watts_ = 0.0F;
  start_share_ = 1.0F;
  gain_ = 1.0F;
  static_watts_ = static_watts;
  gain_variance_ = options.gain_doubt * options.gain_doubt;
  static_variance_ = options.static_doubt.value() * options.static_doubt.value();
  covariance_ = error_variance_ = 0.0F;
  learned_ = not_learned_ = repeated_ = 0;
  has_sample_ = has_work_ = false;
  mark();
  return {};
}

void Meter::add_span(std::int64_t end_ns, float joules) noexcept {
  if (span_count_ > 1 && end_ns - spans_[span_count_ - 2].end_ns < gap_ns_) {
    spans_[span_count_ - 1].end_ns = end_ns;
    spans_[span_count_ - 1].joules += joules;
  } else {
    if (span_count_ == kSpans) {
      first_ns_ = spans_[0].end_ns;
      for (std::uint32_t i = 1; i < kSpans; ++i) {
        spans_[i - 1] = spans_[i];
      }
      --span_count_;
    }
    spans_[span_count_++] = {end_ns, joules};
  }
  known_ns_ = end_ns;
}

Status Meter::add_work(std::int64_t begin_ns, std::int64_t end_ns, Joules predicted,
                       std::uint32_t inferences) noexcept {
  const float joules = predicted.value();
  if (end_ns <= begin_ns || !(joules >= 0.0F) || !std::isfinite(joules) || (has_work_ && begin_ns < known_ns_)) {
    return Error::kInvalidArgument;
  }
  idle_until(begin_ns);
  add_span(end_ns, joules);
  const float addend = joules - work_lost_;
  const float sum = work_joules_ + addend;
  work_lost_ = (sum - work_joules_) - addend;
  work_joules_ = sum;
  work_ns_ += end_ns - begin_ns;
  inferences_ += inferences;
  learn_from_waiting();
  return {};
}

void Meter::idle_until(std::int64_t t_ns) noexcept {
  if (!has_work_) {
    has_work_ = true;
    first_ns_ = known_ns_ = t_ns;
  } else if (t_ns > known_ns_) {
    add_span(t_ns, 0.0F);
  }
  learn_from_waiting();
}

// Predicted watts, the mean over a time that is known.
float Meter::watts_between(std::int64_t begin_ns, std::int64_t end_ns) const noexcept {
  float joules = 0.0F;
  std::int64_t span_begin = first_ns_;
  for (std::uint32_t i = 0; i < span_count_; ++i) {
    const WorkSpan& span = spans_[i];
    const std::int64_t from = begin_ns > span_begin ? begin_ns : span_begin;
    const std::int64_t to = end_ns < span.end_ns ? end_ns : span.end_ns;
    if (to > from) {
      joules += span.joules * (static_cast<float>(to - from) / static_cast<float>(span.end_ns - span_begin));
    }
    span_begin = span.end_ns;
  }
  return joules / (static_cast<float>(end_ns - begin_ns) * kSecondsPerNano);
}

// Joules of a sample: its power over the time since the last one, as long as a cycle may
// take; what lies before that is bridged.
void Meter::count(const PowerSample& sample) noexcept {
  const std::int64_t cycle = sample.cycle_ns;
  std::int64_t step = has_sample_ ? sample.window_end_ns - sample_ns_ : sample.window_end_ns - sample.window_begin_ns;
  std::int64_t missing = 0;
  if (has_sample_ && step > cycle + cycle / 2) {
    missing = step - cycle;
    step = cycle;
  }
  since_mark_nj_ += sample.power_uw * step / kMicrowattNanosPerNano;
  if (missing == 0) {
    return;
  }
  const std::int64_t missing_end = sample_ns_ + missing;
  const bool known = has_work_ && first_ns_ <= sample_ns_ && known_ns_ >= missing_end;
  const float watts = known ? gain_ * watts_between(sample_ns_, missing_end) + static_watts_
                            : 0.5F * kWattsPerMicro * static_cast<float>(power_uw_ + sample.power_uw);
  const auto bridged = static_cast<std::int64_t>(watts * static_cast<float>(missing));  // W * ns = nJ
  bridged_nj_ += bridged;
  since_mark_nj_ += bridged;
}

Result<MeterUse> Meter::add_sample(const PowerSample& sample) noexcept {
  if (sample.has(SampleFlag::kMathOverflow) || sample.has(SampleFlag::kCounterReset)) {
    return Error::kNoData;
  }
  const bool backwards = has_sample_ && sample.window_end_ns <= sample_ns_;
  if (backwards || sample.window_end_ns <= sample.window_begin_ns || sample.cycle_ns == 0) {
    return Error::kInvalidArgument;
  }
  count(sample);
  Window window{sample.window_begin_ns, sample.window_end_ns, sample.power_uw, 0.0F,
                !sample.has(SampleFlag::kClipped) && sample.response != ResponseKind::kUnknown};
  if (sample.response == ResponseKind::kExponential) {
    const std::int64_t cycle = sample.cycle_ns;
    const std::int64_t cycles = has_sample_ ? (sample.window_end_ns - sample_ns_ + cycle / 2) / cycle : 1;
    window.keeps = kept_share(sample.taps, cycles > 0 ? cycles : 1);
    window.begin_ns = has_sample_ ? sample_ns_ : window.begin_ns;
  }
  has_sample_ = true;
  sample_ns_ = sample.window_end_ns;
  power_uw_ = sample.power_uw;
  gap_ns_ = static_cast<std::int64_t>(static_cast<float>(sample.cycle_ns) / kMostMerged);
  if (waiting_count_ == kMostWaiting) {
    ++not_learned_;
    for (std::uint32_t i = 1; i < kMostWaiting; ++i) {
      waiting_[i - 1] = waiting_[i];
    }
    --waiting_count_;
    start_share_ = 1.0F;  // an exponential sensor's past has a hole
  }
  waiting_[waiting_count_++] = window;
  const std::uint32_t learned_before = learned_;
  learn_from_waiting();
  if (waiting_count_ != 0) {
    return MeterUse::kWaiting;
  }
  return learned_ != learned_before ? MeterUse::kLearned : MeterUse::kCounted;
}

void Meter::learn_from_waiting() noexcept {
  std::uint32_t done = 0;
  for (; done < waiting_count_ && has_work_ && waiting_[done].end_ns <= known_ns_; ++done) {
    ++(learn(waiting_[done]) ? learned_ : not_learned_);
  }
  for (std::uint32_t i = done; i < waiting_count_; ++i) {
    waiting_[i - done] = waiting_[i];
  }
  waiting_count_ -= done;
}

bool Meter::learn(const Window& window) noexcept {
  if (window.begin_ns < first_ns_) {
    start_share_ = 1.0F;
    return false;
  }
  const float seen = watts_between(window.begin_ns, window.end_ns);
  filtered_watts_ = start_share_ == 1.0F ? seen : seen + window.keeps * (filtered_watts_ - seen);
  start_share_ *= window.keeps;
  const float predicted = filtered_watts_;
  const float watts = static_cast<float>(window.power_uw) * kWattsPerMicro;
  if (!window.sound || start_share_ > kOldShare) {
    return false;
  }
  if (learned_ != 0 && window.power_uw == learned_uw_) {
    const float moved = gain_ * std::fabs(predicted - learned_watts_);
    if (moved > kRepeatShare * std::fabs(watts) + kRepeatWatts) {
      ++repeated_;
      return false;
    }
  } else {
    learned_uw_ = window.power_uw;
    learned_watts_ = predicted;
    repeated_ = 0;
  }
  update(predicted, watts, static_cast<float>(window.end_ns - window.begin_ns) * kSecondsPerNano);
  return true;
}

void Meter::update(float predicted, float watts, float seconds) noexcept {
  const float memory = options_.memory.value();
  const float forget = memory / (memory + seconds);
  float surprise = watts - (gain_ * predicted + static_watts_);
  const float noise = noise_of(watts);

  const float with_gain = gain_variance_ * predicted + covariance_;
  const float with_static = covariance_ * predicted + static_variance_;
  const float doubt = with_gain * predicted + with_static;
  const float usual = kUsualErrors * std::sqrt(doubt + (error_variance_ > noise ? error_variance_ : noise));
  surprise = surprise > usual ? usual : surprise < -usual ? -usual : surprise;

  const float scale = 1.0F / (forget * noise + doubt);
  gain_ += with_gain * scale * surprise;
  static_watts_ += with_static * scale * surprise;
  gain_ = gain_ < 1.0F / kMostGain ? 1.0F / kMostGain : at_most(gain_, kMostGain);
  static_watts_ = static_watts_ > 0.0F ? static_watts_ : 0.0F;
  const float remember = 1.0F / forget;
  gain_variance_ = (gain_variance_ - with_gain * with_gain * scale) * remember;
  covariance_ = (covariance_ - with_gain * with_static * scale) * remember;
  static_variance_ = (static_variance_ - with_static * with_static * scale) * remember;
  // Where nothing new is seen, doubt does not grow beyond where it started.
  const float most_gain = options_.gain_doubt * options_.gain_doubt;
  const float most_static = options_.static_doubt.value() * options_.static_doubt.value();
  gain_variance_ = at_most(gain_variance_ > 1e-9F ? gain_variance_ : 1e-9F, most_gain);
  static_variance_ = at_most(static_variance_ > 1e-9F ? static_variance_ : 1e-9F, most_static);
  const float most_covariance = 0.999F * std::sqrt(gain_variance_ * static_variance_);
  covariance_ = covariance_ < -most_covariance ? -most_covariance : at_most(covariance_, most_covariance);

  const float error = watts - (gain_ * predicted + static_watts_);
  const float share = at_most(4.0F * seconds / memory, 0.1F);
  error_variance_ += share * (error * error - error_variance_);
}

void Meter::mark() noexcept {
  since_mark_nj_ = bridged_nj_ = work_ns_ = 0;
  work_joules_ = work_lost_ = 0.0F;
  inferences_ = 0;
}

MeterReading Meter::read() const noexcept {
  constexpr float kJoulesPerNano = 1e-9F;
  MeterReading reading;
  reading.since_mark = Joules(static_cast<float>(since_mark_nj_) * kJoulesPerNano);
  reading.bridged = Joules(static_cast<float>(bridged_nj_) * kJoulesPerNano);
  reading.now = Watts(static_cast<float>(power_uw_) * kWattsPerMicro);
  reading.inferences = inferences_;
  reading.gain = gain_;
  reading.static_power = Watts(static_watts_);
  const float noise = noise_of(reading.now.value());
  const float variance = error_variance_ > noise ? gain_variance_ * (error_variance_ / noise) : gain_variance_;
  reading.gain_sigma = at_most(std::sqrt(variance), options_.gain_doubt);
  if (inferences_ != 0) {
    const float work_seconds = static_cast<float>(work_ns_) * kSecondsPerNano;
    reading.per_inference =
        Joules((gain_ * work_joules_ + static_watts_ * work_seconds) / static_cast<float>(inferences_));
  }
  reading.learned = learned_;
  reading.not_learned = not_learned_;
  reading.stuck = repeated_ >= kStuckAfter;
  return reading;
}

}  // namespace edgejoule
