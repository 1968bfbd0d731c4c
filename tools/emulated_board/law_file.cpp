#include <array>
#include <cmath>
#include <fstream>
#include <istream>
#include <map>
#include <sstream>

#include "emulated_board/live_board.h"
#include "emulated_board/words.h"

namespace edgejoule::emulated_board {
namespace {

// An Orin Nano's rails behind its INA3221 at the kernel's default timing. The figures are made up in the range of such
// boards; only the wiring, the shunts and the chip are the real one's.
constexpr const char* kOrinNano = R"(
board       Jetson Orin Nano developer kit, emulated
compatible  emulated,orin-nano
total       input of the module; the carrier board is outside
behaviour   switches cache overlap residency texture
engine      cpu kind=cpu threads=6 gmacs_per_s=14 gbytes_per_s=22 pj_mac=21 pj_byte=6 pj_element=9 pj_special=120 launch_us=3 launch_uj=2.5 last_level_bytes=4194304 on_w=0.30 idle_w=0.16 gated_w=0.04 gate_after_ms=3 wake_uj=450 wake_us=350
engine      gpu kind=gpu threads=1 gmacs_per_s=480 gbytes_per_s=120 pj_mac=4.5 pj_byte=5 pj_element=5 pj_special=20 launch_us=9 launch_uj=12 last_level_bytes=4194304 on_w=0.55 idle_w=0.30 gated_w=0.03 gate_after_ms=8 wake_uj=2500 wake_us=1500
memory      gbytes_per_s=34 pj_byte=38 idle_w=0.42
point       15W cpu_mhz=1510 gpu_mhz=625 memory_mhz=2133 millivolts=860
point       7W cpu_mhz=960 gpu_mhz=408 memory_mhz=2133 millivolts=720
base        soc_w=0.62 other_w=0.55
thermal     ambient_c=31 k_per_w=4.5 seconds=28 leak_w=0.12 leak_per_k=0.014 throttle_c=97
noise       watts=0.06 wander=0.006
others      every_s=25 for_ms=220 watts=0.7 slowdown=1.15
rail        VDD_IN total volts=5 of=engines,memory,soc,other loss=0.08
rail        VDD_CPU_GPU_CV volts=5 of=engines loss=0.04
rail        VDD_SOC volts=5 of=memory,soc loss=0.04
chip        0x40 ina3221 shunt_offset_uv=35 shunt_gain_error=0.0012 shunt_noise_uv=22 bus_noise_uv=3000 clock_error=0.007
channel     0x40 1 trace=VDD_IN shunt_uohm=5000
channel     0x40 2 trace=VDD_CPU_GPU_CV shunt_uohm=5000
channel     0x40 3 trace=VDD_SOC shunt_uohm=5000
sampling    averages=1 conversion_us=1100
)";

struct Number {
  const char* key;
  double* value;
};

void take(Words& line, const std::vector<Number>& numbers) {
  for (const Number& number : numbers) {
    if (const auto value = line.option(number.key)) *number.value = to_number(*value);
  }
}

// Not negative: powers, times, rates.
void take_sizes(Words& line, const std::vector<Number>& numbers) {
  take(line, numbers);
  for (const Number& number : numbers) {
    if (*number.value < 0) throw WordsError(std::string(number.key) + " must not be negative");
  }
}

std::string rest_of(const std::string& content) {
  std::istringstream stream(content.substr(0, content.find('#')));
  std::string word, rest;
  stream >> word;
  while (stream >> word) rest += (rest.empty() ? "" : " ") + word;
  return rest;
}

LawEngine parse_engine(Words& line) {
  LawEngine engine;
  engine.name = line.next("the engine's name");
  if (const auto kind = line.option("kind")) engine.kind = *kind;
  if (engine.kind != "cpu" && engine.kind != "gpu" && engine.kind != "dla" && engine.kind != "npu") {
    throw WordsError("kind=" + engine.kind + " is unknown; use cpu, gpu, dla or npu");
  }
  if (const auto threads = line.option("threads")) {
    engine.threads = static_cast<int>(to_integer(*threads, 1, 1024));
  }
  take_sizes(line, {{"gmacs_per_s", &engine.gmacs_per_s},
                    {"gbytes_per_s", &engine.gbytes_per_s},
                    {"pj_mac", &engine.pj_mac},
                    {"pj_byte", &engine.pj_byte},
                    {"pj_element", &engine.pj_element},
                    {"pj_special", &engine.pj_special},
                    {"launch_us", &engine.launch_us},
                    {"launch_uj", &engine.launch_uj},
                    {"last_level_bytes", &engine.last_level_bytes},
                    {"on_w", &engine.on_w},
                    {"idle_w", &engine.idle_w},
                    {"gated_w", &engine.gated_w},
                    {"gate_after_ms", &engine.gate_after_ms},
                    {"wake_uj", &engine.wake_uj},
                    {"wake_us", &engine.wake_us}});
  if (engine.gmacs_per_s <= 0 || engine.gbytes_per_s <= 0 || engine.last_level_bytes <= 0 || engine.launch_us <= 0) {
    throw WordsError("gmacs_per_s, gbytes_per_s, last_level_bytes and launch_us must be above 0");
  }
  return engine;
}

void parse_behaviour(Words& line, Behaviour& behaviour) {
  const std::map<std::string, bool*> switches{{"switches", &behaviour.switches},
                                              {"cache", &behaviour.cache},
                                              {"overlap", &behaviour.overlap},
                                              {"residency", &behaviour.residency},
                                              {"texture", &behaviour.texture}};
  while (const auto word = line.next_plain()) {
    const auto found = switches.find(*word);
    if (found == switches.end()) {
      throw WordsError("behaviour '" + *word + "' is unknown; use switches, cache, overlap, residency, texture");
    }
    *found->second = true;
  }
}

LiveRail parse_rail(Words& line) {
  LiveRail rail;
  rail.label = line.next("the rail's label");
  while (const auto word = line.next_plain()) {
    if (*word != "total") throw WordsError("'" + *word + "' is not understood here; a rail may be 'total'");
    rail.in_total = true;
  }
  take_sizes(line, {{"volts", &rail.volts}, {"loss", &rail.loss}});
  if (rail.volts <= 0) throw WordsError("volts must be above 0");
  std::istringstream parts(line.required("of"));
  const std::map<std::string, bool*> known{
      {"engines", &rail.engines}, {"memory", &rail.memory}, {"soc", &rail.soc}, {"other", &rail.other}};
  for (std::string part; std::getline(parts, part, ',');) {
    const auto found = known.find(part);
    if (found == known.end()) {
      throw WordsError("of=" + part + " is unknown; use engines, memory, soc, other with commas between");
    }
    *found->second = true;
  }
  return rail;
}

ScheduledFault parse_scheduled(Words& line) {
  const std::map<std::string, ScheduledFault::Kind> kinds{{"rail", ScheduledFault::Kind::kRail},
                                                          {"throttle", ScheduledFault::Kind::kThrottle},
                                                          {"others", ScheduledFault::Kind::kOthers},
                                                          {"clock", ScheduledFault::Kind::kClock}};
  const std::string word = line.next("the kind of fault");
  const auto found = kinds.find(word);
  if (found == kinds.end()) {
    throw WordsError("fault '" + word + "' is unknown; use rail, throttle, others or clock");
  }
  ScheduledFault fault;
  fault.kind = found->second;
  fault.begin_ns = static_cast<std::int64_t>(to_number(line.required("at_s")) * 1e9);
  if (const auto length = line.option("for_s")) {
    fault.end_ns = fault.begin_ns + static_cast<std::int64_t>(to_number(*length) * 1e9);
  }
  return fault;
}

// Chips are described twice: board_file.h makes them, and this is what a reader of theirs must know.
void note_chip(const std::string& content, std::vector<LiveChip>& chips) {
  Words line(content);
  const bool is_chip = line.next("a keyword") == "chip";
  const auto address = static_cast<std::uint8_t>(to_integer(line.next("the address"), 0x03, 0x77));
  if (is_chip) {
    LiveChip chip;
    chip.address = address;
    chip.model = line.next("the chip's name");
    const std::size_t channels = chip.model == "ina3221" ? 3 : 1;
    chip.rails.resize(channels);
    chip.shunts_uohm.resize(channels);
    chips.push_back(std::move(chip));
    return;
  }
  for (LiveChip& chip : chips) {
    if (chip.address != address) continue;
    const auto channel =
        static_cast<std::size_t>(to_integer(line.next("the channel"), 1, static_cast<std::int64_t>(chip.rails.size())));
    chip.rails[channel - 1] = line.required("trace");
    if (const auto shunt = line.option("shunt_uohm")) {
      chip.shunts_uohm[channel - 1] = static_cast<std::uint32_t>(to_number(*shunt));
    }
  }
}

void check(const BoardLaw& law) {
  const auto fail = [&](const std::string& what) { throw BoardError(law.name + ": " + what); };
  if (law.law.engines.empty()) fail("no engine; add a line such as 'engine cpu kind=cpu threads=4'");
  if (law.law.points.empty()) fail("no operating point; add a line such as 'point MAXN cpu_mhz=1500'");
  if (law.chips.empty()) fail("no chip measures anything; add 'chip' and 'channel' lines");
  bool total = false;
  for (const LiveRail& rail : law.rails) {
    if (!rail.in_total) continue;
    total = true;
    bool measured = false;
    for (const LiveChip& chip : law.chips) {
      for (const std::string& label : chip.rails) measured = measured || label == rail.label;
    }
    if (!measured) fail("no channel measures the rail " + rail.label + ", which the total needs");
  }
  if (!total) fail("no rail is marked total; write it behind the label of each rail whose sum is the board's power");
}

}  // namespace

