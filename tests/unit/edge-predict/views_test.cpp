#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "edge-predict/data_view.h"
#include "edge-predict/explain.h"
#include "edge-predict/prediction.h"
#include "edge-predict/text_view.h"
#include "files/json.h"
#include "schemas/report_generated.h"
#include "support/graph_fixture.h"
#include "support/table_fixture.h"
#include "support/temporary_folder.h"
#include "text/flag_text.h"

namespace edgejoule::predict {
namespace {

using testing::HasSubstr;
using testing::Not;

// Model m: block (conv a, conv b), relu c. The table prices conv_2d float32 with a
// row of its own (1 mJ + 10 pJ/MAC) and leaves relu to the roofline.
class Views : public testing::Test {
 protected:
  Views() {
    wire::ModelGraphT graph = test::graph_of({
        {.kind = OpKind::kBlock, .parent = 0, .name = "block"},
        {.kind = OpKind::kConv2d, .parent = 1, .facts = test::conv_facts(1, 8, 8, 16, 32, 3), .name = "a"},
        {.kind = OpKind::kConv2d, .parent = 1, .facts = test::conv_facts(1, 8, 8, 32, 32, 1), .name = "b"},
        {.kind = OpKind::kRelu, .parent = 0, .facts = test::elementwise_facts(1000), .name = "\x1b[31mc"},
    });
    graph.name = "m";
    files::save(graph_path_, test::pack(graph).span(), files::FileKind::kGraph);
    table_ = test::sound_table();
    wire::RowT& row = test::add_row(table_, Level::kOpAndType, OpKind::kConv2d, DataType::kFloat32);
    test::add_term(row, {.feature = Feature::kOne, .coefficient = 1, .unit = Unit::kMillijoule});
    test::add_term(row, {.feature = Feature::kMacs, .coefficient = 10, .max = 100000});
    row.residual = test::residual(0.1F, 20, 0.05F, 0.1F);
    row.reason = "best of three";
  }

  Prediction predict() {
    files::save(table_path_, test::pack(table_).span(), files::FileKind::kTable);
    Request request;
    request.model = graph_path_;
    request.table = table_path_;
    return Prediction(request);
  }

