// What the engine says is what a device computes: tables are fitted on the training part,
// written, opened and planned by core, and price the held-out part; core's joules are the
// engine's, op by op, module by module and model by model.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "edge-calibrate/model_sources.h"
#include "fit/fit_models.h"
#include "fit/fit_table.h"
#include "fit/model_sums.h"
#include "fit/table_writer.h"
#include "graph/module_structure.h"
#include "graph/ops.h"
#include "measurements/importers.h"
#include "measurements/irene_csv.h"
#include "measurements/mlperf_csv.h"
#include "pricing/set_pricer.h"
#include "support/measured_ops.h"

namespace edgejoule::fit {
namespace {

using measurements::Measurement;
using measurements::MeasurementSet;
using measurements::NodeLevel;

constexpr double kFloatTolerance = 1e-3;  // relative: six digits, and bumps that cancel in float32

std::string shared_path(const std::string& below) {
  const char* shared = std::getenv("EDGEJOULE_SHARED_DIR");
  return std::string(shared == nullptr ? "" : shared) + "/data/" + below;
}

// The table of `fit`'s rows with nothing but them.
files::FileBytes table_of(const TreeFit& fit, const MeasurementSet& set) {
  FittedTable table;
  table.rows = fit.table_rows();
  return write_table(table, set, {"t", "2026-01-01", "test"});
}

// Largest relative difference between core and engine among rows where `test` holds, and
// how many there were per level.
struct Agreement {
  double largest = 0;
  std::string where;
  std::array<int, 3> rows{};
};
Agreement agreement(const MeasurementSet& set, const files::FileBytes& table, const std::vector<double>& engine,
                    const std::vector<bool>& test, bool with_runtime_facts = false) {
  pricing::PricerOptions options;
  options.use_runtime_facts = with_runtime_facts;
  pricing::SetPricer pricer(set, table, options);
  Agreement result;
  for (std::size_t i = 0; i < set.measurements.size(); ++i) {
    if (!test[i]) continue;
    const pricing::Priced priced = pricer.price(i);
    EXPECT_EQ(priced.problem, "") << set.measurements[i].origin;
    const double difference = std::abs(priced.joules / engine[i] - 1);
    ++result.rows[static_cast<std::size_t>(set.measurements[i].level)];
    if (!(difference <= result.largest)) result.largest = difference, result.where = set.measurements[i].origin;
  }
  return result;
}

Agreement of_tree(const MeasurementSet& set, const std::vector<bool>& training) {
  const Observations observations(set);
  const TreeFit fit(observations, training, {});
  std::vector<bool> test;
  for (const bool in : training) test.push_back(!in);
  return agreement(set, table_of(fit, set), fit.price().joules, test);
}

MeasurementSet empty_set() {
  MeasurementSet set;
  set.boundary = BoundaryKind::kWall;
  set.baseline = BaselineKind::kTotal;
  set.board = "test board";
  return set;
}

Measurement op_measurement(const graph::OpNode& op, double joules, const std::string& group) {
  Measurement m = test::measured_op(op, joules, group);
  m.model = group;
  return m;
}

// Six models of blocks of dense layers, softmax and layer norms; a library that likes some
// sizes less, and modules that cost more than their children.
MeasurementSet synthetic_models() {
  MeasurementSet set = empty_set();
  std::mt19937 random(5);
  std::normal_distribution<double> noise(0, 0.01);
  for (int model = 0; model < 6; ++model) {
    const std::string group = "model" + std::to_string(model);
    for (const std::uint64_t batch : {1, 2, 4, 8, 16}) {
      for (const std::uint64_t sequence : {16, 24, 48, 96}) {
        graph::OpContext context{.batch = batch, .tokens = batch * sequence, .sequence = sequence};
        std::vector<measurements::Child> in_block;
        double children = 0;
        const auto add = [&](const graph::OpNode& op, double joules, double count) {
          joules *= std::exp(noise(random));
          in_block.push_back({set.measurements.size(), count});
          children += count * joules;
          set.measurements.push_back(op_measurement(op, joules, group));
        };
        graph::OpContext rows = context;
        rows.batch = 1;
        graph::DenseParams dense;
        dense.m = batch * sequence, dense.k = 128, dense.n = model % 2 == 0 ? 128 : 512;
        const graph::OpNode layer = graph::dense(rows, dense);
        const auto macs = static_cast<double>(count_work(OpClass::kMatrix, layer.facts)->macs);
        add(layer, (1e-4 + 2e-11 * macs) * std::exp(0.1 * std::sin(5 * std::log2(static_cast<double>(dense.m)))), 2);
        graph::NormalisationParams norm;
        norm.elements = batch * sequence * 128, norm.groups = batch * sequence;
        add(graph::normalisation(context, norm), 5e-5 + 1e-9 * static_cast<double>(norm.elements), 1);
        if (model >= 3) {
          const std::uint64_t width = batch * 4 * sequence;
          add(graph::softmax(context, OpKind::kSoftmax, width, sequence, DataType::kFloat32),
              4e-5 + 2e-9 * static_cast<double>(width * sequence), 1);
        }
        const auto module = [&](NodeLevel level, std::vector<measurements::Child> below, double joules) {
          Measurement m;
          m.level = level;
          m.kind = level == NodeLevel::kModel ? OpKind::kModel : OpKind::kModule;
          m.op_class = OpClass::kModule;
          m.facts.set(Fact::kBatch, batch).set(Fact::kTokens, batch * sequence).set(Fact::kSequence, sequence);
          m.facts.set(Fact::kOwnBytes, level == NodeLevel::kModel ? 0 : batch * sequence * 512);
          m.energy_joules = joules * std::exp(noise(random));
          m.group = m.model = group;
          m.origin = "synthetic module of " + group;
          m.children = std::move(below);
          std::vector<graph::ChildKind> kinds;
          for (const auto& child : m.children) {
            const Measurement& c = set.measurements[child.index];
            kinds.push_back({c.kind, c.op_class, static_cast<std::uint64_t>(child.count)});
          }
          graph::describe_structure(kinds, level == NodeLevel::kModel, m.facts[Fact::kOwnBytes] > 0, m.facts);
          set.measurements.push_back(m);
          return std::pair(set.measurements.size() - 1, m.energy_joules);
        };
        const auto [block, block_joules] =
            module(NodeLevel::kModule, in_block, 1.05 * children + 2e-9 * static_cast<double>(batch * sequence * 512));
        const double layers = 2 + model;
        static_cast<void>(module(NodeLevel::kModel, {{block, layers}}, 1e-3 + layers * block_joules));
      }
    }
  }
  return set;
}

std::vector<bool> without_group(const MeasurementSet& set, const std::string& group) {
  std::vector<bool> training;
  for (const Measurement& m : set.measurements) training.push_back(m.group != group);
  return training;
}

TEST(ThroughCore, OpsModulesAndModelsCostWhatTheEngineSays) {
  const MeasurementSet set = synthetic_models();
  for (const char* group : {"model1", "model4"}) {
    const Agreement found = of_tree(set, without_group(set, group));
    EXPECT_LT(found.largest, kFloatTolerance) << found.where;
    EXPECT_GE(found.rows[0], 40);
    EXPECT_EQ(found.rows[1], 20);
    EXPECT_EQ(found.rows[2], 20);
  }
}

// Time and a counter of the board that sees seven tenths of every joule.
MeasurementSet with_counters(MeasurementSet set) {
  std::mt19937 random(9);
  std::normal_distribution<double> noise(0, 0.01);
  for (Measurement& m : set.measurements) {
    m.time_seconds = m.energy_joules / 40 * std::exp(10 * noise(random));
    m.utilisation = 0.9;
    m.counter_joules = 0.7 * m.energy_joules * std::exp(noise(random));
  }
  return set;
}

TEST(ThroughCore, WhatWasMeasuredWhileRunningCountsAsTheEngineSays) {
  const MeasurementSet set = with_counters(synthetic_models());
  const std::vector<bool> training = without_group(set, "model4");
  const Observations observations(set);
  const TreeFit fit(observations, training, {});
  std::vector<bool> test;
  for (const bool in : training) test.push_back(!in);
  const files::FileBytes table = table_of(fit, set);
  const std::vector<double> counted = fit.price_known(Known::kCounter);
  const Agreement found = agreement(set, table, counted, test, true);
  EXPECT_LT(found.largest, kFloatTolerance) << found.where;
  EXPECT_EQ(found.rows[2], 20);
  // The counter knows what no fact says, so its rows err least.
  double error = 0, without = 0;
  const std::vector<double> plain = fit.price().joules;
  for (std::size_t i = 0; i < test.size(); ++i) {
    if (!test[i]) continue;
    error += std::abs(counted[i] / set.measurements[i].energy_joules - 1);
    without += std::abs(plain[i] / set.measurements[i].energy_joules - 1);
  }
  EXPECT_LT(error, without);
  // Without the counter the same table answers by time, and without either by facts.
  MeasurementSet timed = set;
  for (Measurement& m : timed.measurements) {
    m.counter_joules = -1;
    if (m.level != NodeLevel::kOp) m.time_seconds = -1;
  }
  std::vector<bool> ops = test;
  for (std::size_t i = 0; i < ops.size(); ++i) ops[i] = ops[i] && set.measurements[i].level == NodeLevel::kOp;
  const Agreement by_time = agreement(timed, table, fit.price_known(Known::kTime), ops, true);
  EXPECT_LT(by_time.largest, kFloatTolerance) << by_time.where;
  const Agreement by_facts = agreement(set, table, plain, test);
  EXPECT_LT(by_facts.largest, kFloatTolerance) << by_facts.where;
}

TEST(ThroughCore, TheSyntheticTableUsesWhatItIsMeantToTest) {
  const MeasurementSet set = synthetic_models();
  const Observations observations(set);
  const std::vector<FittedRow> rows =
      TreeFit(observations, std::vector<bool>(set.measurements.size(), true), {}).table_rows();
  const auto some = [&](auto holds) { return std::any_of(rows.begin(), rows.end(), holds); };
  EXPECT_TRUE(some([](const FittedRow& r) { return !r.correction.heights.empty() && r.children_gain == 0; }));
  EXPECT_TRUE(some([](const FittedRow& r) { return r.children_gain > 0 && !r.conditions.empty(); }));
  EXPECT_TRUE(some([](const FittedRow& r) { return r.children_gain > 0 && r.conditions.empty(); }));
  EXPECT_TRUE(some([](const FittedRow& r) { return r.level == Level::kClass && r.op_class == OpClass::kMatrix; }));
  EXPECT_TRUE(some([](const FittedRow& r) { return r.level == Level::kRoofline; }));
  for (const FittedRow& row : rows) {
    if (row.level <= Level::kOp) {
      EXPECT_FALSE(row.reason.empty()) << name_of(row.kind);
    }
  }
}

// A kind, a class and a module that training has not seen.
TEST(ThroughCore, FallbacksCostWhatTheEngineSays) {
  const MeasurementSet set = synthetic_models();
  std::vector<bool> training;
  for (const Measurement& m : set.measurements) {
    training.push_back(m.kind != OpKind::kLayerNorm && m.group != "model3" && m.group != "model4" &&
                       m.group != "model5");
  }
  const Agreement found = of_tree(set, training);
  EXPECT_LT(found.largest, kFloatTolerance) << found.where;
}

TEST(ThroughCore, TreesOfConvolutionsCostWhatTheEngineSays) {
  MeasurementSet set = empty_set();
  std::mt19937 random(3);
  std::uniform_int_distribution<std::uint64_t> channels(8, 256), size(7, 56), kernel(0, 2);
  for (int i = 0; i < 240; ++i) {
    graph::ConvolutionParams p;
    p.in_h = p.in_w = p.out_h = p.out_w = size(random);
    p.in_c = channels(random), p.out_c = channels(random);
    p.kernel_h = p.kernel_w = 1 + 2 * kernel(random);
    const graph::OpNode op = graph::convolution({}, p);
    const auto macs = static_cast<double>(count_work(OpClass::kConvolution, op.facts)->macs);
    const double another_algorithm = p.in_c > 128 ? 4 : 1;
    set.measurements.push_back(op_measurement(op, 2e-4 + another_algorithm * 1e-11 * macs, "spec" + std::to_string(i)));
  }
  std::vector<bool> training;
  for (std::size_t i = 0; i < set.measurements.size(); ++i) training.push_back(i % 4 != 0);
  const Observations observations(set);
  const TreeFit fit(observations, training, {});
  const std::vector<FittedRow> rows = fit.table_rows();
  EXPECT_TRUE(std::any_of(rows.begin(), rows.end(), [](const FittedRow& r) { return r.member == 5; }));
  const Agreement found = of_tree(set, training);
  EXPECT_LT(found.largest, kFloatTolerance) << found.where;
  EXPECT_EQ(found.rows[0], 60);
}

// Every spelling of a form in the file's unit, range and sign: a set that chooses log rows.
TEST(ThroughCore, LogRowsCostWhatTheEngineSays) {
  MeasurementSet set = empty_set();
  for (int i = 0; i < 90; ++i) {
    graph::DenseParams p;
    p.m = 1 + static_cast<std::uint64_t>(i % 9) * 7, p.k = 16U << static_cast<unsigned>(i % 5),
    p.n = 24 + 8U * static_cast<std::uint64_t>(i % 6);
    const graph::OpNode op = graph::dense({}, p);
    const double joules = 1e-6 * std::pow(static_cast<double>(p.m), 0.4) * std::pow(static_cast<double>(p.k), 1.3) *
                          std::pow(static_cast<double>(p.n), 0.6);
    set.measurements.push_back(op_measurement(op, joules, "g" + std::to_string(i % 8)));
  }
  const std::vector<bool> training = without_group(set, "g3");
  const Observations observations(set);
  const std::vector<FittedRow> rows = TreeFit(observations, training, {}).table_rows();
  EXPECT_TRUE(std::any_of(rows.begin(), rows.end(), [](const FittedRow& r) { return r.form == RowForm::kLog2; }));
  const Agreement found = of_tree(set, training);
  EXPECT_LT(found.largest, kFloatTolerance) << found.where;
}

// The pool's mean on `train`, and the table of one device, on every row of `set`.
void expect_models_agree(const MeasurementSet& train, const std::string& device) {
  const FittedTable fitted = fit_models(train, device);
  const files::FileBytes table = write_table(fitted, train, {"t", "2026-01-01", "test"});
  const ModelPool pool = pool_of(train);
  const std::vector<PoolForm> forms = pool_forms();
  const PoolChoice choice = choose_forms(forms, pool.data, kAveragedForms);
  std::vector<SetPool> best;
  for (std::size_t i = 0; i < kAveragedForms; ++i) best.emplace_back(pool.data, forms[choice.order[i]]);
  const Eigen::VectorXd engine = SetPool::average(best).predict(pool.data);
  std::vector<bool> test;
  const std::string name = find_device(train, device);
  for (const Measurement& m : train.measurements) test.push_back(m.device == name);
  const Agreement found = agreement(train, table, {engine.begin(), engine.end()}, test);
  EXPECT_LT(found.largest, kFloatTolerance) << device << ": " << found.where;
  EXPECT_GT(found.rows[2], 20);
}

TEST(ThroughCore, ModelsTaughtByWholeModelsCostWhatThePoolSays) {
  const measurements::PartsOfModel parts_of = calibrate::source_options({}, "").parts_of_mlperf_edge;
  std::string csv = "round,division,submitter,system,model,avg_W,dur_s,samples,J_per_sample,mean_lat_ms\n";
  int row = 0;
  for (const char* system : {"fast", "slow"}) {
    for (const char* type : {"-quantized", ""}) {
      for (const char* width : {"0.35", "0.5", "0.75", "1.0"}) {
        for (const char* size : {"96", "128", "160", "192", "224"}) {
          for (const char* net : {"v1", "v2"}) {
            if (std::string(net) == "v1" && (std::string(width) == "0.35" || std::string(size) == "96")) continue;
            const std::string model = std::string("mobilenet-") + net + "-" + width + "-" + size + type;
            double macs = 0;
            const measurements::ModelParts parts = parts_of(model);
            for (const auto& part : *parts.parts) {
              macs += static_cast<double>(count_work(part.op_class, part.facts)->macs);
            }
            const double joules = (*system == 'f' ? 1.0 : 2.5) * (0.01 + 1e-10 * macs) * (1 + 0.01 * (row++ % 3));
            csv += std::string("v1,open,x,") + system + "," + model + ",1,1,1," + std::to_string(joules) + ",1\n";
          }
        }
      }
    }
  }
  const MeasurementSet set = measurements::import_mlperf_edge(csv, "synthetic.csv", parts_of);
  expect_models_agree(set, "v1|slow|uint8");
  expect_models_agree(set, "v1|fast|float32");
  EXPECT_THROW(static_cast<void>(fit_models(set, "slow")), measurements::MeasurementError) << "two data types";
  EXPECT_THROW(static_cast<void>(fit_models(set, "turbo")), measurements::MeasurementError);
}

TEST(ThroughCore, IreneLeftOutModelsCostWhatTheEngineSays) {
  const std::string folder = shared_path("irene_device_1");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "EDGEJOULE_SHARED_DIR has no data/irene_device_1";
  const MeasurementSet set = measurements::import_irene(folder);
  for (const char* model : {"gpt2", "distilbert-base-uncased"}) {
    const Agreement found = of_tree(set, without_group(set, model));
    EXPECT_LT(found.largest, kFloatTolerance) << model << " at " << found.where;
    EXPECT_GT(found.rows[0], 100);
    EXPECT_GT(found.rows[1], 50);
    EXPECT_GT(found.rows[2], 10);
  }
  // A whole family left out: classes, the roofline and coarse module rows answer.
  std::vector<bool> training;
  for (const Measurement& m : set.measurements) training.push_back(m.family != "gpt");
  const Agreement found = of_tree(set, training);
  EXPECT_LT(found.largest, kFloatTolerance) << found.where;
}

TEST(ThroughCore, JetsonConvolutionsCostWhatTheEngineSays) {
  const std::string path = shared_path("jetson_conv2d/conv2d.txt");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "EDGEJOULE_SHARED_DIR has no data/jetson_conv2d/conv2d.txt";
  const MeasurementSet set = measurements::import_measurements(path);
  const std::vector<int> fold = held_out_folds(set, 5);
  std::vector<bool> training;
  for (const int f : fold) training.push_back(f != 0);
  const Agreement found = of_tree(set, training);
  EXPECT_LT(found.largest, kFloatTolerance) << found.where;
  EXPECT_GT(found.rows[0], 150);
}

TEST(ThroughCore, BoardsOfMlperfCostWhatThePoolSays) {
  const std::string path = shared_path("mlperf_edge/runs.csv");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "EDGEJOULE_SHARED_DIR has no data/mlperf_edge/runs.csv";
  const MeasurementSet set = calibrate::read_set(path, {});
  expect_models_agree(set, "v2.0|rpi4-tflite-v2.7.1-ruy|uint8");
  expect_models_agree(set, "v2.1|orin-tflite-v2.7.1-ruy|float32");
}

}  // namespace
}  // namespace edgejoule::fit
