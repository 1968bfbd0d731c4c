// A board described in a small text file: traces, chips, and which rail each channel measures.
//
//   # current steps between 0.1 A and 0.9 A every 100 ms
//   trace cpu  square volts=5 low=0.1 high=0.9 high_us=100000 period_us=200000
//   trace gpu  constant volts=5 amperes=-0.25
//   trace soc  steps 0:5:0.5 1000:5:0.75 period_us=2000          # time in us : volts : amperes
//   trace in   csv power.csv                                       # t_s,volts,amperes
//   chip 0x40 ina3221 shunt_offset_uv=80 shunt_gain_error=0.0025 shunt_noise_uv=20 seed=7 clock_error=0.01
//   channel 0x40 1 trace=cpu shunt_uohm=5000
//   chip 0x41 ina226
//   channel 0x41 1 trace=cpu shunt_uohm=10000
//
// Chips: ina219 ina226 ina230 ina231 ina260 ina228 ina237 ina238 ina3221. Options of a chip are the members of
// Imperfection. A channel without a line measures nothing: 0 V and 0 A.
// Errors: BoardError (what, which file and line, what to do next).
#pragma once

#include <filesystem>
#include <iosfwd>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include "emulated_board/bus.h"
#include "emulated_board/power_trace.h"

namespace edgejoule::emulated_board {

struct BoardError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Time 0 of the traces is time 0 of the transfers, and the chips were powered on then.
struct Board {
  std::map<std::string, std::shared_ptr<const PowerTrace>> traces;
  Bus bus;
};

// `name` is what errors call the text; relative csv paths are looked up in `folder`.
// `traces` are there already, and the text may use them by name.
[[nodiscard]] Board read_board(std::istream& text, const std::string& name, const std::filesystem::path& folder,
                               std::map<std::string, std::shared_ptr<const PowerTrace>> traces = {});
[[nodiscard]] Board read_board_file(const std::filesystem::path& path);

}  // namespace edgejoule::emulated_board
