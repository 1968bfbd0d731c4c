#include "support/gpio_sim.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "support/files.h"

namespace edgejoule::kernel_tier {
namespace {

int made = 0;

void require(int error, const std::string& what) {
  if (error != 0) {
    throw std::runtime_error("gpio-sim: " + what + ": " + std::strerror(error));
  }
}

}  // namespace

GpioSim::GpioSim(const std::vector<std::string>& names)
    : config_("/sys/kernel/config/gpio-sim/edgejoule" + std::to_string(made++)), lines_(names.size()) {
  const std::string bank = config_ + "/bank0";
  require(::mkdir(config_.c_str(), 0755) < 0 ? errno : 0, config_);
  require(::mkdir(bank.c_str(), 0755) < 0 ? errno : 0, bank);
  require(write_file(bank + "/num_lines", std::to_string(names.size())), "num_lines");
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string line = bank + "/line" + std::to_string(i);
    require(::mkdir(line.c_str(), 0755) < 0 ? errno : 0, line);
    require(write_file(line + "/name", names[i]), "name");
  }
  require(write_file(config_ + "/live", "1"), "live");
  live_ = true;
  chip_ = read_file(bank + "/chip_name").text;
  device_ = "/sys/devices/platform/" + read_file(config_ + "/dev_name").text + "/" + chip_;
}

void GpioSim::remove() {
  if (live_) {
    live_ = false;
    require(write_file(config_ + "/live", "0"), "live");
  }
}

GpioSim::~GpioSim() {
  if (live_) {
    (void)write_file(config_ + "/live", "0");
  }
  for (std::size_t i = 0; i < lines_; ++i) {
    (void)::rmdir((config_ + "/bank0/line" + std::to_string(i)).c_str());
  }
  (void)::rmdir((config_ + "/bank0").c_str());
  (void)::rmdir(config_.c_str());
}

std::string GpioSim::pull_file(unsigned line) const {
  return device_ + "/sim_gpio" + std::to_string(line) + "/pull";
}

void GpioSim::pull(unsigned line, bool high) const {
  require(write_file(pull_file(line), high ? "pull-up" : "pull-down"), pull_file(line));
}

bool GpioSim::value(unsigned line) const {
  return read_file(device_ + "/sim_gpio" + std::to_string(line) + "/value").text == "1";
}

}  // namespace edgejoule::kernel_tier
