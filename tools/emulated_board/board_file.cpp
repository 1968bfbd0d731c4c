#include "emulated_board/board_file.h"

#include <array>
#include <cmath>
#include <fstream>
#include <istream>
#include <optional>
#include <utility>
#include <vector>

#include "emulated_board/ina219.h"
#include "emulated_board/ina226.h"
#include "emulated_board/ina228.h"
#include "emulated_board/ina3221.h"
#include "emulated_board/words.h"

namespace edgejoule::emulated_board {
namespace {

constexpr double kMicro = 1e-6;

std::int64_t microseconds(const std::string& word) {
  return std::llround(to_number(word) * 1e3);
}

PowerTrace::Step parse_step(const std::string& word) {
  const std::size_t first = word.find(':');
  const std::size_t second = first == std::string::npos ? first : word.find(':', first + 1);
  if (second == std::string::npos) {
    throw WordsError("'" + word + "' is not time_us:volts:amperes");
  }
  return {microseconds(word.substr(0, first)), to_number(word.substr(first + 1, second - first - 1)),
          to_number(word.substr(second + 1))};
}

PowerTrace parse_trace(Words& line, const std::filesystem::path& folder) {
  const std::string kind = line.next("the kind of trace");
  if (kind == "constant") {
    const double volts = to_number(line.required("volts"));
    return PowerTrace::constant(volts, to_number(line.required("amperes")));
  }
  if (kind == "square") {
    const double volts = to_number(line.required("volts"));
    const double low = to_number(line.required("low"));
    const double high = to_number(line.required("high"));
    const std::int64_t high_ns = microseconds(line.required("high_us"));
    return PowerTrace::square({volts, high}, {volts, low}, high_ns, microseconds(line.required("period_us")));
  }
  if (kind == "steps") {
    std::vector<PowerTrace::Step> steps;
    while (const auto word = line.next_plain()) {
      steps.push_back(parse_step(*word));
    }
    const auto period = line.option("period_us");
    return PowerTrace::piecewise(std::move(steps), period ? microseconds(*period) : 0);
  }
  if (kind == "csv") {
    const std::filesystem::path path = folder / line.next("the path of the csv file");
    std::ifstream csv(path);
    if (!csv) {
      throw WordsError("cannot open " + path.string() + "; check the path, it is relative to the board file");
    }
    return PowerTrace::from_csv(csv, path.string());
  }
  throw WordsError("trace kind '" + kind + "' is unknown; use constant, square, steps or csv");
}

struct ChipLine {
  std::string model;
  Imperfection imperfection;
  std::array<Rail, Ina3221::kChannels> rails;
};

ChipLine parse_chip(Words& line) {
  ChipLine chip;
  chip.model = line.next("the chip's name");
  const std::pair<const char*, double*> numbers[] = {{"shunt_offset_uv", &chip.imperfection.shunt_offset_uv},
                                                     {"shunt_gain_error", &chip.imperfection.shunt_gain_error},
                                                     {"shunt_noise_uv", &chip.imperfection.shunt_noise_uv},
                                                     {"bus_offset_uv", &chip.imperfection.bus_offset_uv},
                                                     {"bus_gain_error", &chip.imperfection.bus_gain_error},
                                                     {"bus_noise_uv", &chip.imperfection.bus_noise_uv},
                                                     {"clock_error", &chip.imperfection.clock_error},
                                                     {"temperature_c", &chip.imperfection.temperature_c}};
  for (const auto& [key, number] : numbers) {
    if (const auto value = line.option(key)) {
      *number = to_number(*value);
    }
  }
  if (const auto seed = line.option("seed")) {
    chip.imperfection.seed = static_cast<std::uint64_t>(to_integer(*seed, 0, 0x7FFFFFFFFFFFFFFF));
  }
  return chip;
}

std::unique_ptr<Chip> make_chip(const ChipLine& line) {
  const Rail& rail = line.rails[0];
  const Imperfection& imperfection = line.imperfection;
  if (line.model == "ina219") {
    return std::make_unique<Ina219>(rail, imperfection);
  }
  if (line.model == "ina3221") {
    return std::make_unique<Ina3221>(line.rails, imperfection);
  }
  constexpr std::pair<const char*, Ina226Model> kOf226[] = {{"ina226", Ina226Model::kIna226},
                                                            {"ina230", Ina226Model::kIna230},
                                                            {"ina231", Ina226Model::kIna231},
                                                            {"ina260", Ina226Model::kIna260}};
  for (const auto& [name, model] : kOf226) {
    if (line.model == name) {
      return std::make_unique<Ina226>(model, rail, imperfection);
    }
  }
  constexpr std::pair<const char*, Ina228Model> kOf228[] = {
      {"ina228", Ina228Model::kIna228}, {"ina237", Ina228Model::kIna237}, {"ina238", Ina228Model::kIna238}};
  for (const auto& [name, model] : kOf228) {
    if (line.model == name) {
      return std::make_unique<Ina228>(model, rail, imperfection);
    }
  }
  throw WordsError("chip '" + line.model +
                   "' is unknown; use ina219, ina226, ina230, ina231, ina260, ina228, ina237, ina238 or ina3221");
}

}  // namespace

Board read_board(std::istream& text, const std::string& name, const std::filesystem::path& folder,
                 std::map<std::string, std::shared_ptr<const PowerTrace>> traces) {
  Board board;
  board.traces = std::move(traces);
  std::map<std::uint16_t, ChipLine> chips;
  std::string content;
  for (std::size_t number = 1; std::getline(text, content); ++number) {
    try {
      Words line(content);
      if (line.empty()) {
        continue;
      }
      const std::string keyword = line.next("a keyword");
      if (keyword == "trace") {
        const std::string trace = line.next("the trace's name");
        if (!board.traces.emplace(trace, std::make_shared<PowerTrace>(parse_trace(line, folder))).second) {
          throw WordsError("trace '" + trace + "' is there already; give each its own name");
        }
      } else if (keyword == "chip") {
        const auto address = static_cast<std::uint16_t>(to_integer(line.next("the address"), 0x03, 0x77));
        ChipLine chip = parse_chip(line);
        if (!make_chip(chip) || !chips.emplace(address, std::move(chip)).second) {
          throw WordsError("this address has a chip already; give each chip its own");
        }
      } else if (keyword == "channel") {
        const auto address = static_cast<std::uint16_t>(to_integer(line.next("the address"), 0x03, 0x77));
        const auto chip = chips.find(address);
        if (chip == chips.end()) {
          throw WordsError("no chip has this address; put its 'chip' line above");
        }
        const std::int64_t channels = chip->second.model == "ina3221" ? Ina3221::kChannels : 1;
        const auto channel = static_cast<std::size_t>(to_integer(line.next("the channel"), 1, channels));
        const std::string trace = line.required("trace");
        const auto found = board.traces.find(trace);
        if (found == board.traces.end()) {
          throw WordsError("no trace is called '" + trace + "'; put its 'trace' line above");
        }
        const auto shunt = line.option("shunt_uohm");
        if (!shunt && chip->second.model != "ina260") {
          throw WordsError("shunt_uohm=... is missing");
        }
        chip->second.rails[channel - 1] = {found->second, shunt ? to_number(*shunt) * kMicro : 0.0};
      } else {
        throw WordsError("'" + keyword + "' is unknown; lines begin with trace, chip or channel");
      }
      line.expect_end();
    } catch (const std::runtime_error& error) {
      throw BoardError(name + ":" + std::to_string(number) + ": " + error.what());
    }
  }
  for (const auto& [address, line] : chips) {
    board.bus.attach(address, make_chip(line));
  }
  return board;
}

Board read_board_file(const std::filesystem::path& path) {
  std::ifstream text(path);
  if (!text) {
    throw BoardError(path.string() + ": cannot be opened; check the path");
  }
  return read_board(text, path.string(), path.parent_path());
}

}  // namespace edgejoule::emulated_board
