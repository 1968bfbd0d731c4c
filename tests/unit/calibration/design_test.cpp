#include "calibration/design.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include "support/drawn_seed.h"

namespace edgejoule::calibration {
namespace {

using ::testing::HasSubstr;
using workloads::Candidate;

constexpr std::uint64_t kCache = 4U << 20U;

std::vector<Candidate> catalogue() {
  return workloads::candidates({.last_level_bytes = kCache, .memory_bytes = 1U << 30U, .max_threads = 4});
}

constexpr double kTimeForAllKeys = 600;  // blocks of a second

DesignRequest request(std::size_t candidates, double budget) {
  DesignRequest out;
  out.budget_seconds = budget;
  out.expected_seconds.assign(candidates, 1.0);
  out.last_level_bytes = kCache;
  return out;
}

std::vector<std::size_t> fitted(const Knowledge& knowledge, const std::vector<std::size_t>& order) {
  std::vector<std::size_t> out;
  std::copy_if(order.begin(), order.end(), std::back_inserter(out),
               [&](std::size_t i) { return !knowledge.held_out(i); });
  return out;
}

Knowledge after(const Knowledge& nothing, const std::vector<std::size_t>& order, std::size_t count) {
  Knowledge out = nothing;
  for (std::size_t i = 0; i < count; ++i) out.measured(order[i], 0.02);
  return out;
}

// Coefficients that nobody told the design, measurements of them with noise, a least
// squares fit on the first `count` of an order: mean square of the relative error of
// the prediction of held-out candidates.
double prediction_error(const Knowledge& knowledge, const std::vector<std::size_t>& order, std::size_t count,
                        std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  double sum = 0;
  std::size_t predicted = 0;
  for (std::size_t key = 0; key < knowledge.key_count(); ++key) {
    Eigen::MatrixXd information;
    Eigen::VectorXd truth;
    Eigen::VectorXd moment;
    for (std::size_t i = 0; i < knowledge.size(); ++i) {
      if (knowledge.key_index(i) != key || truth.size() != 0) continue;
      const auto size = static_cast<Eigen::Index>(knowledge.row(i).size());
      truth = Eigen::VectorXd::NullaryExpr(size, [&] { return std::exp(0.7 * normal(random)); });
      information = Eigen::MatrixXd::Identity(size, size) * 0.02 * 0.02;
      moment = Eigen::VectorXd::Ones(size) * 0.02 * 0.02;
    }
    const auto row = [&](std::size_t i) {
      return Eigen::VectorXd(Eigen::Map<const Eigen::VectorXd>(knowledge.row(i).data(), truth.size()));
    };
    for (std::size_t p = 0; p < count; ++p) {
      if (knowledge.key_index(order[p]) != key) continue;
      const Eigen::VectorXd x = row(order[p]) / row(order[p]).dot(truth);  // relative to what was measured
      information += x * x.transpose();
      moment += x * (1 + 0.02 * normal(random));
    }
    const Eigen::VectorXd found = information.ldlt().solve(moment);
    for (std::size_t i = 0; i < knowledge.size(); ++i) {
      if (knowledge.key_index(i) != key || !knowledge.held_out(i)) continue;
      const double error = row(i).dot(found) / row(i).dot(truth) - 1;
      sum += error * error;
      ++predicted;
    }
  }
  return sum / static_cast<double>(predicted);
}

TEST(Design, EveryKeyComesBeforeAnyKeyComesTwice) {
  const std::vector<Candidate> all = catalogue();
  const Knowledge nothing(all, kCache);
  const std::vector<std::size_t> order = fitted(nothing, design(all, request(all.size(), kTimeForAllKeys)).order);
  ASSERT_GE(order.size(), nothing.key_count());
  std::set<std::size_t> seen;
  for (std::size_t i = 0; i < nothing.key_count(); ++i) seen.insert(nothing.key_index(order[i]));
  EXPECT_EQ(seen.size(), nothing.key_count());
}

// A row needs five measurements: with time for a hundred, sixteen keys are known and not seventy guessed.
TEST(Design, KeepsToTheMostImportantKeysItHasTimeFor) {
  const std::vector<Candidate> all = catalogue();
  const Knowledge nothing(all, kCache);
  const std::vector<std::size_t> order = fitted(nothing, design(all, request(all.size(), 120)).order);
  std::map<std::size_t, std::size_t> blocks;
  double least = 1e9, most_left_out = 0;
  for (const std::size_t i : order) {
    ++blocks[nothing.key_index(i)];
    least = std::min(least, all[i].importance);
  }
  EXPECT_EQ(blocks.size(), 16U);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (blocks.count(nothing.key_index(i)) == 0) most_left_out = std::max(most_left_out, all[i].importance);
  }
  EXPECT_GE(least, most_left_out);
  const auto well = std::count_if(blocks.begin(), blocks.end(), [](const auto& key) { return key.second >= 5; });
  EXPECT_GE(well, 12);
}

TEST(Design, StaysWithinItsBudgetAndNamesNothingTwice) {
  const std::vector<Candidate> all = catalogue();
  DesignRequest r = request(all.size(), 45);
  for (std::size_t i = 0; i < all.size(); ++i) r.expected_seconds[i] = 0.5 + static_cast<double>(i % 7) * 0.25;
  const Design found = design(all, r);
  double seconds = 0;
  for (const std::size_t i : found.order) seconds += r.expected_seconds[i];
  EXPECT_DOUBLE_EQ(seconds, found.seconds);
  EXPECT_LE(seconds, 45);
  EXPECT_GE(seconds, 43);
  EXPECT_EQ(std::set<std::size_t>(found.order.begin(), found.order.end()).size(), found.order.size());
  EXPECT_TRUE(design(all, request(all.size(), 0.5)).order.empty());
}

TEST(Design, HoldsOutWhatItWasAskedToAndEverythingFitsALargeBudget) {
  const std::vector<Candidate> all = catalogue();
  const Knowledge nothing(all, kCache);
  const std::vector<std::size_t> order = design(all, request(all.size(), 60)).order;
  EXPECT_NEAR(static_cast<double>(order.size() - fitted(nothing, order).size()), 12, 1);
  // Half of them among the first half.
  const std::vector<std::size_t> half(order.begin(), order.begin() + 30);
  EXPECT_NEAR(static_cast<double>(half.size() - fitted(nothing, half).size()), 6, 2);
  EXPECT_EQ(design(all, request(all.size(), 1e4)).order.size(), all.size());
}

TEST(Design, EveryPrefixBeatsRandomOrderInDeterminantAndInPrediction) {
  const std::vector<Candidate> all = catalogue();
  const Knowledge nothing(all, kCache);
  const std::vector<std::size_t> chosen = fitted(nothing, design(all, request(all.size(), kTimeForAllKeys)).order);
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!all[i].held_out) order.push_back(i);
  }
  const std::uint32_t seed = test::drawn_seed();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (const std::size_t count : {nothing.key_count(), 2 * nothing.key_count(), 3 * nothing.key_count()}) {
    const double mine = after(nothing, chosen, count).log_determinant();
    double my_error = 0;
    double random_error = 0;
    int better = 0;
    constexpr int kTries = 100;  // a few of a hundred drawn laws hold most of the error, whatever the order
    for (std::uint32_t i = 0; i < kTries; ++i) {
      std::shuffle(order.begin(), order.end(), random);
      better += mine > after(nothing, order, count).log_determinant() ? 1 : 0;
      my_error += prediction_error(nothing, chosen, count, seed + i);
      random_error += prediction_error(nothing, order, count, seed + i);
    }
    EXPECT_EQ(better, kTries) << count;
    EXPECT_LT(my_error, random_error) << count;
  }
}

