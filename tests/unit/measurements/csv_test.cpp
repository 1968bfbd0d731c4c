#include "measurements/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "measurements/measurement_set.h"

namespace edgejoule::measurements {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string error_of(std::string_view text) {
  try {
    const Csv csv(text, "m.csv");
    for (const Csv::Row& row : csv.rows()) (void)csv.whole_number(row, csv.required_column("n"));
  } catch (const MeasurementError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Csv, ReadsHeaderRowsAndPreamble) {
  const Csv csv("\xEF\xBB\xBF# boundary: wall\n# a remark\n\n a , b\r\n1, two \r\n# between\n3,\n", "m.csv");
  ASSERT_EQ(csv.preamble().size(), 1U);
  EXPECT_EQ(csv.preamble()[0].key, "boundary");
  EXPECT_EQ(csv.preamble()[0].value, "wall");
  EXPECT_THAT(csv.header(), ElementsAre("a", "b"));
  ASSERT_EQ(csv.rows().size(), 2U);
  EXPECT_THAT(csv.rows()[0].cells, ElementsAre("1", "two"));
  EXPECT_THAT(csv.rows()[1].cells, ElementsAre("3", ""));
  EXPECT_EQ(csv.place(csv.rows()[1]), "m.csv:7");
}

TEST(Csv, ReadsQuotedCells) {
  const Csv csv("a,b\n\"one, \"\"two\"\"\nthree\" ,x\nlast,y", "m.csv");
  ASSERT_EQ(csv.rows().size(), 2U);
  EXPECT_EQ(csv.rows()[0].cells[0], "one, \"two\"\nthree");
  EXPECT_EQ(csv.place(csv.rows()[1]), "m.csv:4");
}

TEST(Csv, NamesTheLineOfWhatIsWrong) {
  EXPECT_THAT(error_of(""), HasSubstr("no header row"));
  EXPECT_THAT(error_of("n,b\n1,2\n3\n"), AllOf(HasSubstr("m.csv:3"), HasSubstr("1 cells where the header has 2")));
  EXPECT_THAT(error_of("n,n\n"), HasSubstr("two columns are called 'n'"));
  EXPECT_THAT(error_of("a,b\n1,2\n"), AllOf(HasSubstr("no column 'n'"), HasSubstr("a, b")));
  EXPECT_THAT(error_of("n\n\"open\n"), AllOf(HasSubstr("m.csv:2"), HasSubstr("never closed")));
  EXPECT_THAT(error_of("n\n\"1\"x\n"), HasSubstr("behind a closing quote"));
}

TEST(Csv, TakesOnlyFiniteNumbers) {
  for (const char* cell : {"nan", "inf", "1e999", "", "1.5x", "0x10", "1,5"}) {
    EXPECT_THAT(error_of(std::string("n\n\"") + cell + "\"\n"), HasSubstr("m.csv:2: n is")) << cell;
  }
  for (const char* cell : {"-1", "1.5", "1e17"}) {
    EXPECT_THAT(error_of(std::string("n\n") + cell + "\n"), HasSubstr("whole number")) << cell;
  }
  EXPECT_EQ(error_of("n\n+12\n1e3\n4.0\n"), "no error");
}

}  // namespace
}  // namespace edgejoule::measurements
