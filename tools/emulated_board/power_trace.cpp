#include "emulated_board/power_trace.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <istream>
#include <sstream>
#include <utility>

namespace edgejoule::emulated_board {
namespace {

constexpr double kSecondsPerNanosecond = 1e-9;

// Towards minus infinity, so that times before 0 fall into the period too.
std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  const std::int64_t quotient = a / b;
  return a % b < 0 ? quotient - 1 : quotient;
}

}  // namespace

PowerTrace PowerTrace::constant(double volts, double amperes) {
  return piecewise({{0, volts, amperes}});
}

PowerTrace PowerTrace::piecewise(std::vector<Step> steps, std::int64_t period_ns) {
  if (steps.empty()) {
    throw TraceError("power trace: no steps; give at least one");
  }
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (!std::isfinite(steps[i].volts) || !std::isfinite(steps[i].amperes)) {
      throw TraceError("power trace: step " + std::to_string(i) + " is not finite; give volts and amperes as numbers");
    }
    if (i > 0 && steps[i].t_ns <= steps[i - 1].t_ns) {
      throw TraceError("power trace: step " + std::to_string(i) + " does not begin after the one before; sort by time");
    }
  }
  if (period_ns < 0 || (period_ns > 0 && (steps.front().t_ns != 0 || steps.back().t_ns >= period_ns))) {
    throw TraceError("power trace: the steps of a periodic trace must begin at 0 and lie within its period");
  }
  PowerTrace trace;
  trace.steps_ = std::move(steps);
  trace.period_integral_ = period_ns > 0 ? trace.integrate_steps(0, period_ns) : Integral{};
  trace.period_ns_ = period_ns;
  return trace;
}

PowerTrace PowerTrace::square(Electrical high, Electrical low, std::int64_t high_ns, std::int64_t period_ns) {
  if (high_ns <= 0 || high_ns >= period_ns) {
    throw TraceError("power trace: a square wave needs 0 < high < period");
  }
  return piecewise({{0, high.volts, high.amperes}, {high_ns, low.volts, low.amperes}}, period_ns);
}

PowerTrace PowerTrace::function(std::function<Electrical(std::int64_t)> at, std::int64_t resolution_ns) {
  if (!at || resolution_ns <= 0) {
    throw TraceError("power trace: a function of time needs a callable and a resolution above 0");
  }
  PowerTrace trace;
  trace.function_ = std::move(at);
  trace.resolution_ns_ = resolution_ns;
  return trace;
}

PowerTrace PowerTrace::from_csv(std::istream& csv, const std::string& name) {
  std::vector<Step> steps;
  std::string line;
  for (std::size_t number = 1; std::getline(csv, line); ++number) {
    if (!line.empty() && line.back() == '\r') {
      line.pop_back();
    }
    if (line.empty() || line.front() == '#' || std::isalpha(static_cast<unsigned char>(line.front())) != 0) {
      continue;
    }
    std::istringstream fields(line);
    double t_s = 0.0;
    double volts = 0.0;
    double amperes = 0.0;
    char first_comma = 0;
    char second_comma = 0;
    fields >> t_s >> first_comma >> volts >> second_comma >> amperes;
    if (!fields || first_comma != ',' || second_comma != ',') {
      throw TraceError(name + ":" + std::to_string(number) + ": expected 't_s,volts,amperes', found '" + line + "'");
    }
    steps.push_back({std::llround(t_s * 1e9), volts, amperes});
  }
  try {
    return piecewise(std::move(steps));
  } catch (const TraceError& error) {
    throw TraceError(name + ": " + error.what());
  }
}

void PowerTrace::append(const Step& step) {
  if (function_ || period_ns_ > 0) {
    throw TraceError("power trace: only a piecewise trace without a period can grow");
  }
  if (!std::isfinite(step.volts) || !std::isfinite(step.amperes) || step.t_ns <= steps_.back().t_ns) {
    throw TraceError("power trace: an appended step must be finite and begin after the last one");
  }
  steps_.push_back(step);
}

void PowerTrace::forget_before(std::int64_t t_ns) {
  if (function_ || period_ns_ > 0) {
    return;
  }
  // The step that holds at t_ns stays; rarely, because the rest moves up.
  constexpr std::size_t kWorthwhile = 65'536;
  const auto keep = static_cast<std::size_t>(&step_at(t_ns) - steps_.data());
  if (keep >= kWorthwhile) {
    steps_.erase(steps_.begin(), steps_.begin() + static_cast<std::ptrdiff_t>(keep));
  }
}

