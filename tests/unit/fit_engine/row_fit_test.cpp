#include "fit/row_fit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "fit/committee.h"

// Synthetic truth: what was put in must come out.
namespace edgejoule::fit {
namespace {

// E = 2e-3 + 5e-9 * work + 3e-8 * bytes over four models of different sizes.
RowData truth(std::uint32_t seed, double noise) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> octave(0, 8);
  std::normal_distribution<double> error(0, 1);
  RowData data;
  constexpr Eigen::Index kRows = 160;
  data.terms.resize(kRows, 3);
  data.places.resize(kRows, 2);
  data.energies.resize(kRows);
  data.weights = Eigen::VectorXd::Ones(kRows);
  data.work.resize(kRows);
  for (Eigen::Index i = 0; i < kRows; ++i) {
    const double work = std::exp2(15 + octave(random)), bytes = std::exp2(12 + octave(random));
    data.terms.row(i) << 1, work, bytes;
    data.places.row(i) << std::log2(work), std::log2(bytes);
    data.energies[i] = (2e-3 + 5e-9 * work + 3e-8 * bytes) * std::exp(noise * error(random));
    data.work[i] = work;
    data.groups.push_back(static_cast<int>(i % 4));
  }
  return data;
}

FormSpec plain(int robust_steps) {
  FormSpec form;
  form.name = "plain";
  form.linear.ridge = 1e-6;
  form.linear.robust_steps = robust_steps;
  return form;
}

void expect_truth(const Eigen::VectorXd& c, double tolerance) {
  EXPECT_NEAR(c[0], 2e-3, 2e-3 * tolerance);
  EXPECT_NEAR(c[1], 5e-9, 5e-9 * tolerance);
  EXPECT_NEAR(c[2], 3e-8, 3e-8 * tolerance);
}

}  // namespace

TEST(FittedForm, RecoversCoefficients) {
  expect_truth(FittedForm(plain(0), truth(1, 0)).coefficients(), 1e-3);
}

TEST(FittedForm, OneInTenOutliersTenTimesTooLargeAreOutvoted) {
  RowData data = truth(2, 0.01);
  for (Eigen::Index i = 0; i < data.size(); i += 10) data.energies[i] *= 10;
  expect_truth(FittedForm(plain(3), data).coefficients(), 0.05);
}

TEST(FittedForm, CollinearAndConstantColumnsStayFiniteAndPredict) {
  RowData data = truth(3, 0);
  Eigen::MatrixXd terms(data.size(), 5);
  terms << data.terms, 3 * data.terms.col(1), Eigen::VectorXd::Zero(data.size());
  data.terms = terms;
  const FittedForm fitted(plain(3), data);
  EXPECT_TRUE(fitted.coefficients().allFinite());
  EXPECT_GE(fitted.coefficients().minCoeff(), 0);
  EXPECT_LT(relative_error(fitted.predict(data.terms, data.places), data.energies, data.weights), 1e-3);
}

TEST(FittedForm, FewerRowsThanColumnsStillPredictTheRows) {
  const RowData data = truth(4, 0).subset({0, 1});
  const FittedForm fitted(plain(0), data);
  EXPECT_LT(relative_error(fitted.predict(data.terms, data.places), data.energies, data.weights), 0.05);
}

TEST(FittedForm, ALogarithmicRowFindsExponents) {
  RowData data = truth(5, 0);
  for (Eigen::Index i = 0; i < data.size(); ++i) {
    data.energies[i] = 1e-9 * std::pow(data.terms(i, 1), 0.7) * std::pow(data.terms(i, 2), 0.2);
  }
  FormSpec form = plain(0);
  form.base = FormSpec::Base::kLog2;
  const FittedForm fitted(form, data);
  EXPECT_NEAR(fitted.coefficients()[0], 0.7, 0.01);
  EXPECT_NEAR(fitted.coefficients()[1], 0.2, 0.01);
}

TEST(Prototypes, FollowABumpAndFadeToOneAwayFromIt) {
  Eigen::MatrixXd places(3, 1);
  places << 4, 6, 8;
  const Eigen::Vector3d residuals(0, 0.5, 0);
  const Prototypes prototypes(places, residuals, Eigen::Vector3d::Ones(), {.length_octaves = 0.5, .noise = 0.001});
  EXPECT_NEAR(prototypes.log_factor(places)[1], 0.5, 0.01);
  EXPECT_NEAR(prototypes.log_factor(places)[0], 0, 0.01);
  EXPECT_NEAR(prototypes.log_factor(Eigen::MatrixXd::Constant(1, 1, 20))[0], 0, 1e-12);
}

TEST(Prototypes, DuplicatesAreOneSizeAndManySizesAreMerged) {
  const Eigen::MatrixXd same = Eigen::MatrixXd::Constant(40, 2, 3.0);
  EXPECT_EQ(Prototypes(same, Eigen::VectorXd::Constant(40, 0.3), Eigen::VectorXd::Ones(40), {}).positions().rows(), 1);
  Eigen::MatrixXd many(1000, 1);
  for (Eigen::Index i = 0; i < 1000; ++i) many(i, 0) = 0.02 * static_cast<double>(i);
  const Prototypes merged(many, Eigen::VectorXd::Constant(1000, 0.3), Eigen::VectorXd::Ones(1000), {});
  EXPECT_LE(merged.positions().rows(), 128);
  EXPECT_NEAR(merged.log_factor(many.row(500))[0], 0.3, 0.02);
}

