// Axes of charts: a range, a scale, and the ticks a person expects on it.
#pragma once

#include <string>
#include <vector>

namespace edgejoule::report {

// kRatio: logarithmic and symmetric around 1; ticks read "x 1.5", "/ 1.5", "equal".
enum class Scale { kLinear, kLog10, kRatio };

struct Tick {
  double value = 0;
  std::string label;
  bool minor = false;  // between decades: its label may be left away where space is scarce
};

class Axis {
 public:
  // The range is widened to round numbers. Values that have no place on the scale
  // (not finite; not positive on a logarithmic one or a ratio) are ignored; without any the
  // range is 0..1 (1..10; 1/1.1..1.1).
  Axis(Scale scale, const std::vector<double>& values, std::string label, std::string unit);

  [[nodiscard]] const std::string& label() const { return label_; }
  [[nodiscard]] double low() const { return low_; }
  [[nodiscard]] double high() const { return high_; }
  // Whether the value has a place on the axis.
  [[nodiscard]] bool shows(double value) const;
  // 0 at low(), 1 at high().
  [[nodiscard]] double position(double value) const;
  // At least two and about `wanted`.
  [[nodiscard]] std::vector<Tick> ticks(int wanted) const;

 private:
  Scale scale_;
  double low_;
  double high_;
  std::string label_;
  std::string unit_;
};

}  // namespace edgejoule::report