const std::vector<BuiltInLaw>& built_in_laws() {
  static const std::vector<BuiltInLaw> laws{{"orin-nano", kOrinNano}};
  return laws;
}

BoardLaw parse_law(std::istream& text, const std::string& name) {
  BoardLaw law;
  law.name = name;
  std::string content;
  for (std::size_t number = 1; std::getline(text, content); ++number) {
    bool of_chip = false;
    try {
      Words line(content);
      if (!line.empty()) {
        const std::string keyword = line.next("a keyword");
        if (keyword == "board") {
          law.board = rest_of(content);
        } else if (keyword == "compatible") {
          law.compatible = rest_of(content);
        } else if (keyword == "total") {
          law.total_description = rest_of(content);
        } else if (keyword == "behaviour") {
          parse_behaviour(line, law.law.behaviour);
          line.expect_end();
        } else if (keyword == "chip" || keyword == "channel") {
          of_chip = true;
          note_chip(content, law.chips);
        } else {
          if (keyword == "engine") {
            law.law.engines.push_back(parse_engine(line));
          } else if (keyword == "memory") {
            LawMemory& memory = law.law.memory;
            take_sizes(
                line,
                {{"gbytes_per_s", &memory.gbytes_per_s}, {"pj_byte", &memory.pj_byte}, {"idle_w", &memory.idle_w}});
            if (memory.gbytes_per_s <= 0) throw WordsError("gbytes_per_s must be above 0");
          } else if (keyword == "point") {
            LawPoint& point = law.law.points.emplace_back();
            point.name = line.next("the operating point's name");
            take_sizes(line, {{"cpu_mhz", &point.cpu_mhz},
                              {"gpu_mhz", &point.gpu_mhz},
                              {"memory_mhz", &point.memory_mhz},
                              {"millivolts", &point.millivolts}});
          } else if (keyword == "base") {
            take_sizes(line, {{"soc_w", &law.soc_w}, {"other_w", &law.other_w}});
          } else if (keyword == "thermal") {
            take(line, {{"ambient_c", &law.thermal.ambient_c},
                        {"k_per_w", &law.thermal.k_per_w},
                        {"seconds", &law.thermal.seconds},
                        {"leak_w", &law.thermal.leak_w},
                        {"leak_per_k", &law.thermal.leak_per_k},
                        {"throttle_c", &law.thermal.throttle_c}});
            if (law.thermal.seconds <= 0) throw WordsError("seconds must be above 0");
          } else if (keyword == "noise") {
            take_sizes(line, {{"watts", &law.noise.watts}, {"wander", &law.noise.wander}});
          } else if (keyword == "others") {
            take_sizes(line, {{"every_s", &law.others.every_s},
                              {"for_ms", &law.others.for_ms},
                              {"watts", &law.others.watts},
                              {"slowdown", &law.others.slowdown}});
          } else if (keyword == "rail") {
            law.rails.push_back(parse_rail(line));
          } else if (keyword == "sampling") {
            if (const auto averages = line.option("averages")) {
              law.sampling.averages = static_cast<std::uint16_t>(to_integer(*averages, 1, 1024));
            }
            if (const auto time = line.option("conversion_us")) {
              law.sampling.conversion_us = static_cast<std::uint16_t>(to_integer(*time, 1, 10'000));
            }
          } else if (keyword == "fault") {
            law.faults.push_back(parse_scheduled(line));
          } else {
            throw WordsError("'" + keyword +
                             "' is unknown; lines begin with board, compatible, total, behaviour, engine, memory, "
                             "point, base, thermal, noise, others, rail, chip, channel, sampling or fault");
          }
          line.expect_end();
        }
      }
    } catch (const WordsError& error) {
      throw BoardError(name + ":" + std::to_string(number) + ": " + error.what());
    }
    law.chip_lines += (of_chip ? content : std::string()) + "\n";  // line numbers stay
  }
  check(law);
  if (law.board.empty()) law.board = name;
  return law;
}

BoardLaw load_law(const std::string& name_or_path) {
  for (const BuiltInLaw& law : built_in_laws()) {
    if (name_or_path != law.name) continue;
    std::istringstream text(law.text);
    return parse_law(text, law.name);
  }
  std::ifstream file(name_or_path);
  if (!file) {
    std::string names;
    for (const BuiltInLaw& law : built_in_laws()) names += (names.empty() ? "" : ", ") + std::string(law.name);
    throw BoardError(name_or_path + ": no such file, and no built-in emulated board of that name; there are: " + names);
  }
  return parse_law(file, name_or_path);
}

}  // namespace edgejoule::emulated_board
