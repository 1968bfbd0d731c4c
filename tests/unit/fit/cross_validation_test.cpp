#include "fit/cross_validation.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
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

// Work costs the same everywhere, or (`switching`) five times as much above 100.
KeyData work(int rows, bool switching) {
  std::mt19937 random(11);
  std::uniform_real_distribution<float> size(10, 200);
  std::normal_distribution<double> noise(0, 0.02);
  KeyData data;
  data.terms.resize(1);
  data.terms[0].resize(rows, 2);
  data.facts.resize(rows, 1);
  data.energies.resize(rows);
  data.weights = Eigen::VectorXd::Ones(rows);
  for (int i = 0; i < rows; ++i) {
    const float s = size(random);
    data.terms[0].row(i) << 1, s;
    data.facts(i, 0) = s;
    data.energies[i] = (10 + s * (switching && s >= 100 ? 5 : 1)) * std::exp(noise(random));
    data.groups.push_back("g" + std::to_string(i));
  }
  return data;
}

TEST(ChooseForm, SplitsOnlyWhereTheDataAsksForIt) {
  EXPECT_EQ(choose_form(work(150, false), {}).leaves, 1);
  const Choice choice = choose_form(work(150, true), {});
  EXPECT_GE(choice.leaves, 2);
  EXPECT_LT(choice.score, 0.05);
}

TEST(ChooseForm, DropsRichTermSetsOfFewRows) {
  KeyData data = work(12, false);
  Eigen::MatrixXd rich(12, 7);
  rich << data.terms[0], Eigen::MatrixXd::Random(12, 5).cwiseAbs();
  data.terms.push_back(rich);
  EXPECT_EQ(choose_form(data, {}).term_set, 0U);
}

TEST(CrossValidate, PredictsRowsItHasNotSeen) {
  const KeyData data = work(150, true);
  const CrossValidation result = cross_validate(data, {});
  EXPECT_EQ(result.folds, 5);
  EXPECT_LT(result.log_residuals.cwiseAbs().mean(), 0.06);
  EXPECT_GT(result.one_row_log_residuals.cwiseAbs().mean(), 0.2);

  // A group whose energy is changed changes its own held-out residual by as much: its
  // prediction never saw it.
  KeyData changed = data;
  changed.energies[3] *= 2;
  const CrossValidation after = cross_validate(changed, {});
  EXPECT_NEAR(after.log_residuals[3] - result.log_residuals[3], std::log(2.0), 1e-12);
}

}  // namespace
}  // namespace edgejoule::fit