TEST(Design, ExchangeFindsThePairThatTellsTwoCoefficientsApart) {
  // Per second the second row teaches most, and then there is time for one more; the
  // first and the third together know more.
  std::vector<Candidate> all;
  for (const std::uint64_t n : {32U, 1024U, 1U << 20U}) {
    all.push_back(
        {.workload = {.name = std::to_string(n),
                      .op = graph::elementwise(
                          {}, {.kind = OpKind::kRelu, .inputs = {{.elements = n}}, .output = {.elements = n}})}});
  }
  DesignRequest r = request(3, 2);
  r.expected_seconds[1] = 0.1;
  r.held_out_share = 0;
  r.last_level_bytes = 1U << 30U;
  std::vector<std::size_t> order = design(all, r).order;
  std::sort(order.begin(), order.end());
  EXPECT_EQ(order, (std::vector<std::size_t>{0, 2}));
}

TEST(Knowledge, ShrinksAsMeasurementsComeInAndHeldOutOnesTeachNothing) {
  const std::vector<Candidate> all = catalogue();
  Knowledge knowledge(all, kCache);
  EXPECT_GT(knowledge.mean_uncertainty(), 0.5);
  EXPECT_EQ(knowledge.log_determinant(), 0);
  double before = knowledge.mean_uncertainty();
  for (const std::size_t i : design(all, request(all.size(), kTimeForAllKeys)).order) {
    knowledge.measured(i, 0.02);
    const double now = knowledge.mean_uncertainty();
    if (all[i].held_out) {
      EXPECT_EQ(now, before);
    } else {
      EXPECT_LT(now, before);
    }
    before = now;
  }
  EXPECT_LT(before, 0.03);
}