const PowerTrace::Step& PowerTrace::step_at(std::int64_t within_ns) const {
  const auto after = std::upper_bound(steps_.begin(), steps_.end(), within_ns,
                                      [](std::int64_t t, const Step& step) { return t < step.t_ns; });
  return after == steps_.begin() ? steps_.front() : *(after - 1);
}

Electrical PowerTrace::at(std::int64_t t_ns) const {
  if (function_) {
    return function_(t_ns);
  }
  const Step& step = step_at(period_ns_ > 0 ? t_ns - floor_div(t_ns, period_ns_) * period_ns_ : t_ns);
  return {step.volts, step.amperes};
}

// Steps without a period. Lengths are differences of integers, so a window far from 0 is as exact as a near one.
PowerTrace::Integral PowerTrace::integrate_steps(std::int64_t begin_ns, std::int64_t end_ns) const {
  Integral sum;
  std::size_t index = static_cast<std::size_t>(&step_at(begin_ns) - steps_.data());
  for (std::int64_t t = begin_ns; t < end_ns; ++index) {
    const Step& step = steps_[index];
    const std::int64_t next = index + 1 < steps_.size() ? steps_[index + 1].t_ns : end_ns;
    const std::int64_t until = std::min(next, end_ns);
    const double seconds = static_cast<double>(until - t) * kSecondsPerNanosecond;
    sum.volt_seconds += step.volts * seconds;
    sum.ampere_seconds += step.amperes * seconds;
    sum.joules += step.volts * step.amperes * seconds;
    t = until;
  }
  return sum;
}

PowerTrace::Integral PowerTrace::integrate(std::int64_t begin_ns, std::int64_t end_ns) const {
  Integral sum;
  if (end_ns <= begin_ns) {
    return sum;
  }
  const auto add = [&sum](const Integral& part, double times) {
    sum.volt_seconds += part.volt_seconds * times;
    sum.ampere_seconds += part.ampere_seconds * times;
    sum.joules += part.joules * times;
  };
  if (function_) {
    const std::int64_t length = end_ns - begin_ns;
    const std::int64_t points = (length + resolution_ns_ - 1) / resolution_ns_;
    const double seconds = static_cast<double>(length) * kSecondsPerNanosecond / static_cast<double>(points);
    for (std::int64_t i = 0; i < points; ++i) {
      const double middle = (static_cast<double>(i) + 0.5) * static_cast<double>(length) / static_cast<double>(points);
      const Electrical value = function_(begin_ns + static_cast<std::int64_t>(middle));
      add({value.volts, value.amperes, value.volts * value.amperes}, seconds);
    }
    return sum;
  }
  if (period_ns_ == 0) {
    return integrate_steps(begin_ns, end_ns);
  }
  const std::int64_t first = floor_div(begin_ns, period_ns_);
  const std::int64_t last = floor_div(end_ns, period_ns_);
  const std::int64_t begin_within = begin_ns - first * period_ns_;
  const std::int64_t end_within = end_ns - last * period_ns_;
  if (first == last) {
    return integrate_steps(begin_within, end_within);
  }
  add(integrate_steps(begin_within, period_ns_), 1.0);
  add(period_integral_, static_cast<double>(last - first - 1));
  add(integrate_steps(0, end_within), 1.0);
  return sum;
}

Electrical PowerTrace::mean(std::int64_t begin_ns, std::int64_t end_ns) const {
  if (end_ns <= begin_ns) {
    return at(begin_ns);
  }
  const Integral sum = integrate(begin_ns, end_ns);
  const double seconds = static_cast<double>(end_ns - begin_ns) * kSecondsPerNanosecond;
  return {sum.volt_seconds / seconds, sum.ampere_seconds / seconds};
}

double PowerTrace::joules(std::int64_t begin_ns, std::int64_t end_ns) const {
  return integrate(begin_ns, end_ns).joules;
}

double PowerTrace::coulombs(std::int64_t begin_ns, std::int64_t end_ns) const {
  return integrate(begin_ns, end_ns).ampere_seconds;
}

}  // namespace edgejoule::emulated_board