TEST(SelectForm, KeepsThePlainRowWhereItIsTheTruth) {
  const Selected selected = select_form(op_forms(), truth(6, 0.02));
  EXPECT_LT(selected.score, 0.03);
  expect_truth(selected.fitted.coefficients(), 0.05);
  EXPECT_EQ(selected.log_residuals.size(), 160);
  EXPECT_NEAR(std::sqrt(selected.log_residuals.squaredNorm() / 160), 0.02, 0.006) << "held out, so the noise";
}

TEST(SelectForm, TakesPrototypesWhereSizesBehaveOddly) {
  RowData data = truth(7, 0.01);
  std::mt19937 random(8);
  for (Eigen::Index i = 0; i < data.size(); ++i) {  // ten sizes in all, each with its own oddity
    const auto size = static_cast<Eigen::Index>(random() % 10);
    data.places.row(i) << static_cast<double>(size), static_cast<double>(size % 3);
    data.energies[i] *= std::exp(0.4 * std::sin(7.0 * static_cast<double>(size)));
  }
  data.work.resize(0);
  const Selected selected = select_form(op_forms(), data);
  EXPECT_FALSE(selected.fitted.prototypes().empty());
  EXPECT_LT(selected.score, 0.06);
  EXPECT_NE(selected.reason.find("prototypes"), std::string::npos);
}

TEST(Committee, FindsASwitchOfAlgorithmAndDisagreesBesideIt) {
  Eigen::MatrixXd terms(120, 1);
  Eigen::MatrixXf facts(120, 1);
  Eigen::VectorXd energies(120);
  for (Eigen::Index i = 0; i < 120; ++i) {
    terms(i, 0) = static_cast<double>(1 + i);
    facts(i, 0) = static_cast<float>(i);
    energies[i] = (i < 60 ? 1e-3 : 8e-3) * terms(i, 0);
  }
  TreeOptions options;
  options.most_leaves = 4;
  const Committee committee(terms, facts, energies, Eigen::VectorXd::Ones(120), terms.col(0), 3, options);
  const Committee::Answer answer = committee.predict(terms, facts, 4);
  for (Eigen::Index i = 0; i < 120; ++i) {
    if (i < 56 || i > 63) {
      EXPECT_NEAR(answer.joules[i], energies[i], 0.05 * energies[i]) << i;
    }
  }
  EXPECT_LT(answer.spread[10], 0.1);
  EXPECT_EQ(committee.rows_of(0).size(), 80U);
}

// Work costs the same everywhere, or (`switching`) five times as much above 100.
RowData work(int rows, bool switching) {
  std::mt19937 random(11);
  std::uniform_real_distribution<float> size(10, 200);
  std::normal_distribution<double> noise(0, 0.02);
  RowData data;
  data.terms.resize(rows, 2);
  data.places = Eigen::MatrixXd::Zero(rows, 1);
  data.facts.resize(rows, 1);
  data.energies.resize(rows);
  data.weights = Eigen::VectorXd::Ones(rows);
  for (int i = 0; i < rows; ++i) {
    const float s = size(random);
    data.terms.row(i) << 1, s;
    data.facts(i, 0) = s;
    data.energies[i] = (10 + s * (switching && s >= 100 ? 5 : 1)) * std::exp(noise(random));
    data.groups.push_back(i);
  }
  return data;
}

std::vector<FormSpec> row_or_trees() {
  std::vector<FormSpec> forms = {op_forms().front()};
  for (FormSpec& form : tree_forms(8)) forms.push_back(std::move(form));
  return forms;
}

TEST(SelectForm, GrowsTreesOnlyWhereTheLibrarySwitches) {
  EXPECT_EQ(select_form(row_or_trees(), work(150, false)).fitted.trees(), nullptr);
  const Selected switching = select_form(row_or_trees(), work(150, true));
  ASSERT_NE(switching.fitted.trees(), nullptr);
  EXPECT_LT(switching.score, 0.06);
  EXPECT_NE(switching.reason.find("trees"), std::string::npos);
}

TEST(SelectForm, PredictsRowsItHasNotSeen) {
  const RowData data = work(150, true);
  const Selected before = select_form(row_or_trees(), data);
  EXPECT_LT(before.log_residuals.cwiseAbs().mean(), 0.06);
  // A row whose energy is changed changes its own held-out residual by as much: its
  // prediction never saw it.
  RowData changed = data;
  changed.energies[3] *= 2;
  const Selected after = select_form(row_or_trees(), changed);
  ASSERT_EQ(after.form, before.form);
  EXPECT_NEAR(after.log_residuals[3] - before.log_residuals[3], std::log(2.0), 1e-12);
}

TEST(TreeForms, OneGrowthAnswersForEverySmallerNumberOfRows) {
  const RowData data = work(150, true);
  const std::vector<FormSpec> forms = tree_forms(8);
  const FittedForm shared = FittedForm(forms.front(), data).as(forms.back(), data), alone(forms.back(), data);
  EXPECT_LT((shared.predict(data.terms, data.places, data.facts) - alone.predict(data.terms, data.places, data.facts))
                .cwiseAbs()
                .maxCoeff(),
            1e-12);
}

}  // namespace edgejoule::fit
