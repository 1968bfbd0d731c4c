#include "workloads/team.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>

namespace edgejoule::workloads {
namespace {

TEST(Team, RunsEveryPartOfEveryRoundOnce) {
  for (const int threads : {1, 2, 5}) {
    Team team(threads);
    std::array<std::atomic<int>, 5> runs{};
    for (int round = 0; round < 500; ++round) {
      team.run([&runs](int part) { ++runs.at(static_cast<std::size_t>(part)); });
      for (int part = 0; part < 5; ++part) {
        ASSERT_EQ(runs[static_cast<std::size_t>(part)], part < threads ? round + 1 : 0);
      }
    }
  }
}

TEST(Team, PartsHaveThreadsOfTheirOwn) {
  Team team(3);
  std::array<std::thread::id, 3> ids;
  team.run([&ids](int part) { ids.at(static_cast<std::size_t>(part)) = std::this_thread::get_id(); });
  EXPECT_EQ(ids[0], std::this_thread::get_id());
  EXPECT_NE(ids[1], ids[0]);
  EXPECT_NE(ids[2], ids[0]);
  EXPECT_NE(ids[2], ids[1]);
}

}  // namespace
}  // namespace edgejoule::workloads
