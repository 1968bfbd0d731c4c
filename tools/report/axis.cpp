#include "report/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "text/quantity_text.h"

namespace edgejoule::report {
namespace {

// The largest of 1, 2, 5 x 10^n that gives at least `wanted` steps over the span.
double round_step(double span, int wanted) {
  const double raw = span / wanted;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  const double lead = raw / power;
  return (lead >= 5 ? 5 : lead >= 2 ? 2 : 1) * power;
}

// Away from 1, each at least 1.6 times as far on the scale as the one before.
std::vector<Tick> ratio_ticks(double high) {
  constexpr std::array<double, 17> kFactors = {1.01, 1.02, 1.05, 1.1, 1.2, 1.5, 2,   3,  5,
                                               10,   20,   50,   100, 1e3, 1e4, 1e5, 1e6};
  constexpr std::size_t kOnASide = 3;
  std::vector<Tick> out = {{1, "equal", false}};
  double last = std::log(high) * 1.6;
  for (std::size_t i = kFactors.size(); i-- > 0 && out.size() < 1 + 2 * kOnASide;) {
    const double place = std::log(kFactors[i]);
    if (kFactors[i] > high * (1 + 1e-9) || place * 1.6 > last * (1 + 1e-9)) continue;
    last = place;
    out.push_back({kFactors[i], fmt::format("\u00d7 {:g}", kFactors[i]), false});
    out.push_back({1 / kFactors[i], fmt::format("\u00f7 {:g}", kFactors[i]), false});
  }
  std::sort(out.begin(), out.end(), [](const Tick& a, const Tick& b) { return a.value < b.value; });
  return out;
}

}  // namespace

Axis::Axis(Scale scale, const std::vector<double>& values, std::string label, std::string unit)
    : scale_(scale), low_(0), high_(0), label_(std::move(label)), unit_(std::move(unit)) {
  bool any = false;
  for (const double value : values) {
    if (!std::isfinite(value) || (scale_ != Scale::kLinear && value <= 0)) continue;
    low_ = any ? std::min(low_, value) : value;
    high_ = any ? std::max(high_, value) : value;
    any = true;
  }
  if (scale_ == Scale::kRatio) {
    constexpr double kLeast = 1.1;
    high_ = any ? std::max({high_, 1 / low_, kLeast}) * 1.02 : kLeast;
    low_ = 1 / high_;
    return;
  }
  if (!any) {
    low_ = scale_ == Scale::kLog10 ? 1 : 0;
    high_ = scale_ == Scale::kLog10 ? 10 : 1;
  }
  if (scale_ == Scale::kLog10) {
    // Whole decades where there are several, else 1-2-5 bounds.
    if (high_ / low_ > 30) {
      low_ = std::pow(10, std::floor(std::log10(low_)));
      high_ = std::pow(10, std::ceil(std::log10(high_)));
    } else {
      low_ /= 1.1;
      high_ *= 1.1;
    }
    return;
  }
  if (high_ == low_) {
    const double margin = high_ == 0 ? 1 : std::fabs(high_) / 2;
    low_ -= margin;
    high_ += margin;
  }
  const double step = round_step(high_ - low_, 5);
  low_ = std::floor(low_ / step) * step;
  high_ = std::ceil(high_ / step) * step;
}

bool Axis::shows(double value) const {
  return std::isfinite(value) && (scale_ == Scale::kLinear || value > 0) && value >= low_ && value <= high_;
}

double Axis::position(double value) const {
  if (scale_ != Scale::kLinear) return std::log(value / low_) / std::log(high_ / low_);
  return (value - low_) / (high_ - low_);
}

std::vector<Tick> Axis::ticks(int wanted) const {
  if (scale_ == Scale::kRatio) return ratio_ticks(high_);
  std::vector<Tick> out;
  if (scale_ == Scale::kLinear) {
    const double step = round_step(high_ - low_, wanted);
    const double first = std::ceil(low_ / step - 1e-9);
    for (double i = first; i * step <= high_ + step * 1e-9; ++i)
      out.push_back({i * step, text::si(i * step, unit_), false});
  } else {
    const double decades = std::log10(high_ / low_);
    const std::vector<double> leads = decades > 3 ? std::vector<double>{1} : std::vector<double>{1, 2, 5};
    const int every = std::max(1, static_cast<int>(std::ceil(decades / wanted)));
    for (int power = static_cast<int>(std::floor(std::log10(low_))); power <= std::ceil(std::log10(high_)); ++power) {
      if (leads.size() == 1 && power % every != 0) continue;
      for (const double lead : leads) {
        const double value = lead * std::pow(10, power);
        if (value >= low_ * (1 - 1e-9) && value <= high_ * (1 + 1e-9))
          out.push_back({value, text::si(value, unit_), lead != 1 && decades > 1.5});
      }
    }
    if (out.size() < 2) {
      out = {{low_, text::si(low_, unit_), false}, {high_, text::si(high_, unit_), false}};
    }
  }
  // "1.00 mJ" says no more than "1 mJ" at a tick.
  for (Tick& tick : out) {
    const std::size_t space = tick.label.find(' ');
    const std::size_t dot = tick.label.find('.');
    if (dot == std::string::npos || dot > space) continue;
    std::size_t end = space == std::string::npos ? tick.label.size() : space;
    while (end > dot && (tick.label[end - 1] == '0' || tick.label[end - 1] == '.')) {
      --end;
      tick.label.erase(end, 1);
      if (end == dot) break;
    }
  }
  return out;
}

}  // namespace edgejoule::report