  test::TemporaryFolder folder_;
  std::string graph_path_ = folder_.file("m.ejg");
  std::string table_path_ = folder_.file("t.ejt");
  wire::CoefficientTableT table_;
};

constexpr std::uint64_t kMacsA = 8 * 8 * 32 * 16 * 9;
constexpr std::uint64_t kMacsB = 8 * 8 * 32 * 32;

TEST_F(Views, PredictsWhatTheTableSays) {
  const Prediction prediction = predict();
  EXPECT_FLOAT_EQ(prediction.node(2).dynamic.value(), 1e-3F + static_cast<float>(kMacsA) * 10e-12F);
  EXPECT_EQ(prediction.macs(0), kMacsA + kMacsB);
  EXPECT_EQ(prediction.path(3), "block/b");
  EXPECT_NEAR(prediction.share(1) + prediction.share(4), 1, 1e-6);
  EXPECT_EQ(prediction.ops_by_energy(), (std::vector<std::uint32_t>{2, 3, 4}));
}

TEST_F(Views, TreeNamesTheRungAndNeutralisesEscapes) {
  const std::string tree = tree_text(predict(), {});
  EXPECT_THAT(tree, testing::ContainsRegex("op\\+type +a +conv_2d"));
  EXPECT_THAT(tree, HasSubstr("\\x1b[31mc"));
  EXPECT_THAT(tree, Not(HasSubstr("\x1b")));
}

TEST_F(Views, TreeStopsAtTheDepthAskedFor) {
  TextOptions options;
  options.depth = 1;
  const std::string tree = tree_text(predict(), options);
  EXPECT_THAT(tree, HasSubstr("block"));
  EXPECT_THAT(tree, Not(HasSubstr("op+type")));
}

TEST_F(Views, ByOpSortsAndCountsTheRest) {
  TextOptions options;
  options.top = 1;
  const std::string list = by_op_text(predict(), options);
  EXPECT_THAT(list, HasSubstr("block/a"));
  EXPECT_THAT(list, HasSubstr("... and 2 more ops"));
}

TEST_F(Views, ByKindSumsWithAnIntervalFromTheRowsSpread) {
  const Prediction prediction = predict();
  const Spread spread = prediction.sum_of({2, 3});
  EXPECT_FALSE(spread.flags.has(Flag::kIntervalUnknown));
  // Both ops share 5 %, and 10 % of each is its own: less than 10 % of the sum together.
  EXPECT_NEAR(spread.sigma / spread.total, 0.087, 0.01);
  EXPECT_THAT(by_kind_text(prediction, {}), HasSubstr("conv_2d"));
}

TEST_F(Views, BoundsAModuleByTheSpreadOfItsOps) {
  const Prediction prediction = predict();
  EXPECT_LT(prediction.node(1).interval.lower, prediction.node(1).dynamic);
  EXPECT_GT(prediction.node(1).interval.upper, prediction.node(1).dynamic);
  // The roofline row of this table states no residual, so the whole stays unknown.
  EXPECT_TRUE(prediction.node(0).flags.has(Flag::kIntervalUnknown));
  EXPECT_THAT(summary_text(prediction, {}), HasSubstr("90 % interval -"));
}

TEST_F(Views, ExplainsAnOpAsASumOfNamedTerms) {
  const std::string text = explain_text(predict(), "block/a", {});
  EXPECT_THAT(text, HasSubstr("block/a  conv_2d float32  1.00 mJ"));
  EXPECT_THAT(text, HasSubstr("best of three"));
  EXPECT_THAT(text, HasSubstr("= 1 mJ x 1"));
  EXPECT_THAT(text, HasSubstr("= 10 pJ x 294912"));
  EXPECT_THAT(text, HasSubstr("outside the fitted"));
  EXPECT_THAT(text, Not(HasSubstr("block/b")));
}

TEST_F(Views, TermsAddUpToTheOp) {
  const Prediction prediction = predict();
  for (const std::uint32_t op : {2U, 3U, 4U}) {
    float sum = 0;
    for (const TermShare& term : terms_of(prediction, op)) sum += term.contribution;
    EXPECT_FLOAT_EQ(sum, prediction.node(op).own.value());
  }
}

TEST_F(Views, ExplainingAnUnknownNameSaysSo) {
  EXPECT_THROW((void)explain_text(predict(), "nope", {}), PredictionError);
}

TEST_F(Views, SummaryExplainsEachFlagThatOccurs) {
  const std::string summary = summary_text(predict(), {});
  EXPECT_THAT(summary, HasSubstr("flag      fallback:"));
  EXPECT_THAT(summary, HasSubstr("flag      range:"));
  EXPECT_THAT(summary, Not(HasSubstr("flag      board:")));
}

TEST_F(Views, CsvHasOneRowPerNodeAndAsManyFieldsAsItsHeader) {
  const std::string csv = to_csv(predict());
  std::size_t lines = 0;
  for (std::size_t at = 0; at < csv.size(); ++lines) {
    const std::size_t end = csv.find('\n', at);
    const std::string line = csv.substr(at, end - at);
    EXPECT_EQ(std::count(line.begin(), line.end(), ','), 20) << line;
    at = end + 1;
  }
  EXPECT_EQ(lines, 6U);
}

TEST_F(Views, JsonReadsBackAsAReport) {
  const std::string json = to_json(predict(), true);
  const files::FileBytes bytes = files::from_json(json, files::FileKind::kReport, "out.json");
  const wire::PredictionReport& report = *wire::GetReport(bytes.span().data())->prediction();
  ASSERT_EQ(report.nodes()->size(), 5U);
  EXPECT_EQ(report.nodes()->Get(2)->macs(), kMacsA);
  EXPECT_EQ(report.nodes()->Get(2)->terms()->size(), 2U);
  EXPECT_FLOAT_EQ(report.nodes()->Get(2)->terms()->Get(0)->contribution(), 1e-3F);
  EXPECT_FALSE(report.nodes()->Get(2)->static_joules().has_value());
}

TEST_F(Views, UnknownOperatingPointListsThoseThereAre) {
  files::save(table_path_, test::pack(table_).span(), files::FileKind::kTable);
  Request request;
  request.model = graph_path_;
  request.table = table_path_;
  request.operating_point = "nope";
  try {
    const Prediction prediction(request);
    FAIL() << "accepted an operating point that does not exist";
  } catch (const PredictionError& error) {
    EXPECT_THAT(error.what(), HasSubstr("It has: "));
    EXPECT_THAT(error.what(), HasSubstr(table_.operating_points.at(0)->name));
  }
}

TEST(FlagTexts, CoverEveryFlagOnce) {
  std::uint32_t seen = 0;
  for (const text::FlagText& row : text::flag_texts()) {
    EXPECT_EQ(seen & static_cast<std::uint32_t>(row.flag), 0U);
    seen |= static_cast<std::uint32_t>(row.flag);
  }
  EXPECT_EQ(seen, (static_cast<std::uint32_t>(Flag::kTimeIntervalNotGuaranteed) << 1U) - 1);
}

// 2 ms for each convolution, 1 ns per element of anything else.
void know_time(wire::CoefficientTableT& table) {
  table.rows[1]->terms[0]->time_coefficient = 2;
  table.rows[1]->terms[0]->time_unit = wire::Unit::millisecond;
  table.rows[1]->time_residual = test::residual(0.1F, 20, 0.05F, 0.1F);
  test::add_term(*table.rows[0], {.feature = Feature::kOutputElements}).time_coefficient = 1;
  table.rows[0]->terms.back()->time_unit = wire::Unit::nanosecond;
  table.op_time_residual = test::residual(0.2F, 20, 0.1F, 0.1F);
  test::add_static(table, 0, EngineState::kBusy, 3000.0F);
}

TEST_F(Views, SayHowLongItTakesWhereTheTableKnows) {
  EXPECT_THAT(tree_text(predict(), {}), Not(HasSubstr("time")));
  EXPECT_THAT(summary_text(predict(), {}), Not(HasSubstr("average power")));
  know_time(table_);
  const Prediction prediction = predict();
  const NodeEstimate& whole = prediction.node(0);
  EXPECT_FLOAT_EQ(whole.time.value(), 4.001e-3F);
  EXPECT_FLOAT_EQ(whole.static_part.value(), 3 * 4.001e-3F);
  EXPECT_THAT(tree_text(prediction, {}), AllOf(HasSubstr("time"), HasSubstr("4.00 ms"), HasSubstr("1.00 µs")));
  EXPECT_THAT(
      summary_text(prediction, {}),
      AllOf(HasSubstr("time      4.00 ms predicted, 90 % interval 3.47 ms .. 4.61 ms"), HasSubstr("; static 12.0 mJ"),
            HasSubstr("average power 3.5"), HasSubstr("with it"), HasSubstr("J s\n")));
  const std::string csv = to_csv(prediction);
  const double joules = static_cast<double>(whole.dynamic.value() + whole.static_part.value());
  const std::string first = csv.substr(csv.find('\n') + 1, csv.find('\n', csv.find('\n') + 1) - csv.find('\n') - 1);
  EXPECT_NEAR(std::stod(first.substr(first.rfind(',') + 1)), joules * 4.001e-3, 1e-9) << first;
  EXPECT_THAT(to_json(prediction, true), AllOf(HasSubstr("\"time_seconds\": 0.004001"), HasSubstr("\"average_watts\""),
                                               HasSubstr("\"time_unit\": \"millisecond\"")));
  EXPECT_THAT(explain_text(prediction, "block/a", {}), HasSubstr("2.00 ms = 2 ms each"));
}

// The two convolutions share a row: their shared parts add up, the others in quadrature.
TEST_F(Views, BoundTheTimeOfAModelByItsOps) {
  know_time(table_);
  const NodeEstimate whole = predict().node(0);
  const double relative = std::sqrt(std::pow(2 * 0.05, 2) + 2 * 0.1 * 0.1) * 2e-3 / 4.001e-3;
  EXPECT_NEAR(std::log(whole.time_interval.upper / whole.time), 1.6449 * std::sqrt(std::log1p(relative * relative)),
              1e-3);
  EXPECT_FALSE(whole.flags.has(Flag::kTimeIntervalNotGuaranteed));
  table_.op_time_residual->groups = 3;
  EXPECT_TRUE(predict().node(0).flags.has(Flag::kTimeIntervalNotGuaranteed));
}

TEST_F(Views, SayWhereTheTimeIsNotKnown) {
  know_time(table_);
  table_.rows[0]->terms.pop_back();
  const Prediction prediction = predict();
  EXPECT_THAT(summary_text(prediction, {}), HasSubstr("time      not known"));
  EXPECT_THAT(to_csv(prediction).substr(0, to_csv(prediction).find("\n1,")), testing::EndsWith(",,,,,"));
}

}  // namespace
}  // namespace edgejoule::predict
