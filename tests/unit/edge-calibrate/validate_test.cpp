// edge-calibrate validate as a person runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "files/io.h"
#include "files/json.h"
#include "support/table_fixture.h"
#include "unit/edge-calibrate/sample_sets.h"

namespace edgejoule {
namespace {

using test::dense_ops;
using test::edge_calibrate;
using test::Outcome;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Validate : public test::FilesTest {
 protected:
  Validate() { fit_dense_ops(table()); }

  [[nodiscard]] std::string table() const { return folder_.file("t.ejt"); }
  [[nodiscard]] Outcome validate(const std::string& arguments) const {
    return edge_calibrate("validate " + table() + ' ' + arguments);
  }
};

TEST_F(Validate, PrintsHowFarOffTheTableIs) {
  const std::string others = write("other.csv", dense_ops({.count = 20, .first = 3, .scale = 1.25}));
  const Outcome outcome = validate(others);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  // Every prediction is a fifth below what was measured.
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("20.0 %"), HasSubstr("-20.0 %"), HasSubstr("mean  median  90th pct"),
                    HasSubstr("in 90 % interval"), HasSubstr("worst cases"), HasSubstr("\u00f7 1.25"),
                    HasSubstr("other.csv:"), HasSubstr("a joule       wall, total"), HasSubstr("op+type")));
  EXPECT_EQ(outcome.err, "");
}

TEST_F(Validate, RefusesWhatTheTableWasFittedOn) {
  const Outcome refused = validate(folder_.file("ops.csv"));
  EXPECT_EQ(refused.code, 1);
  EXPECT_EQ(refused.out, "");
  EXPECT_THAT(refused.err, AllOf(HasSubstr("fitted on these very measurements"), HasSubstr("--anyway")));
  // Also as a set: the digest is of the source.
  ASSERT_EQ(edge_calibrate("import " + folder_.file("ops.csv") + " -o " + folder_.file("ops.ejm")).code, 0);
  EXPECT_EQ(validate(folder_.file("ops.ejm")).code, 1);
  const Outcome anyway = validate(folder_.file("ops.csv") + " --anyway");
  EXPECT_EQ(anyway.code, 0);
  EXPECT_THAT(anyway.out, HasSubstr("warning       The table was fitted on these very measurements"));
}

TEST_F(Validate, RefusesJoulesOfOtherMeaning) {
  const Outcome boundary =
      validate(write("a.csv", dense_ops({.count = 9, .header = "# boundary: rails\n# rail: A\n# baseline: total\n"})));
  EXPECT_EQ(boundary.code, 1);
  EXPECT_THAT(boundary.err, AllOf(HasSubstr("the table's joules are those of wall"), HasSubstr("rails A")));
  const Outcome baseline =
      validate(write("b.csv", dense_ops({.count = 9, .header = "# boundary: wall\n# baseline: above_idle\n"})));
  EXPECT_EQ(baseline.code, 1);
  EXPECT_THAT(baseline.err, HasSubstr("the table's baseline is total, that of the measurements above idle"));
  EXPECT_THAT(validate(folder_.file("b.csv") + " --anyway").out, HasSubstr("warning       The table's baseline"));
  const Outcome board = validate(
      write("c.csv", dense_ops({.count = 9, .header = "# boundary: wall\n# baseline: total\n# board: Other\n"})));
  EXPECT_EQ(board.code, 0);
  EXPECT_THAT(board.out, HasSubstr("The board differs"));
}

TEST_F(Validate, WritesAPageThatLoadsNothingAndEscapesNames) {
  const std::string header = "# boundary: wall\n# baseline: total\n# board: <script>alert(1)</script>\n";
  const std::string csv = write("other.csv", dense_ops({.count = 20, .first = 3, .scale = 1.25, .header = header}));
  const std::string page = folder_.file("page.html"), rows = folder_.file("rows.csv");
  ASSERT_EQ(validate(csv + " --html " + page + " --csv " + rows).code, 0);
  const files::FileBytes html = files::read_file(page);
  EXPECT_THAT(std::string(html.text()),
              AllOf(HasSubstr("20.0 %"), HasSubstr("<svg"), HasSubstr("Predicted against measured"),
                    HasSubstr("Residuals against size"), HasSubstr("&lt;script&gt;"), HasSubstr("default-src 'none'")));
  EXPECT_THAT(std::string(html.text()), AllOf(Not(HasSubstr("<script")), Not(HasSubstr("://"))));
  std::size_t marks = 0;
  for (std::size_t at = 0; (at = html.text().find("<circle cx=\"", at)) != std::string::npos; ++at) ++marks;
  EXPECT_EQ(marks, 40U) << "20 measurements on two charts";
  const files::FileBytes table = files::read_file(rows);
  EXPECT_THAT(std::string(table.text()), HasSubstr("origin,level,kind,model,group,device,measured_j,predicted_j"));
  EXPECT_EQ(std::count(table.text().begin(), table.text().end(), '\n'), 21);
}

TEST_F(Validate, PricesModelsAndFailsAboveALimit) {
  const std::string models = write("m.csv", "# boundary: wall\n# baseline: total\nmodel,energy_j\nzoo:kws,1\n");
  const Outcome outcome = validate(models);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("model zoo:kws"), HasSubstr("sum")));
  const Outcome above = validate(models + " --fail-above 5");
  EXPECT_EQ(above.code, 1);
  EXPECT_THAT(above.out, HasSubstr("worst cases")) << "the figures come all the same";
  EXPECT_THAT(above.err, HasSubstr("is above 5 %"));
}

TEST_F(Validate, BadFilesExitWithThreeAndUsageWithTwo) {
  EXPECT_EQ(validate("").code, 2);
  EXPECT_EQ(validate(folder_.file("none.ejm")).code, 3);
  const std::string others = write("other.csv", dense_ops({.count = 9}));
  const Outcome swapped = edge_calibrate("validate " + others + ' ' + table());
  EXPECT_EQ(swapped.code, 3);
  EXPECT_THAT(swapped.err, HasSubstr("other.csv"));
  const Outcome as_set = validate(table());
  EXPECT_EQ(as_set.code, 3);
  EXPECT_THAT(as_set.err, AllOf(HasSubstr("t.ejt"), HasSubstr("measurements")));
  const std::string no_rows = write("empty.csv", dense_ops({.count = 0}));
  EXPECT_THAT(validate(no_rows).err, HasSubstr("holds no measurement that can be used"));
  EXPECT_EQ(validate(others + " --at 15W").code, 1);
}

TEST_F(Validate, AFullDiskIsAFailure) {
  const std::string others = write("other.csv", dense_ops({.count = 9}));
  EXPECT_EQ(validate(others + " --html /dev/full").code, 1);
  EXPECT_EQ(validate(others + " --csv /dev/full").code, 1);
  EXPECT_EQ(validate(others + " >/dev/full").code, 1);
}

}  // namespace
}  // namespace edgejoule
