// A made-up /sys in a temporary folder, as the kernels of JetPack 4 to 6 lay it out.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "support/temporary_folder.h"

namespace edgejoule::test {

class FakeSysfs {
 public:
  [[nodiscard]] std::string root() const { return folder_.path().string(); }
  [[nodiscard]] std::string at(const std::string& path) const { return root() + path; }

  void write(const std::string& path, const std::string& text) const {
    const std::filesystem::path full = at(path);
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full, std::ios::trunc) << text << "\n";
  }
  void link(const std::string& path, const std::string& target) const {
    const std::filesystem::path full = at(path);
    std::filesystem::create_directories(full.parent_path());
    std::filesystem::create_symlink(at(target), full);
  }
  void remove(const std::string& path) const { std::filesystem::remove_all(at(path)); }

  // An I2C device with a hwmon folder below it, reached by its class link. Returns the hwmon folder.
  std::string hwmon(int number, const std::string& i2c_name, const std::string& name) const {
    const std::string device = "/sys/devices/i2c-" + i2c_name.substr(0, i2c_name.find('-')) + "/" + i2c_name;
    const std::string folder = device + "/hwmon/hwmon" + std::to_string(number);
    write(folder + "/name", name);
    link(folder + "/device", device);
    link("/sys/class/hwmon/hwmon" + std::to_string(number), folder);
    return folder;
  }

  // INA3221 of an Orin Nano: VDD_IN, VDD_CPU_GPU_CV, VDD_SOC over 5 mOhm.
  std::string orin_nano(int number = 3) const {
    const std::string folder = hwmon(number, "1-0040", "ina3221");
    const std::vector<std::string> labels = {"VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"};
    for (int channel = 1; channel <= 3; ++channel) {
      const std::string n = std::to_string(channel);
      write(folder + "/in" + n + "_label", labels[static_cast<std::size_t>(channel - 1)]);
      write(folder + "/in" + n + "_input", channel == 1 ? "5080" : "5000");
      write(folder + "/in" + n + "_enable", "1");
      write(folder + "/curr" + n + "_input", std::to_string(channel * 400));
      write(folder + "/shunt" + n + "_resistor", "5000");
    }
    for (int extra = 4; extra <= 7; ++extra) write(folder + "/in" + std::to_string(extra) + "_input", "4040");
    write(folder + "/in7_label", "sum of shunt voltages");
    write(folder + "/curr4_input", "2400");
    write(folder + "/samples", "1");
    write(folder + "/update_interval", "7");
    return folder;
  }

 private:
  test::TemporaryFolder folder_;
};

}  // namespace edgejoule::test
