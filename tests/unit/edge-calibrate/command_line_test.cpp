// edge-calibrate as a person meets it: exit codes, messages, files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "files/io.h"
#include "support/temporary_folder.h"
#include "unit/edge-calibrate/sample_sets.h"

namespace edgejoule {
namespace {

using test::dense_ops;
using test::edge_calibrate;
using test::Outcome;
using test::TemporaryFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(EdgeCalibrate, FitsShowsAndConverts) {
  const TemporaryFolder folder;
  files::write_file(folder.file("ops.csv"), dense_ops());
  const Outcome fitted =
      edge_calibrate("fit " + folder.file("ops.csv") + " -o " + folder.file("t.json") + " --date 2026-01-31");
  EXPECT_EQ(fitted.code, 0) << fitted.err;
  EXPECT_THAT(fitted.err,
              AllOf(HasSubstr("dense float32: 60 measurements"), HasSubstr("held out"), HasSubstr("wrote")));

  const Outcome shown = edge_calibrate("table show " + folder.file("t.json"));
  EXPECT_EQ(shown.code, 0);
  EXPECT_THAT(shown.out, AllOf(HasSubstr("Desk Board"), HasSubstr("boundary    wall"), HasSubstr("dense float32"),
                               HasSubstr("any op"), HasSubstr("2026-01-31"), HasSubstr("macs")));

  EXPECT_EQ(edge_calibrate("table convert " + folder.file("t.json") + ' ' + folder.file("t.ejt")).code, 0);
  EXPECT_EQ(edge_calibrate("table convert " + folder.file("t.ejt") + " -").out,
            files::read_file(folder.file("t.json")).text());
  EXPECT_THAT(folder.names(), ElementsAre("ops.csv", "t.ejt", "t.json"));
}

TEST(EdgeCalibrate, RepeatsToTheByteUnderSourceDateEpoch) {
  const TemporaryFolder folder;
  files::write_file(folder.file("ops.csv"), dense_ops());
  ::setenv("SOURCE_DATE_EPOCH", "86400", 1);
  const std::string first = edge_calibrate("fit " + folder.file("ops.csv") + " -o -").out;
  const std::string second = edge_calibrate("fit " + folder.file("ops.csv") + " -o -").out;
  ::unsetenv("SOURCE_DATE_EPOCH");
  EXPECT_EQ(first, second);
  EXPECT_THAT(first, HasSubstr("\"date\": \"1970-01-02\""));
}

TEST(EdgeCalibrate, ExitsWithTwoOnUsage) {
  EXPECT_EQ(edge_calibrate("").code, 2);
  EXPECT_EQ(edge_calibrate("fit").code, 2);
  EXPECT_EQ(edge_calibrate("fit a.csv -o t.ejt --folds 1").code, 2);
  EXPECT_EQ(edge_calibrate("bake").code, 2);
  const Outcome help = edge_calibrate("fit --help");
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.out, AllOf(HasSubstr("Example:"), HasSubstr("energy_j"), HasSubstr("# boundary:")));
}

TEST(EdgeCalibrate, ExitsWithThreeOnABadFile) {
  const TemporaryFolder folder;
  const auto failing = [&](const std::string& arguments) {
    const Outcome outcome = edge_calibrate(arguments);
    EXPECT_EQ(outcome.code, 3) << outcome.err;
    return outcome.err;
  };
  EXPECT_THAT(failing("fit " + folder.file("no.csv") + " -o x.json"), HasSubstr("No such file"));
  files::write_file(folder.file("bad.csv"), "# boundary: wall\n# baseline: total\nkind,energy_j\nadd,nan\n");
  EXPECT_THAT(failing("fit " + folder.file("bad.csv") + " -o " + folder.file("t.json")), HasSubstr("bad.csv:4"));
  files::write_file(folder.file("few.csv"), "# boundary: wall\n# baseline: total\nkind,energy_j\nadd,1\n");
  EXPECT_THAT(failing("fit " + folder.file("few.csv") + " -o " + folder.file("t.json")), HasSubstr("at least 8"));
  files::write_file(folder.file("t.json"), "{ \"rowz\": [] }");
  EXPECT_THAT(failing("table show " + folder.file("t.json")), HasSubstr("unknown field: rowz"));
  files::write_file(folder.file("t.json"), "{ \"format_version\": 1 }");
  EXPECT_THAT(failing("table show " + folder.file("t.json")), HasSubstr("a required field is absent"));
}

TEST(EdgeCalibrate, ExitsWithOneWhereTheTableCannotBeWritten) {
  const TemporaryFolder folder;
  files::write_file(folder.file("ops.csv"), dense_ops());
  const Outcome outcome = edge_calibrate("fit " + folder.file("ops.csv") + " -o " + folder.file("no/such/t.ejt"));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("no/such"));
}

}  // namespace
}  // namespace edgejoule
