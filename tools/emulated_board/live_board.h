// An emulated board whose power follows what runs on it: ops by a hidden law, temperature, wake-ups, other programs;
// rails as its regulators split it, chips that measure them. Time is virtual and moves only when something runs.
//
// A board is a text file; lines that begin with chip, channel or sampling are those of board_file.h, with the names of
// rails as traces:
//
//   board       Jetson Orin Nano, emulated
//   compatible  emulated,orin-nano
//   total       input of the module                     # what the rails marked total add up to
//   behaviour   switches cache overlap residency texture
//   engine      cpu kind=cpu threads=6 gmacs_per_s=8 pj_mac=9 ...   # members of LawEngine
//   memory      gbytes_per_s=20 pj_byte=45 idle_w=0.35
//   point       15W cpu_mhz=1510 memory_mhz=2133 millivolts=870
//   base        soc_w=0.55 other_w=0.5
//   thermal     ambient_c=32 k_per_w=6 seconds=25 leak_w=0.1 leak_per_k=0.015 throttle_c=97
//   noise       watts=0.05 wander=0.01
//   others      every_s=20 for_ms=250 watts=0.9 slowdown=1.2
//   rail        VDD_IN total volts=5 of=engines,memory,soc,other loss=0.08
//   chip        0x40 ina3221 shunt_offset_uv=40 shunt_noise_uv=25
//   channel     0x40 1 trace=VDD_IN shunt_uohm=5000
//   sampling    averages=1 conversion_us=1100
//   fault       rail at_s=100                            # rail, throttle, others, clock; for_s=... where it ends
//
// Units: nanoseconds since power-on, watts, degrees Celsius.
// Errors: BoardError (what, which file and line, what to do next).
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "emulated_board/board_file.h"
#include "emulated_board/law.h"

namespace edgejoule::emulated_board {

struct LiveRail {
  std::string label;
  bool in_total = false;
  double volts = 5;
  double loss = 0;  // of the regulator behind it: the rail shows the load times 1 + loss
  bool engines = false, memory = false, soc = false, other = false;
};

struct LiveChip {
  std::uint8_t address = 0x40;
  std::string model;
  std::vector<std::string> rails;          // by channel; "" measures nothing
  std::vector<std::uint32_t> shunts_uohm;  // by channel
};

struct Sampling {
  std::uint16_t averages = 1;
  std::uint16_t conversion_us = 1100;
};

struct Thermal {
  double ambient_c = 32, k_per_w = 6, seconds = 25;
  double leak_w = 0, leak_per_k = 0;  // leakage at 50 degrees, and how it grows
  double throttle_c = 200;
};

struct Noise {
  double watts = 0;   // of each moment
  double wander = 0;  // of what an execution costs, fraction, slow
};

// Another program now and then.
struct Others {
  double every_s = 0;  // 0: never
  double for_ms = 250;
  double watts = 0.9;
  double slowdown = 1.2;
};

struct ScheduledFault {
  enum class Kind { kRail, kThrottle, kOthers, kClock };
  Kind kind = Kind::kRail;
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = std::numeric_limits<std::int64_t>::max();
};

// What a board file says.
struct BoardLaw {
  std::string name;  // the file or built-in name, for messages
  std::string board, compatible, total_description;
  Law law;
  double soc_w = 0.5, other_w = 0.5;
  Thermal thermal;
  Noise noise;
  Others others;
  Sampling sampling;
  std::vector<LiveRail> rails;
  std::vector<LiveChip> chips;
  std::vector<ScheduledFault> faults;
  std::string chip_lines;  // for read_board
};

struct BuiltInLaw {
  const char* name;
  const char* text;
};
[[nodiscard]] const std::vector<BuiltInLaw>& built_in_laws();

[[nodiscard]] BoardLaw parse_law(std::istream& text, const std::string& name);
// A built-in name or the path of a file.
[[nodiscard]] BoardLaw load_law(const std::string& name_or_path);

class LiveBoard {
 public:
  LiveBoard(BoardLaw law, std::uint64_t seed);

  [[nodiscard]] const BoardLaw& law() const { return law_; }
  [[nodiscard]] Bus& bus() { return board_.bus; }
  [[nodiscard]] std::int64_t now_ns() const { return now_ns_; }

  void idle(std::int64_t ns);
  // Back to back; the first after a pause wakes the engine. Whoever reads the chips must follow in steps, see on_time.
  void run(const std::vector<LawOp>& ops, std::uint64_t executions, std::size_t engine, std::size_t point);
  // Busy without work for the memory.
  void spin(std::int64_t ns, std::size_t engine);

  // Called whenever rails are known up to now_ns(): the moment to read chips.
  std::function<void()> on_time;

  struct State {
    double temperature_c = 0;
    bool throttled = false;
    double clock = 1;         // against the operating point's
    double other_load_s = 0;  // processor seconds of other programs since the last call
  };
  State take_state();

 private:
  struct Load {
    double engine_w = 0, memory_w = 0;
  };
  void advance(std::int64_t ns, const Load& load, bool running, std::size_t engine);
  void step(std::int64_t ns, const Load& load, bool running, std::size_t engine);
  [[nodiscard]] bool fault(ScheduledFault::Kind kind) const;
  [[nodiscard]] bool others_run() const;
  [[nodiscard]] double slowdown() const;
  void schedule_faults();

  BoardLaw law_;
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
  std::vector<std::shared_ptr<PowerTrace>> traces_;  // by rail
  Board board_;
  std::int64_t now_ns_ = 0;
  std::vector<std::int64_t> last_busy_ns_;  // by engine
  std::vector<double> wander_;
  double wander_now_ = 1;
  double temperature_c_ = 0;
  std::int64_t next_others_ns_ = 0, others_until_ns_ = 0;
  double other_load_s_ = 0;
  bool rail_fault_on_ = false;
};

}  // namespace edgejoule::emulated_board
