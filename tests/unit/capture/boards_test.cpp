#include "capture/boards.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "unit/linux/fake_sysfs.h"

namespace edgejoule::capture {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string refusal(const std::string& json) {
  try {
    (void)parse_board(json, "mine.json");
  } catch (const BoardError& error) {
    return error.what();
  }
  return "accepted";
}

std::string board_with(const std::string& channels, const std::string& rest = "") {
  return R"({"format_version": 1, "name": "mine", "monitors": [{"chip": "ina3221", "i2c_address": 64, "channels": [)" +
         channels + "]}]" + rest + "}";
}

TEST(Boards, EveryBuiltInOneIsSoundAndHasItsOwnCompatibles) {
  std::set<std::string> seen;
  ASSERT_GE(built_in_boards().size(), 9U);
  for (const BuiltInBoard& built_in : built_in_boards()) {
    const Board board = load_board(std::string(built_in.name));
    EXPECT_FALSE(board.name.empty());
    EXPECT_FALSE(board.source.empty()) << built_in.name << " does not say where its facts come from";
    for (const std::string& name : board.compatible) EXPECT_TRUE(seen.insert(name).second) << name;
  }
}

TEST(Boards, AreChosenByTheMostSpecificCompatible) {
  const auto nano = board_for({"nvidia,p3768-0000+p3767-0005", "nvidia,p3767-0005", "nvidia,tegra234"});
  ASSERT_NE(nano, nullptr);
  EXPECT_EQ(nano->name, "Jetson Orin Nano / Orin NX");
  EXPECT_THAT(nano->total, ElementsAre("VDD_IN"));
  EXPECT_EQ(board_for({"nvidia,tegra234"}), nullptr) << "a chip is no board";
  EXPECT_EQ(board_for({}), nullptr);
}

TEST(Boards, AgxOrinAddsThreeRailsAndNotTheFourth) {
  const auto board = board_for({"nvidia,p3737-0000+p3701-0005"});
  ASSERT_NE(board, nullptr);
  EXPECT_THAT(board->total, ElementsAre("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"));
}

TEST(Boards, RefusesWhatContradictsItself) {
  EXPECT_THAT(refusal(board_with(R"({"channel": 1, "label": "A", "shunt_uohm": 5000}, {"channel": 2, "label": "A"})")),
              HasSubstr("two rails are called 'A'"));
  EXPECT_THAT(refusal(board_with(R"({"channel": 1, "label": "A", "shunt_uohm": 5})")), HasSubstr("5 micro-ohm"));
  EXPECT_THAT(refusal(board_with(R"({"channel": 4, "label": "A"})")), HasSubstr("channels 1 to 3"));
  EXPECT_THAT(refusal(board_with(R"({"channel": 1})")), HasSubstr("has no label"));
  EXPECT_THAT(refusal(board_with(R"({"channel": 1, "label": "A"})", R"(, "total": ["B"])")), HasSubstr("'B'"));
  EXPECT_THAT(refusal(board_with(R"({"channel": 1, "label": "A"}, {"channel": 2, "label": "B", "inside": "A"})",
                                 R"(, "total": ["A", "B"])")),
              HasSubstr("inside the second"));
  EXPECT_THAT(refusal(R"({"format_version": 1, "monitors": [{"chip": "ina999", "i2c_address": 64}]})"),
              HasSubstr("'ina999' is no chip"));
  EXPECT_THAT(refusal(R"({"format_version": 1, "monitors": [{"chip": "ina3221", "i2c_address": 79}]})"),
              HasSubstr("0x40 to 0x43"));
  EXPECT_THAT(refusal(R"({"format_version": 2})"), HasSubstr("format_version is 2"));
}

TEST(Boards, AnUnknownNameListsTheKnownOnes) {
  try {
    (void)load_board("toaster");
    FAIL();
  } catch (const BoardError& error) {
    EXPECT_THAT(error.what(), HasSubstr("jetson-nano"));
  }
}

TEST(DeviceTree, NamesEndInZeros) {
  const edgejoule::test::FakeSysfs sys;
  EXPECT_TRUE(device_tree_compatible(sys.root()).empty());
  std::filesystem::create_directories(sys.at("/proc/device-tree"));
  std::ofstream(sys.at("/proc/device-tree/compatible"), std::ios::binary) << std::string("a,b\0c,d\0", 8);
  EXPECT_THAT(device_tree_compatible(sys.root()), ElementsAre("a,b", "c,d"));
}

}  // namespace
}  // namespace edgejoule::capture
