// What-if settings, sweeps and questions about them, through the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "files/io.h"
#include "program_fixture.h"
#include "support/graph_fixture.h"

namespace edgejoule {
namespace {

using test::Outcome;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class EdgePredictSweep : public EdgePredict {
 protected:
  // The column `index` of a CSV without quotes, the header left out.
  static std::vector<std::string> column(const std::string& csv, std::size_t index) {
    std::istringstream lines(csv);
    std::string line;
    std::getline(lines, line);
    std::vector<std::string> out;
    while (std::getline(lines, line)) {
      std::istringstream fields(line);
      std::string field;
      for (std::size_t i = 0; i <= index; ++i) std::getline(fields, field, ',');
      out.push_back(field);
    }
    return out;
  }
  std::string total(const std::string& arguments) {
    const Outcome outcome = run(arguments + " --csv --table " + table_);
    EXPECT_EQ(outcome.code, 0) << arguments << ": " << outcome.err;
    return column(outcome.out, 8).at(0);
  }
};

TEST_F(EdgePredictSweep, SettingsAreTheModelBuiltThatWay) {
  EXPECT_EQ(total("zoo:bert-tiny --seq 64 --batch 2 --dtype int8"), total("zoo:bert-tiny:seq=64,batch=2,dtype=int8"));
  EXPECT_EQ(total("zoo:vit-tiny-16 --resolution 96"), total("zoo:vit-tiny-16:resolution=96"));
  EXPECT_NE(total("zoo:bert-tiny --seq 64"), total("zoo:bert-tiny"));
}

TEST_F(EdgePredictSweep, FilesChangeWhereThatIsExact) {
  const std::string file = folder_.file("m.ejg");
  ASSERT_EQ(run("zoo:resnet8 --write-graph " + file).code, 0);
  EXPECT_EQ(total(file + " --batch 4 --dtype fp16"), total("zoo:resnet8 --batch 4 --dtype fp16"));
  const Outcome refused = run(file + " --resolution 64 --table " + table_);
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("resolution cannot be changed in a file"), HasSubstr("zoo:resnet8")));
  EXPECT_EQ(refused.out, "");
  const std::string quantised = folder_.file("q.ejg");
  ASSERT_EQ(run("zoo:resnet8 --dtype int8 --write-graph " + quantised).code, 0);
  EXPECT_EQ(run(quantised + " --dtype fp32 --table " + table_).code, 1);
}

TEST_F(EdgePredictSweep, PricesEveryValueOnce) {
  const Outcome csv = run("zoo:bert-tiny --sweep seq=32:128:32 --csv --table " + table_);
  ASSERT_EQ(csv.code, 0) << csv.err;
  EXPECT_EQ(column(csv.out, 1), (std::vector<std::string>{"32", "64", "96", "128"}));
  EXPECT_EQ(column(csv.out, 2).at(1), total("zoo:bert-tiny --seq 64"));
  const Outcome text = run("zoo:bert-tiny --sweep seq=32:128:32 --table " + table_);
  EXPECT_THAT(text.out, AllOf(HasSubstr("per token"), HasSubstr("█"), Not(HasSubstr("\x1b"))));
  const Outcome points = run("zoo:resnet8 --sweep at --csv --table " + table_);
  EXPECT_EQ(column(points.out, 1).size(), test::sound_table().operating_points.size());
  const Outcome types = run("zoo:resnet8 --sweep dtype=fp32,int8 --json --table " + table_);
  EXPECT_THAT(types.out, AllOf(HasSubstr("\"value\": \"int8\""), HasSubstr("\"joules_per_token\": null")));
}

// A table as table merge leaves it: an op costs three times as much on the second engine.
TEST_F(EdgePredictSweep, EnginesOfATableAreAskedByName) {
  wire::CoefficientTableT table = test::sound_table();
  table.engines.resize(1);
  table.engines[0]->name = "cpu";
  table.engines.push_back(std::make_unique<wire::EngineT>());
  table.engines[1]->name = "gpu";
  const wire::RowT roofline = *table.rows.front();
  ASSERT_EQ(roofline.level, wire::Level::roofline);
  table.rows.push_back(std::make_unique<wire::RowT>(roofline));
  table.rows.back()->engine = 1;
  for (const auto& term : table.rows.back()->terms) term->coefficient *= 3;
  const std::string both = folder_.file("both.ejt");
  files::save(both, test::pack(table).span(), files::FileKind::kTable);

  const auto joules = [&](const std::string& options) {
    const Outcome csv = run("zoo:resnet8 --csv --table " + both + options);
    EXPECT_EQ(csv.code, 0) << csv.err;
    return std::stof(csv.out.empty() ? "0" : column(csv.out, 8).at(0));
  };
  EXPECT_FLOAT_EQ(joules(" --engine cpu"), joules(""));
  EXPECT_FLOAT_EQ(joules(" --engine gpu"), 3 * joules(""));
  const Outcome all = run("zoo:resnet8 --sweep engine --csv --table " + both);
  EXPECT_EQ(column(all.out, 1), (std::vector<std::string>{"cpu", "gpu"})) << all.err;
  EXPECT_THAT(run("zoo:resnet8 --cheapest engine --table " + both).out, HasSubstr("cheapest engine: engine=cpu"));
  EXPECT_THAT(run("zoo:resnet8 --engine gpu --table " + both).out, ::testing::ContainsRegex("table .*, gpu( at|\n)"));
  const Outcome side = run("compare zoo:resnet8 zoo:resnet8 --set-b engine=gpu --table " + both);
  EXPECT_THAT(side.out, AllOf(HasSubstr(" on gpu"), HasSubstr("; x 3\n"))) << side.err;
  const Outcome none = run("zoo:resnet8 --engine dla --table " + both);
  EXPECT_EQ(none.code, 3);
  EXPECT_THAT(none.err, HasSubstr("no engine is called \"dla\". It has: cpu, gpu."));
}

