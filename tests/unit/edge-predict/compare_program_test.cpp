// edge-predict compare, through the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "files/io.h"
#include "program_fixture.h"

namespace edgejoule {
namespace {

using test::Outcome;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class EdgePredictCompare : public EdgePredict {};

TEST_F(EdgePredictCompare, TellsWhatMoved) {
  const Outcome outcome = run("compare zoo:bert-tiny zoo:bert-mini --top 3 --table " + table_);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("zoo:bert-mini"), HasSubstr("only B"), HasSubstr("... and"),
                                 HasSubstr("One table"), Not(HasSubstr("\x1b"))));
}

TEST_F(EdgePredictCompare, TakesSettingsOfEachSide) {
  const Outcome outcome =
      run("compare zoo:resnet8 zoo:resnet8 --set-a dtype=fp32 --set-b dtype=int8,batch=4 --by op --table " + table_);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("dtype=int8, batch=4"), HasSubstr("block_1/conv1")));
}

TEST_F(EdgePredictCompare, ListsKindsAndTheTree) {
  const std::string both = "compare zoo:bert-tiny zoo:bert-mini --table " + table_;
  EXPECT_THAT(run(both + " --by kind").out, AllOf(HasSubstr("dense"), HasSubstr("softmax"), Not(HasSubstr("layer.0"))));
  const Outcome tree = run(both + " --by tree --depth 2");
  EXPECT_THAT(tree.out, AllOf(HasSubstr("    layer.0"), HasSubstr("... and"), Not(HasSubstr("query"))));
}

TEST_F(EdgePredictCompare, WritesAPage) {
  const std::string page = folder_.file("page.html");
  const Outcome outcome = run("compare zoo:bert-tiny zoo:bert-mini --html " + page + " --table " + table_);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(files::read_file(page).text(), AllOf(HasSubstr("class=\"icicle\""), HasSubstr("biggest movers")));
}

TEST_F(EdgePredictCompare, EveryRowOfTheCsvHasTheFieldsOfItsHeader) {
  const Outcome outcome = run("compare zoo:resnet8 zoo:kws --csv --table " + table_);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  std::istringstream lines(outcome.out);
  std::string line;
  std::size_t rows = 0;
  for (; std::getline(lines, line); ++rows) EXPECT_EQ(std::count(line.begin(), line.end(), ','), 14) << line;
  EXPECT_GT(rows, 20U);
  EXPECT_THAT(run("compare zoo:resnet8 zoo:kws --json --table " + table_).out, HasSubstr("\"one_table\": true"));
}

TEST_F(EdgePredictCompare, RefusesNonsense) {
  for (const char* bad :
       {"compare zoo:resnet8", "compare zoo:resnet8 zoo:nope --table T", "compare zoo:resnet8 zoo:kws",
        "compare zoo:resnet8 zoo:kws --table-a T", "compare zoo:resnet8 zoo:kws --table T --table-a T",
        "compare zoo:resnet8 zoo:kws --table T --set-b batch", "compare zoo:resnet8 zoo:kws --table T --set-b batch=-2",
        "compare zoo:resnet8 zoo:kws --table T --by size", "compare zoo:resnet8 zoo:kws --table T --csv --json"}) {
    std::string command = bad;
    for (std::size_t at = command.find(" T"); at != std::string::npos; at = command.find(" T", at + 1)) {
      command.replace(at, 2, " " + table_);
    }
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.code, 2) << bad << ": " << outcome.err;
    EXPECT_EQ(outcome.out, "") << bad;
  }
  EXPECT_EQ(run("compare zoo:resnet8 " + folder_.file("none.tflite") + " --table " + table_).code, 3);
  EXPECT_EQ(run("compare zoo:resnet8 zoo:resnet8 --set-b at=nope --table " + table_).code, 3);
}

TEST_F(EdgePredictCompare, HelpShowsExamplesAndExitCodes) {
  EXPECT_THAT(run("compare --help").out, AllOf(HasSubstr("--set-b dtype=int8"), HasSubstr("Exit codes")));
}

}  // namespace
}  // namespace edgejoule
