#include "emulated_board/board_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "fixture.h"

namespace edgejoule::emulated_board {
namespace {

Board read(const std::string& text) {
  std::istringstream stream(text);
  return read_board(stream, "board.txt", ".");
}

std::uint64_t shunt(Board& board, std::uint16_t address, std::uint8_t reg, std::int64_t now_ns) {
  std::array<std::uint8_t, 2> data{};
  EXPECT_EQ(board.bus.transfer(address, std::array{reg}, data, now_ns), BusStatus::kOk);
  return static_cast<std::uint64_t>(data[0]) << 8 | data[1];
}

TEST(BoardFile, PutsChipsOnTheBusAndTracesOnTheirChannels) {
  Board board = read(
      "# a board\n"
      "trace cpu square volts=5 low=0.1 high=0.9 high_us=100000 period_us=200000  # comment\n"
      "trace gpu steps 0:5:0.5 1000:5:0.75 period_us=2000\n"
      "trace in constant volts=12 amperes=-1\n"
      "chip 0x40 ina3221 shunt_offset_uv=80\n"
      "channel 0x40 1 trace=cpu shunt_uohm=10000\n"
      "channel 0x40 3 trace=in shunt_uohm=5000\n"
      "chip 0x41 ina226\n"
      "channel 0x41 1 trace=gpu shunt_uohm=10000\n"
      "chip 0x44 ina260\n"
      "channel 0x44 1 trace=in\n");
  EXPECT_EQ(board.traces.size(), 3U);
  EXPECT_EQ(board.traces.at("gpu")->at(1'500'000).amperes, 0.75);
  EXPECT_EQ(shunt(board, 0x40, 0x01, 50 * kMillisecond), (225U + 2U) * 8);
  EXPECT_EQ(shunt(board, 0x40, 0x03, 50 * kMillisecond), 2U * 8) << "no line: nothing but the offset";
  EXPECT_EQ(shunt(board, 0x44, 0x01, 50 * kMillisecond), 0x10000U - 800U);
}

TEST(BoardFile, EveryChipHasAName) {
  for (const char* model :
       {"ina219", "ina226", "ina230", "ina231", "ina260", "ina228", "ina237", "ina238", "ina3221"}) {
    Board board = read(std::string("chip 0x40 ") + model + "\n");
    EXPECT_NE(board.bus.chip_at(0x40), nullptr) << model;
  }
}

TEST(BoardFile, ReadsCsvRelativeToItself) {
  const std::filesystem::path folder = std::filesystem::path(::testing::TempDir()) / "board_file_test";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "power.csv") << "t_s,volts,amperes\n0,5,0.5\n";
  std::ofstream(folder / "board.txt") << "trace in csv power.csv\n";
  EXPECT_EQ(read_board_file(folder / "board.txt").traces.at("in")->at(0).amperes, 0.5);
  std::filesystem::remove_all(folder);
}

TEST(BoardFile, ErrorsNameTheLineAndWhatToDo) {
  const struct {
    const char* text;
    const char* says;
  } rows[] = {
      {"rail 1\n", "board.txt:1: 'rail' is unknown"},
      {"chip 0x40 ina999\n", "board.txt:1: chip 'ina999' is unknown; use"},
      {"chip 0x40 ina226\nchip 0x40 ina226\n", "board.txt:2: this address has a chip already"},
      {"chip 0x99 ina226\n", "outside"},
      {"chip 0x40 ina226 offset=1\n", "'offset=1' is not understood"},
      {"channel 0x40 1 trace=a shunt_uohm=1\n", "no chip has this address"},
      {"chip 0x40 ina226\nchannel 0x40 1 trace=a shunt_uohm=1\n", "no trace is called 'a'"},
      {"chip 0x40 ina226\nchannel 0x40 2 trace=a shunt_uohm=1\n", "'2' is outside 1 to 1"},
      {"trace a constant volts=5\n", "amperes=... is missing"},
      {"trace a constant volts=five amperes=1\n", "'five' is not a finite number"},
      {"trace a steps 0:5\n", "is not time_us:volts:amperes"},
      {"trace a csv nowhere.csv\n", "cannot open"},
      {"trace a saw\n", "use constant, square, steps or csv"},
      {"trace a constant volts=5 amperes=1\ntrace a constant volts=5 amperes=1\n", "is there already"},
      {"trace a constant volts=5 amperes=1\nchip 0x40 ina226\nchannel 0x40 1 trace=a\n", "shunt_uohm=... is missing"}};
  for (const auto& row : rows) {
    try {
      (void)read(row.text);
      ADD_FAILURE() << "accepted: " << row.text;
    } catch (const BoardError& error) {
      EXPECT_NE(std::string(error.what()).find(row.says), std::string::npos) << error.what();
    }
  }
  EXPECT_THROW((void)read_board_file("nowhere/board.txt"), BoardError);
}

}  // namespace
}  // namespace edgejoule::emulated_board
