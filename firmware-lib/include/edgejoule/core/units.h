// Physical quantities as types: a joule is not a watt, and a bare float is neither.
//
// Units: SI base magnitudes in float32 (joules, watts, seconds, volts, amperes,
// hertz, degrees Celsius). Raw integer fields elsewhere end in their unit
// (bus_uv, shunt_uohm, t_mono_ns).
// Errors: none; a wrong mix of quantities does not compile (tests/compile).
#pragma once

namespace edgejoule {

template <class Tag>
class Quantity {
 public:
  constexpr Quantity() noexcept = default;
  constexpr explicit Quantity(float value) noexcept : value_(value) {}

  [[nodiscard]] constexpr float value() const noexcept { return value_; }

  constexpr Quantity& operator+=(Quantity other) noexcept {
    value_ += other.value_;
    return *this;
  }
  constexpr Quantity& operator-=(Quantity other) noexcept {
    value_ -= other.value_;
    return *this;
  }
  constexpr Quantity& operator*=(float factor) noexcept {
    value_ *= factor;
    return *this;
  }

  friend constexpr Quantity operator+(Quantity a, Quantity b) noexcept { return Quantity(a.value_ + b.value_); }
  friend constexpr Quantity operator-(Quantity a, Quantity b) noexcept { return Quantity(a.value_ - b.value_); }
  friend constexpr Quantity operator-(Quantity a) noexcept { return Quantity(-a.value_); }
  friend constexpr Quantity operator*(Quantity a, float factor) noexcept { return Quantity(a.value_ * factor); }
  friend constexpr Quantity operator*(float factor, Quantity a) noexcept { return Quantity(factor * a.value_); }
  friend constexpr Quantity operator/(Quantity a, float divisor) noexcept { return Quantity(a.value_ / divisor); }
  // The ratio of two like quantities is a number.
  friend constexpr float operator/(Quantity a, Quantity b) noexcept { return a.value_ / b.value_; }
  friend constexpr bool operator==(Quantity a, Quantity b) noexcept { return a.value_ == b.value_; }
  friend constexpr bool operator!=(Quantity a, Quantity b) noexcept { return a.value_ != b.value_; }
  friend constexpr bool operator<(Quantity a, Quantity b) noexcept { return a.value_ < b.value_; }
  friend constexpr bool operator>(Quantity a, Quantity b) noexcept { return a.value_ > b.value_; }
  friend constexpr bool operator<=(Quantity a, Quantity b) noexcept { return a.value_ <= b.value_; }
  friend constexpr bool operator>=(Quantity a, Quantity b) noexcept { return a.value_ >= b.value_; }

 private:
  float value_ = 0.0F;
};

using Joules = Quantity<struct JoulesTag>;
using Watts = Quantity<struct WattsTag>;
using Seconds = Quantity<struct SecondsTag>;
using Volts = Quantity<struct VoltsTag>;
using Amperes = Quantity<struct AmperesTag>;
using Hertz = Quantity<struct HertzTag>;
using Celsius = Quantity<struct CelsiusTag>;

// The products that exist between different quantities; no others compile.
constexpr Joules operator*(Watts w, Seconds s) noexcept {
  return Joules(w.value() * s.value());
}
constexpr Joules operator*(Seconds s, Watts w) noexcept {
  return w * s;
}
constexpr Watts operator*(Volts v, Amperes a) noexcept {
  return Watts(v.value() * a.value());
}
constexpr Watts operator*(Amperes a, Volts v) noexcept {
  return v * a;
}
constexpr Watts operator/(Joules j, Seconds s) noexcept {
  return Watts(j.value() / s.value());
}
constexpr Seconds operator/(Joules j, Watts w) noexcept {
  return Seconds(j.value() / w.value());
}

}  // namespace edgejoule