TEST_F(EdgePredictSweep, JoulesOfABatchArePerInputToo) {
  const Outcome csv = run("zoo:resnet8 --sweep batch=1,4 --csv --table " + table_);
  EXPECT_FLOAT_EQ(std::stof(column(csv.out, 5).at(1)) * 4, std::stof(column(csv.out, 2).at(1)));
}

TEST_F(EdgePredictSweep, WritesAPageWithAChart) {
  const std::string page = folder_.file("page.html");
  const Outcome outcome = run("'zoo:bert-tiny' --sweep seq=32:128:32 --html " + page + " --table " + table_);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  const std::string html(files::read_file(page).text());
  EXPECT_THAT(html, AllOf(HasSubstr("class=\"line c0\""), HasSubstr("default-src 'none'"), Not(HasSubstr("<script"))));
}

// The answer fits, the next does not.
TEST_F(EdgePredictSweep, LargestIsTheLastThatFits) {
  const std::string budget = total("zoo:bert-tiny --seq 77");
  const Outcome outcome = run("zoo:bert-tiny --largest seq --under " +
                              std::to_string(std::stod(budget) * 1.0001 * 1e6) + "uJ --table " + table_);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("largest seq: seq=77,"));
  EXPECT_THAT(outcome.err, HasSubstr("joules rise with seq"));
  EXPECT_GT(std::stod(total("zoo:bert-tiny --seq 78")), std::stod(budget) * 1.0001);
}

TEST_F(EdgePredictSweep, LargestStopsWhereTheModelEnds) {
  const Outcome outcome = run("zoo:bert-tiny --largest seq --under 1kJ --table " + table_);
  EXPECT_THAT(outcome.out, HasSubstr("largest seq: seq=512,"));
  EXPECT_THAT(outcome.err, HasSubstr("513 cannot be built"));
}

TEST_F(EdgePredictSweep, LargestOfValuesPricesEach) {
  const Outcome outcome = run("zoo:vit-tiny-16 --largest resolution=224:32:-32 --under 1kJ --table " + table_);
  EXPECT_EQ(outcome.code, 2);
  const Outcome some = run("zoo:vit-tiny-16 --largest resolution=32:224:32 --under 1kJ --table " + table_);
  EXPECT_THAT(some.out, HasSubstr("resolution=224,"));
  const Outcome search = run("zoo:vit-tiny-16 --largest resolution --under 1kJ --table " + table_);
  EXPECT_EQ(search.code, 1);
  EXPECT_THAT(search.err, AllOf(HasSubstr("cannot be searched"), HasSubstr("resolution=FROM:TO:STEP")));
}

TEST_F(EdgePredictSweep, WhatNothingCanMeetFails) {
  const Outcome outcome = run("zoo:resnet50 --largest batch --under 1nJ --table " + table_);
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("already batch=1 costs"));
  EXPECT_EQ(run("zoo:resnet50 --cheapest dtype=fp32,int8 --under 1nJ --table " + table_).code, 1);
}

TEST_F(EdgePredictSweep, CheapestIsTheLeast) {
  const Outcome outcome = run("zoo:resnet8 --cheapest dtype=fp32,int8,fp16 --table " + table_);
  EXPECT_THAT(outcome.out, HasSubstr("cheapest dtype: dtype=int8"));
  EXPECT_EQ(run("zoo:resnet8 --cheapest at --under 1J --table " + table_).code, 0);
}

TEST_F(EdgePredictSweep, QuestionsAboutTimeAreRefusedWhereTheTableKnowsNone) {
  const Outcome outcome = run("zoo:resnet8 --cheapest at --under 50ms --table " + table_);
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("does not know how long"), HasSubstr("50ms"), HasSubstr("joules")));
}

