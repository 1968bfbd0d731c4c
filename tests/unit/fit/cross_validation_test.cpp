#include "fit/cross_validation.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace edgejoule::fit {
namespace {

TEST(DealFolds, NeverSplitsAGroup) {
  std::vector<std::string> groups;
  for (int i = 0; i < 100; ++i) groups.push_back("g" + std::to_string(i % 23));
  const std::vector<int> folds = deal_folds(groups, 5);
  std::map<std::string, std::set<int>> folds_of;
  std::map<int, int> size;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    folds_of[groups[i]].insert(folds[i]);
    ++size[folds[i]];
  }
  for (const auto& [group, of] : folds_of) EXPECT_EQ(of.size(), 1U) << group;
  EXPECT_EQ(size.size(), 5U);
}

TEST(DealFolds, DoesNotDependOnTheOrderOfRows) {
  const std::vector<int> forward = deal_folds({"a", "b", "c", "d"}, 2);
  const std::vector<int> backward = deal_folds({"d", "c", "b", "a"}, 2);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(forward[i], backward[3 - i]);
}

TEST(DealFolds, HasNoMoreFoldsThanGroups) {
  EXPECT_EQ(deal_folds({"a", "b", "a"}, 5)[0] + deal_folds({"a", "b", "a"}, 5)[1], 1);
  EXPECT_EQ(deal_folds({"a", "a"}, 5), (std::vector<int>{0, 0}));
}

TEST(DealFolds, TakesNoMoreOfAKeyThanItsShare) {
  std::vector<std::string> groups, keys;
  for (int i = 0; i < 60; ++i) {
    groups.push_back("shape" + std::to_string(i));
    keys.push_back("key" + std::to_string(i % 9));  // six or seven of each
  }
  const std::vector<int> folds = deal_folds(groups, keys, 10);
  std::set<std::pair<std::string, int>> seen;
  std::map<int, int> size;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    EXPECT_TRUE(seen.emplace(keys[i], folds[i]).second) << "two of " << keys[i];
    ++size[folds[i]];
  }
  for (const auto& [fold, members] : size) EXPECT_EQ(members, 6) << fold;
}

TEST(DealFolds, AGroupOfSeveralKeysStaysWhole) {
  const std::vector<std::string> groups = {"a", "a", "b", "b", "c"};
  const std::vector<int> folds = deal_folds(groups, {"conv", "relu", "conv", "relu", "conv"}, 3);
  EXPECT_EQ(folds[0], folds[1]);
  EXPECT_EQ(folds[2], folds[3]);
  EXPECT_EQ(std::set<int>(folds.begin(), folds.end()).size(), 3U);
}

}  // namespace
}  // namespace edgejoule::fit
