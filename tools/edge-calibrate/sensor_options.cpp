#include "sensor_options.h"

#include "command.h"

namespace edgejoule::calibrate {

void add_sensor_options(CLI::App& command, SensorArguments& arguments) {
  command.add_option("--board", arguments.board,
                     "Board description: a file (.json, .ejb) or a built-in name; default: by the device tree");
  command
      .add_option(
          "--i2c", arguments.raw,
          "Read a chip without a driver: BUS:ADDRESS[:CHIP[:SHUNT]], e.g. 1:0x40:ina226:10m (repeatable); shunts "
          "and names that are left out are the board's, where it has the chip")
      ->type_name("CHIP");
  command.add_option("--total", arguments.total, "Rails whose sum is the total, e.g. VDD_GPU_SOC,VDD_CPU_CV")
      ->delimiter(',');
  command.add_option("--root", arguments.root, "Look below this folder instead of / (a copied or made-up /sys)");
}

capture::Discovery discover(const SensorArguments& arguments) {
  capture::DiscoveryOptions options;
  options.root = arguments.root;
  options.board = arguments.board;
  options.total = arguments.total;
  for (const std::string& raw : arguments.raw) options.raw_chips.push_back(capture::parse_raw_chip(raw));
  return reading([&] { return capture::discover(options); });
}

}  // namespace edgejoule::calibrate
