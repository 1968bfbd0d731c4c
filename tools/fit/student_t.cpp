#include "fit/student_t.h"

#include <cmath>
#include <numbers>

namespace edgejoule::fit {
namespace {

// The share between -t and t.
double within(double t, int freedom) {
  const double angle = std::atan(t / std::sqrt(freedom));
  const double cosine = std::cos(angle), sine = std::sin(angle);
  const bool odd = freedom % 2 != 0;
  double sum = 0, term = odd ? cosine : 1;
  for (int k = odd ? 3 : 2; k <= freedom; k += 2) {
    sum += term;
    term *= cosine * cosine * (k - 1) / k;
  }
  return odd ? 2 / std::numbers::pi * (angle + sine * sum) : sine * sum;
}

}  // namespace

double student_t_quantile(double level, int freedom) {
  if (level < 0.5) return -student_t_quantile(1 - level, freedom);
  const double wanted = 2 * level - 1;
  double low = 0, high = 1;
  while (within(high, freedom) < wanted) high *= 2;
  for (int halving = 0; halving < 60; ++halving) {
    const double middle = (low + high) / 2;
    (within(middle, freedom) < wanted ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace edgejoule::fit
