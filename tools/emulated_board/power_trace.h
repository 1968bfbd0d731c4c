// What a rail really does: volts and amperes as functions of time. The truth that emulated chips measure.
//
// Units: nanoseconds, volts, amperes, joules, coulombs; current is signed.
// Errors: TraceError (what, where, what to do next) from the makers; the queries never fail.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <stdexcept>
#include <string>
#include <vector>

namespace edgejoule::emulated_board {

struct TraceError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Electrical {
  double volts = 0.0;
  double amperes = 0.0;
};

class PowerTrace {
 public:
  // Holds from t_ns until the next step; the first one holds before it too.
  struct Step {
    std::int64_t t_ns = 0;
    double volts = 0.0;
    double amperes = 0.0;
  };

  static PowerTrace constant(double volts, double amperes);

  // Strictly rising times. A period other than 0 repeats [0, period_ns) for all time; all steps must lie in it
  // and the first must begin at 0. Otherwise the last step holds for ever.
  static PowerTrace piecewise(std::vector<Step> steps, std::int64_t period_ns = 0);

  // `high` during the first high_ns of every period, `low` for the rest.
  static PowerTrace square(Electrical high, Electrical low, std::int64_t high_ns, std::int64_t period_ns);

  // Any function of time, averaged over windows at midpoints at most resolution_ns apart.
  static PowerTrace function(std::function<Electrical(std::int64_t)> at, std::int64_t resolution_ns);

  // Lines "t_s,volts,amperes"; lines that begin with '#' or a letter (a heading) are skipped.
  // `name` is what errors call the stream.
  static PowerTrace from_csv(std::istream& csv, const std::string& name);

  // For a trace that is written while chips already read it: the step must begin after the last one. Not for periodic
  // traces and functions.
  void append(const Step& step);
  // Steps that ended before `t_ns` will not be asked for again.
  void forget_before(std::int64_t t_ns);

  [[nodiscard]] Electrical at(std::int64_t t_ns) const;

  // Mean of volts and mean of amperes over [begin, end); the value at begin if the window is empty.
  [[nodiscard]] Electrical mean(std::int64_t begin_ns, std::int64_t end_ns) const;

  [[nodiscard]] double joules(std::int64_t begin_ns, std::int64_t end_ns) const;
  [[nodiscard]] double coulombs(std::int64_t begin_ns, std::int64_t end_ns) const;

 private:
  struct Integral {
    double volt_seconds = 0.0;
    double ampere_seconds = 0.0;
    double joules = 0.0;
  };

  PowerTrace() = default;
  [[nodiscard]] const Step& step_at(std::int64_t within_ns) const;
  [[nodiscard]] Integral integrate(std::int64_t begin_ns, std::int64_t end_ns) const;
  [[nodiscard]] Integral integrate_steps(std::int64_t begin_ns, std::int64_t end_ns) const;

  std::vector<Step> steps_;
  std::int64_t period_ns_ = 0;
  Integral period_integral_;
  std::function<Electrical(std::int64_t)> function_;
  std::int64_t resolution_ns_ = 0;
};

}  // namespace edgejoule::emulated_board