TEST_F(EdgePredictSweep, NonsenseIsAUsageError) {
  for (const char* bad : {"--sweep seq=1:10:0",
                          "--sweep seq=10:1:1",
                          "--sweep seq=1:100000:1",
                          "--sweep seq",
                          "--sweep seq=",
                          "--sweep =4",
                          "--sweep seq=1,,2",
                          "--sweep seq=1:2:3:4",
                          "--sweep seq=-4:4:1",
                          "--sweep length=1,2",
                          "--batch -1",
                          "--batch 0",
                          "--batch 1.5",
                          "--batch 99999999999999999999",
                          "--seq 99999999",
                          "--dtype int3",
                          "--resolution 64",
                          "--largest seq",
                          "--largest seq --under 2",
                          "--largest seq --under 2W",
                          "--largest seq --under -2J",
                          "--largest seq --under nanJ",
                          "--largest dtype=fp32,int8 --under 2J",
                          "--largest at --under 2J",
                          "--cheapest seq",
                          "--sweep seq=1,2 --largest seq --under 2J",
                          "--under 2J",
                          "--sweep seq=1,2 --explain"}) {
    const Outcome outcome = run(std::string("zoo:bert-tiny ") + bad + " --table " + table_);
    EXPECT_EQ(outcome.code, 2) << bad << ": " << outcome.err;
    EXPECT_EQ(outcome.out, "") << bad;
    EXPECT_NE(outcome.err, "") << bad;
  }
}

TEST_F(EdgePredictSweep, HelpShowsHowToAsk) {
  EXPECT_THAT(run("--help").out, AllOf(HasSubstr("--sweep seq=64:512:64"), HasSubstr("--largest seq --under 2J")));
}

}  // namespace
// 1 ns per MAC: the time rises with the sequence, joules fall with nothing.
TEST_F(EdgePredictSweep, ALimitMayBeOfTime) {
  wire::CoefficientTableT table = test::sound_table();
  table.rows[0]->terms[0]->time_coefficient = 1;
  table.rows[0]->terms[0]->time_unit = wire::Unit::nanosecond;
  const std::string timed = folder_.file("timed.ejt");
  files::save(timed, test::pack(table).span(), files::FileKind::kTable);
  const auto seconds = [&](const std::string& model) {
    return std::stod(column(run(model + " --csv --table " + timed).out, 16).at(0));
  };
  const double limit = seconds("zoo:bert-tiny --seq 77") * 1.0001;
  const Outcome largest =
      run("zoo:bert-tiny --largest seq --under " + std::to_string(limit * 1e6) + "us --table " + timed);
  ASSERT_EQ(largest.code, 0) << largest.err;
  EXPECT_THAT(largest.out, AllOf(HasSubstr("largest seq: seq=77,"), HasSubstr(" in "), HasSubstr("power")));
  EXPECT_THAT(largest.err, HasSubstr("time rises with seq"));
  const Outcome cheapest = run("zoo:bert-tiny --cheapest seq=64,77,78 --under 1us --table " + timed);
  EXPECT_EQ(cheapest.code, 1);
  EXPECT_THAT(cheapest.err, HasSubstr("the fastest takes"));
  EXPECT_THAT(run("zoo:bert-tiny --sweep seq=64,77 --json --table " + timed).out, HasSubstr("\"time_seconds\": 0."));
}

TEST_F(EdgePredictSweep, ClocksBetweenCalibratedPointsArePriced) {
  wire::CoefficientTableT table = test::sound_table();
  for (std::uint8_t i = 0; i < 2; ++i) {
    table.operating_points[i]->cpu_mhz = i == 0 ? 1000.0F : 2000.0F;
    wire::RowT& row = test::add_row(table, Level::kRoofline, OpKind::kUnknown);
    row.operating_point = i;
    test::add_term(row, {.feature = Feature::kMacs, .coefficient = i == 0 ? 4.0F : 8.0F});
  }
  const std::string several = folder_.file("several.ejt");
  files::save(several, test::pack(table).span(), files::FileKind::kTable);
  const auto joules = [&](const std::string& at) {
    return std::stod(column(run("zoo:resnet8 --at " + at + " --csv --table " + several).out, 8).at(0));
  };
  EXPECT_NEAR(joules("cpu=1500"), (joules("15W") + joules("30W")) / 2, 1e-4 * joules("15W"));
  EXPECT_EQ(joules("cpu=2000"), joules("30W"));
  const Outcome between = run("zoo:resnet8 --at cpu=1500 --table " + several);
  EXPECT_THAT(between.out, HasSubstr("flag      between"));
  const Outcome outside = run("zoo:resnet8 --at cpu=3000 --table " + several);
  EXPECT_EQ(outside.code, 3);
  EXPECT_THAT(outside.err,
              AllOf(HasSubstr("cpu=3000"), HasSubstr("nothing is extrapolated"), HasSubstr("30W (cpu=2000")));
  EXPECT_EQ(run("zoo:resnet8 --at npu=5 --table " + several).code, 2);
}

}  // namespace edgejoule
