// edge-calibrate adapt as a person runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/edge-calibrate/sample_sets.h"

namespace edgejoule {
namespace {

using test::dense_ops;
using test::edge_calibrate;
using test::Outcome;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class AdaptCommand : public test::FilesTest {
 protected:
  AdaptCommand() { fit_dense_ops(folder_.file("donor.ejt")); }

  [[nodiscard]] std::string table() const { return folder_.file("new.json"); }
  [[nodiscard]] Outcome adapt(const std::string& arguments) const {
    return edge_calibrate("adapt " + folder_.file("donor.ejt") + ' ' + arguments + " -o " + table());
  }

  const std::string header_ = "# boundary: wall\n# baseline: total\n# board: New Board\n";
};

TEST_F(AdaptCommand, TurnsADonorIntoATableOfTheNewBoard) {
  const std::string few = write("few.csv", dense_ops({.count = 12, .first = 5, .scale = 3, .header = header_}));
  const Outcome outcome = adapt(few);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("the donor times 3"), HasSubstr("12 measurements in 12 groups"),
                    HasSubstr("donor   median  66.7 %"), HasSubstr("adapted median   0."), HasSubstr("wrote")));
  const Outcome shown = edge_calibrate("table show " + table());
  EXPECT_THAT(shown.out, AllOf(HasSubstr("New Board"), HasSubstr("adapted from the table 'Desk Board'")));
  // What was not measured, the new board's other sizes, costs three times as much too.
  const std::string others = write("o.csv", dense_ops({.count = 20, .first = 30, .scale = 3, .header = header_}));
  EXPECT_EQ(edge_calibrate("validate " + table() + ' ' + others + " --fail-above 5").code, 0);
}

TEST_F(AdaptCommand, OneWholeModelIsEnoughAndSaysThatItIsNotTested) {
  const Outcome outcome = adapt(write("m.csv", header_ + "model,energy_j\nzoo:kws,0.5\n"));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("not tested"));
  const Outcome priced = edge_calibrate("validate " + table() + ' ' + folder_.file("m.csv") + " --anyway");
  EXPECT_THAT(priced.out, AllOf(HasSubstr("0.0 %"), HasSubstr("too few groups")));
}

TEST_F(AdaptCommand, RefusesOtherJoules) {
  const Outcome outcome =
      adapt(write("b.csv", dense_ops({.count = 9, .header = "# boundary: wall\n# baseline: above_idle\n"})));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("no factor turns one into the other"));
  EXPECT_THAT(folder_.names(), ElementsAre("b.csv", "donor.ejt", "ops.csv"));
}

// Joules that have nothing to do with the ops: any factor is worse than none.
TEST_F(AdaptCommand, WritesNothingWhereItMakesThingsWorse) {
  std::string csv = header_ + "kind,data_type,energy_j,rows_m,cols_n,depth_k,group\n";
  for (int i = 1; i <= 4; ++i) {
    const double joules = 1e-4 + 1e-11 * 64 * 160 * i * 64;
    csv += "dense,float32," + std::to_string(joules * (i % 2 == 0 ? 1.5 : 1 / 1.5)) + ",64," + std::to_string(160 * i) +
           ",64," + (i % 2 == 0 ? "a" : "b") + '\n';
  }
  const Outcome outcome = adapt(write("noise.csv", csv));
  EXPECT_EQ(outcome.code, 1) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("errs more than the donor"), HasSubstr("--force")));
  EXPECT_THAT(folder_.names(), ElementsAre("donor.ejt", "noise.csv", "ops.csv"));
  EXPECT_EQ(adapt(folder_.file("noise.csv") + " --force").code, 0);
}

TEST_F(AdaptCommand, BadFilesExitWithThreeAndAFullDiskWithOne) {
  EXPECT_EQ(edge_calibrate("adapt").code, 2);
  EXPECT_EQ(adapt(folder_.file("none.csv")).code, 3);
  EXPECT_EQ(adapt(folder_.file("donor.ejt")).code, 3);
  const std::string few = write("few.csv", dense_ops({.count = 12, .first = 5, .scale = 3, .header = header_}));
  EXPECT_EQ(edge_calibrate("adapt " + few + ' ' + few + " -o " + table()).code, 3);
  const Outcome full = edge_calibrate("adapt " + folder_.file("donor.ejt") + ' ' + few + " -o /dev/full");
  EXPECT_EQ(full.code, 1);
  EXPECT_THAT(full.err, HasSubstr("the disk is full"));
}

}  // namespace
}  // namespace edgejoule
