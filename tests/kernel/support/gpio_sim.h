// Simulated GPIO lines whose inputs a test moves, through the kernel's gpio-sim.
//
// Lifetime: the chip goes away with the object.
// Errors: std::runtime_error from the constructor.
#pragma once

#include <string>
#include <vector>

namespace edgejoule::kernel_tier {

class GpioSim {
 public:
  // One line per name, in order.
  explicit GpioSim(const std::vector<std::string>& names);
  ~GpioSim();
  GpioSim(const GpioSim&) = delete;
  GpioSim& operator=(const GpioSim&) = delete;

  [[nodiscard]] const std::string& chip() const { return chip_; }  // "gpiochip1"
  [[nodiscard]] std::string pull_file(unsigned line) const;
  void pull(unsigned line, bool high) const;

  // What somebody drives on an output.
  [[nodiscard]] bool value(unsigned line) const;

  // Takes the chip away under its users, as an unplugged expander.
  void remove();

 private:
  std::string config_;
  std::string chip_;
  std::string device_;
  std::size_t lines_;
  bool live_ = false;
};

}  // namespace edgejoule::kernel_tier