// Rank-one updates against the formula: covariance = (1 + sum of x x' / s^2)^-1.
TEST(Knowledge, AgreesWithTheInverseOfTheInformation) {
  const std::vector<Candidate> all = catalogue();
  Knowledge knowledge(all, kCache);
  const auto size = static_cast<Eigen::Index>(knowledge.row(0).size());
  Eigen::MatrixXd information = Eigen::MatrixXd::Identity(size, size);
  std::vector<std::size_t> of_key;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (knowledge.key_index(i) == 0 && !all[i].held_out) of_key.push_back(i);
  }
  ASSERT_GT(of_key.size(), 4U);
  for (const std::size_t i : {of_key[0], of_key[1], of_key[2], of_key[3]}) {
    const Eigen::Map<const Eigen::VectorXd> row(knowledge.row(i).data(), size);
    information += row * row.transpose() / (0.05 * 0.05);
    knowledge.measured(i, 0.05);
  }
  EXPECT_NEAR(knowledge.log_determinant(), std::log(information.determinant()), 1e-6);
  const Eigen::Map<const Eigen::VectorXd> row(knowledge.row(of_key[4]).data(), size);
  EXPECT_NEAR(knowledge.uncertainty(of_key[4]), std::sqrt(row.dot(information.inverse() * row)), 1e-9);
}

TEST(Design, RefusesWhatDoesNotFit) {
  const std::vector<Candidate> all = catalogue();
  const auto message = [&all](const DesignRequest& r) {
    try {
      static_cast<void>(design(all, r));
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(message(request(3, 10)), HasSubstr("3 expected times for"));
  DesignRequest r = request(all.size(), 10);
  r.expected_seconds[4] = 0;
  EXPECT_THAT(message(r), HasSubstr("time of a block must be positive"));
  r = request(all.size(), 10);
  r.block_error = 0;
  EXPECT_THAT(message(r), HasSubstr("error of a block must be positive"));
  r = request(all.size(), 10);
  r.held_out_share = 1;
  EXPECT_THAT(message(r), HasSubstr("share of held-out"));
  Knowledge knowledge(all, kCache);
  EXPECT_THROW(knowledge.measured(0, 0), std::invalid_argument);
}

TEST(DesignKey, ReadsAsAPersonWouldSayIt) {
  EXPECT_EQ(text_of({OpKind::kDense, DataType::kFloat32, DataType::kInt4, 4}), "dense float32 x int4, 4 threads");
  EXPECT_EQ(text_of({OpKind::kConv2d, DataType::kFloat32, DataType::kUnknown, 4, true}),
            "conv_2d float32 3 x 3, 4 threads");
  EXPECT_EQ(text_of({OpKind::kRelu, DataType::kFloat32, DataType::kUnknown, 1}), "relu float32, 1 thread");
}

}  // namespace
}  // namespace edgejoule::calibration
