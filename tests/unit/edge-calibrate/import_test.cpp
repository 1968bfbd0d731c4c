// edge-calibrate import as a person runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "files/io.h"
#include "files/json.h"
#include "support/graph_fixture.h"
#include "unit/edge-calibrate/sample_sets.h"

namespace edgejoule {
namespace {

using test::dense_ops;
using test::edge_calibrate;
using test::Outcome;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Import : public test::FilesTest {
 protected:
  [[nodiscard]] std::string set() const { return folder_.file("set.ejm"); }
  [[nodiscard]] Outcome import(const std::string& arguments) const {
    return edge_calibrate("import " + arguments + " -o " + set());
  }
  [[nodiscard]] std::string refusal(const std::string& arguments) const {
    const Outcome outcome = import(arguments);
    EXPECT_EQ(outcome.code, 3) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    return outcome.err;
  }
};

TEST_F(Import, SaysWhatItReadAndFitTakesTheSet) {
  const std::string csv = write("ops.csv", dense_ops() + "dense,float32,0,1,2,3\n");
  const Outcome outcome = import(csv);
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("60 ops, 0 modules, 0 models"), HasSubstr("60 dense float32"), HasSubstr("60 groups"),
                    HasSubstr("boundary  wall"), HasSubstr("baseline  total"), HasSubstr("left out  1 row"),
                    HasSubstr("ops.csv:65: energy 0 J is not above zero"), HasSubstr("wrote")));
  const std::string of_set = folder_.file("a.json"), of_csv = folder_.file("b.json");
  EXPECT_EQ(edge_calibrate("fit " + set() + " -o " + of_set + " --date 2026-01-31").code, 0);
  EXPECT_EQ(edge_calibrate("fit " + csv + " -o " + of_csv + " --date 2026-01-31").code, 0);
  EXPECT_EQ(files::read_file(of_set).text(), files::read_file(of_csv).text());
}

TEST_F(Import, WritesJsonToAPipe) {
  const Outcome outcome = edge_calibrate("import " + write("ops.csv", dense_ops()) + " -o -");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("\"energy_joules\""));
  EXPECT_THAT(outcome.err, Not(HasSubstr("wrote")));
  EXPECT_EQ(import(write("again.json", outcome.out)).code, 0);
}

TEST_F(Import, FindsModelsBesideTheirCsv) {
  files::save(folder_.file("net.ejg"), test::layered_graph(4, 2).span(), files::FileKind::kGraph);
  const Outcome outcome = import(write("models.csv", "model,energy_j\nnet.ejg,0.5\nzoo:kws,0.1\n") +
                                 " --boundary rails --rail VDD_IN --baseline above_idle --board 'My Board'");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("0 ops, 0 modules, 2 models"), HasSubstr("boundary  rails VDD_IN"),
                                 HasSubstr("baseline  above idle"), HasSubstr("board     My Board")));
}

TEST_F(Import, MergesSourcesThatAgree) {
  const std::string a = write("a.csv", dense_ops()), b = write("b.csv", dense_ops({.count = 5, .first = 100}));
  EXPECT_THAT(import(a + ' ' + b).err, HasSubstr("65 ops"));
  const std::string c = write("c.csv", dense_ops({.header = "# boundary: module_input\n# baseline: total\n"}));
  EXPECT_THAT(refusal(a + ' ' + c),
              AllOf(HasSubstr("do not go into one set"), HasSubstr("boundary"), HasSubstr("Import them apart")));
}

TEST_F(Import, RefusesWhatItCannotUse) {
  EXPECT_THAT(refusal(folder_.file("none.csv")), HasSubstr("No such file"));
  EXPECT_THAT(refusal(write("x.csv", "kind,energy_j\nadd,1\n")), HasSubstr("--boundary and --baseline"));
  EXPECT_THAT(refusal(write("x.csv", dense_ops()) + " --boundary rails"),
              HasSubstr("saying rails does not make it so"));
  EXPECT_THAT(refusal(write("x.csv", dense_ops({.count = 0}))), HasSubstr("it has no rows"));
  EXPECT_THAT(refusal(write("x.csv", dense_ops({.count = 0}) + "dense,float32,-1,1,2,3\n")),
              AllOf(HasSubstr("holds no measurement that can be used"), HasSubstr("x.csv:5"), HasSubstr("-1 J")));
  EXPECT_THAT(refusal(write("x.csv", "# boundary: wall\n# baseline: total\nkind,energy_j\ndens,1\n")),
              AllOf(HasSubstr("x.csv:4"), HasSubstr("no op kind called 'dens'")));
  EXPECT_THAT(refusal(write("x.csv", "# boundary: wall\n# baseline: total\nmodel,energy_j\nnone.tflite,1\n")),
              AllOf(HasSubstr("x.csv:4"), HasSubstr("none.tflite")));
  ASSERT_EQ(import(write("x.csv", dense_ops())).code, 0);
  const files::FileBytes whole = files::read_file(set());
  EXPECT_THAT(refusal(write("cut.ejm", std::string(whole.text().substr(0, whole.size() / 2)))), HasSubstr("cut.ejm"));
  EXPECT_THAT(refusal(write("x.csv", "")), HasSubstr("it is empty"));
  EXPECT_EQ(import(folder_.path().string()).code, 3) << "a folder that is not IrEne's";
}

TEST_F(Import, UsageErrorsExitWithTwo) {
  EXPECT_EQ(edge_calibrate("import").code, 2);
  EXPECT_EQ(edge_calibrate("import x.csv").code, 2);
  const Outcome outcome = import("x.csv --boundary roof");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("'roof' is none of rails, module_input, wall"));
  const Outcome help = edge_calibrate("import --help");
  EXPECT_EQ(help.code, 0);
  for (const char* text : {"conv2d.txt", "IrEne", "MLPerf Tiny", "uJ_per_inference", "J_per_sample", "energy_j",
                           "# boundary:", "zoo:NAME", "Exit codes:", "Example:"}) {
    EXPECT_THAT(help.out, HasSubstr(text));
  }
}

TEST_F(Import, AFullDiskIsAFailureAndLeavesNothingBehind) {
  const std::string csv = write("ops.csv", dense_ops());
  const Outcome outcome = edge_calibrate("import " + csv + " -o /dev/full");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("the disk is full"));
  EXPECT_EQ(edge_calibrate("import " + csv + " -o - >/dev/full").code, 1);
  EXPECT_EQ(edge_calibrate("import " + csv + " -o " + folder_.file("no/such/set.ejm")).code, 1);
  EXPECT_THAT(folder_.names(), ElementsAre("ops.csv"));
}

}  // namespace
}  // namespace edgejoule
