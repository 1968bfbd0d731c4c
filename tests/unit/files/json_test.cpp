#include "files/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cfloat>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>

#include "files/io.h"
#include "files/reflection.h"
#include "schemas/graph_generated.h"
#include "schemas/table_generated.h"
#include "support/temporary_folder.h"

namespace edgejoule::files {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Every present field with the bits of its values: what a round trip must keep.
void append_bits(const std::uint8_t* object, const flatbuffers::TypeTable& type, const std::string& path,
                 std::string& out) {
  for_each_field(object, type, [&](const ReflectedField& field) {
    const std::string name = path + '.' + field.name;
    if (field.is_vector) out += name + " has " + std::to_string(field.count) + '\n';
    for (std::size_t i = 0; i < field.count; ++i) {
      if (field.is_object()) {
        append_bits(field.object(i), *field.type_table, name + '[' + std::to_string(i) + ']', out);
        continue;
      }
      const std::uint8_t* at = field.element(i);
      std::size_t size = flatbuffers::InlineSize(field.type, field.type_table);
      if (field.type == flatbuffers::ET_STRING) {
        at += flatbuffers::ReadScalar<flatbuffers::uoffset_t>(at);
        size = flatbuffers::ReadScalar<flatbuffers::uoffset_t>(at);
        at += sizeof(flatbuffers::uoffset_t);
      }
      out += name + " =";
      for (std::size_t b = 0; b < size; ++b) out += ' ' + std::to_string(at[b]);
      out += '\n';
    }
  });
}

std::string bits_of(const FileBytes& bytes, FileKind kind) {
  std::string out;
  append_bits(flatbuffers::GetRoot<std::uint8_t>(bytes.span().data()), *info_of(kind).type_table(), "", out);
  return out;
}

FileBytes finished(flatbuffers::FlatBufferBuilder& builder) {
  return {builder.GetBufferPointer(), builder.GetSize()};
}

FileBytes packed(const wire::CoefficientTableT& table, bool defaults_too = false) {
  flatbuffers::FlatBufferBuilder builder;
  builder.ForceDefaults(defaults_too);
  wire::FinishCoefficientTableBuffer(builder, wire::CreateCoefficientTable(builder, &table));
  return finished(builder);
}

void expect_round_trip(const FileBytes& bytes, FileKind kind) {
  const std::string json = to_json(bytes.span(), kind, "t");
  const FileBytes back = from_json(json, kind, "t.json");
  EXPECT_EQ(bits_of(back, kind), bits_of(bytes, kind)) << json;
  EXPECT_EQ(to_json(back.span(), kind, "t"), json);
}

std::string parse_error(std::string_view json, FileKind kind = FileKind::kTable) {
  try {
    (void)from_json(json, kind, "table.json");
  } catch (const FileError& error) {
    return error.what();
  }
  return "no error";
}

wire::CoefficientTableT table_with_coefficient(float value) {
  wire::CoefficientTableT table;
  table.rows.push_back(std::make_unique<wire::RowT>());
  auto& terms = table.rows[0]->terms;
  terms.push_back(std::make_unique<wire::TermT>());
  terms[0]->coefficient = value;
  terms[0]->max = value;
  return table;
}

class ExactFloat : public ::testing::TestWithParam<float> {};

TEST_P(ExactFloat, SurvivesToTheBit) {
  expect_round_trip(packed(table_with_coefficient(GetParam()), true), FileKind::kTable);
}

INSTANTIATE_TEST_SUITE_P(Json, ExactFloat,
                         ::testing::Values(0.0F, -0.0F, 1.0F, -1.0F, 0.1F, 1e-12F, 1e-30F, FLT_MIN, -FLT_MIN, FLT_MAX,
                                           -FLT_MAX, FLT_TRUE_MIN, FLT_EPSILON, 1.0F + FLT_EPSILON, 16777215.0F,
                                           16777216.0F, 1e10F, 123456.789F, 3.4e38F, 1.1754942e-38F));

TEST(Json, KeepsAbsentFieldsAbsentAndZeroPresent) {
  wire::CoefficientTableT table = table_with_coefficient(1.0F);
  auto& terms = table.rows[0]->terms;
  terms[0]->min = 0.0F;
  terms[0]->max = flatbuffers::nullopt;
  const FileBytes back = from_json(to_json(packed(table).span(), FileKind::kTable, "t"), FileKind::kTable, "t");
  const auto* term = wire::GetCoefficientTable(back.span().data())->rows()->Get(0)->terms()->Get(0);
  ASSERT_TRUE(term->min().has_value());
  EXPECT_EQ(*term->min(), 0.0F);
  EXPECT_FALSE(term->max().has_value());
}

TEST(Json, TellsEmptyFromAbsent) {
  flatbuffers::FlatBufferBuilder builder;
  const auto no_rows = builder.CreateVector(std::vector<flatbuffers::Offset<wire::Row>>{});
  const auto no_name = builder.CreateString("");
  wire::CoefficientTableBuilder table(builder);
  table.add_rows(no_rows);
  table.add_name(no_name);
  wire::FinishCoefficientTableBuffer(builder, table.Finish());
  const FileBytes bytes = finished(builder);
  expect_round_trip(bytes, FileKind::kTable);
  EXPECT_EQ(to_json(bytes.span(), FileKind::kTable, "t"), "{\n  \"name\": \"\",\n  \"rows\": []\n}\n");
}

TEST(Json, KeepsAnEnumeratorItDoesNotKnow) {
  wire::CoefficientTableT table = table_with_coefficient(1.0F);
  table.rows[0]->kind = static_cast<wire::OpKind>(60000);
  const FileBytes bytes = packed(table);
  EXPECT_THAT(to_json(bytes.span(), FileKind::kTable, "t"), HasSubstr("\"kind\": 60000"));
  expect_round_trip(bytes, FileKind::kTable);
}

TEST(Json, EscapesTextAndKeepsIt) {
  wire::CoefficientTableT table;
  table.name =
      "quote \" backslash \\ newline \n tab \t bell \a delete \x7f e-acute \xC3\xA9 joy \xF0\x9F\x98\x82 "
      "override \xE2\x80\xAE next line \xC2\x85 slash / </script>";
  table.name += std::string("nul \0 end", 9);
  const FileBytes bytes = packed(table);
  const std::string json = to_json(bytes.span(), FileKind::kTable, "t");
  EXPECT_THAT(json,
              AllOf(HasSubstr("\\\" backslash \\\\ newline \\n tab \\t bell \\u0007 delete \\u007f e-acute \xC3\xA9"),
                    HasSubstr("override \\u202e next line \\u0085"), HasSubstr("nul \\u0000 end")));
  expect_round_trip(bytes, FileKind::kTable);
}

TEST(Json, RefusesToWriteWhatJsonCannotHold) {
  const auto refusal = [](const wire::CoefficientTableT& table) -> std::string {
    try {
      return to_json(packed(table).span(), FileKind::kTable, "t.ejt");
    } catch (const FileError& error) {
      return error.what();
    }
  };
  EXPECT_THAT(refusal(table_with_coefficient(std::numeric_limits<float>::quiet_NaN())),
              AllOf(StartsWith("t.ejt: rows[0].terms[0].coefficient"), HasSubstr("NaN or infinite")));
  EXPECT_THAT(refusal(table_with_coefficient(std::numeric_limits<float>::infinity())), HasSubstr("NaN or infinite"));
  wire::CoefficientTableT latin;
  latin.board = std::make_unique<wire::BoardT>();
  latin.board->name = "caf\xE9";
  EXPECT_THAT(refusal(latin), AllOf(HasSubstr("board.name"), HasSubstr("UTF-8")));
}

TEST(Json, IsLaidOutForAPersonAndADiff) {
  wire::CoefficientTableT table = table_with_coefficient(0.25F);
  table.name = "demo";
  table.rows[0]->kind = wire::OpKind::conv_2d;
  table.rows[0]->terms[0]->feature = wire::Feature::macs;
  table.rows[0]->terms[0]->unit = wire::Unit::picojoule;
  table.rows[0]->terms[0]->max = flatbuffers::nullopt;
  table.boundary = std::make_unique<wire::BoundaryT>();
  table.boundary->rails = {"VDD_IN", "VDD_CPU"};
  EXPECT_EQ(to_json(packed(table).span(), FileKind::kTable, "t"), R"({
  "name": "demo",
  "boundary": { "rails": ["VDD_IN", "VDD_CPU"] },
  "rows": [
    {
      "kind": "conv_2d",
      "terms": [
        { "feature": "macs", "coefficient": 0.25, "unit": "picojoule" }
      ]
    }
  ]
}
)");
}

TEST(Json, WrapsLongVectors) {
  wire::ModelGraphT graph;
  for (unsigned i = 0; i < 60; ++i) graph.parents.push_back(1000 + i);
  graph.names = {std::string(60, 'a'), std::string(60, 'b')};
  flatbuffers::FlatBufferBuilder builder;
  wire::FinishModelGraphBuffer(builder, wire::CreateModelGraph(builder, &graph));
  const FileBytes bytes = finished(builder);
  const std::string json = to_json(bytes.span(), FileKind::kGraph, "g");
  for (std::size_t start = 0; start < json.size();) {
    const std::size_t end = json.find('\n', start);
    EXPECT_LE(end - start, 100U) << json.substr(start, end - start);
    start = end + 1;
  }
  EXPECT_THAT(json, HasSubstr(",\n    \"bbbb"));
  expect_round_trip(bytes, FileKind::kGraph);
}

TEST(Json, SaysWhereTheTextIsWrongAndWhatIsExpected) {
  EXPECT_THAT(parse_error("{\n\"format_version\": 1,\n\"nmae\": \"x\"}"),
              AllOf(StartsWith("table.json:3:"), HasSubstr("unknown field: nmae"), HasSubstr("schemas/table.fbs")));
  EXPECT_THAT(parse_error("{\n\n\"rows\": {}}"), AllOf(StartsWith("table.json:3:"), HasSubstr("expecting: [")));
  EXPECT_THAT(parse_error("{\"rows\": [{\"data_type\": \"int9\"}]}"), HasSubstr("unknown enum value: int9"));
  EXPECT_THAT(parse_error("{\"format_version\": 70000}"), HasSubstr("does not fit [0; 65535]"));
  EXPECT_THAT(parse_error("{\"format_version\": 1.5}"), HasSubstr("ushort"));
  EXPECT_THAT(parse_error("{\"engines\": [{\"l1_bytes\": -1}]}"), HasSubstr("does not fit"));
  EXPECT_THAT(parse_error("{\"name\": 1}"), HasSubstr("expecting: string constant"));
  EXPECT_THAT(parse_error("{\"name\": \"a\", \"name\": \"b\"}"), HasSubstr("field set more than once: name"));
  EXPECT_THAT(parse_error("{\"name\": \"\xFF\"}"), HasSubstr("illegal UTF-8"));
  EXPECT_THAT(parse_error("{\"statics\": [{\"engine\": 1}]}"), HasSubstr("StaticTerm"));
  EXPECT_THAT(parse_error("{\"name\": \"x\",}"), HasSubstr("expecting"));
  EXPECT_THAT(parse_error("{\"name\": \"x\"} more"), HasSubstr("expecting: end of file"));
  EXPECT_THAT(parse_error("{\"name\": \"x\""), HasSubstr("end of file"));
  EXPECT_THAT(parse_error("{name: \"x\"}"), HasSubstr("expecting"));
  EXPECT_THAT(parse_error("table Evil {}"), HasSubstr("expecting: {"));
  EXPECT_THAT(parse_error("include \"/etc/passwd\";"), HasSubstr("expecting: {"));
  EXPECT_THAT(parse_error(""), HasSubstr("empty"));
  EXPECT_THAT(parse_error(std::string_view("{\"name\": \0\"x\"}", 13)), HasSubstr("byte 9 is zero"));
}

TEST(Json, RefusesNumbersThatAreNotFinite) {
  for (const char* number : {"1e999", "-1e39", "nan", "inf", "\"nan\""}) {
    EXPECT_THAT(parse_error(std::string("{\"rows\": [{}, {\"terms\": [{\"coefficient\": ") + number + "}]}]}"),
                AllOf(HasSubstr("rows[1].terms[0].coefficient"), HasSubstr("finite number is expected")))
        << number;
  }
}

TEST(Json, NestingWithoutEndIsRefused) {
  EXPECT_NE(parse_error("{\"rows\": " + std::string(100000, '[')), "no error");
}

TEST(Json, RefusesDamagedBytes) {
  const FileBytes whole = packed(table_with_coefficient(1.0F));
  const FileBytes cut(whole.span().data(), whole.size() / 2);
  EXPECT_THROW((void)to_json(cut.span(), FileKind::kTable, "t.ejt"), FileError);
  EXPECT_THROW((void)to_json(whole.span(), FileKind::kGraph, "t.ejt"), FileError);
}

// Random tables: any bits that are a finite float, any text, absent and empty mixed.
class RandomTable {
 public:
  explicit RandomTable(std::uint32_t seed) : random_(seed) {}

  wire::CoefficientTableT make() {
    wire::CoefficientTableT table;
    table.format_version = static_cast<std::uint16_t>(random_());
    table.name = text();
    if (coin()) table.boundary = boundary();
    for (std::uint32_t i = below(4); i > 0; --i) table.rows.push_back(row());
    for (std::uint32_t i = below(3); i > 0; --i) {
      table.statics.emplace_back(byte(), byte(), static_cast<wire::EngineState>(below(3)), number());
    }
    for (std::uint32_t i = below(3); i > 0; --i) table.engines.push_back(engine());
    if (coin()) table.op_residual = residual();
    return table;
  }

  bool coin() { return (random_() & 1U) != 0; }

 private:
  std::uint32_t below(std::size_t limit) { return static_cast<std::uint32_t>(random_() % limit); }
  std::uint8_t byte() { return static_cast<std::uint8_t>(random_()); }

  float number() {
    for (;;) {
      const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random_()));
      if (std::isfinite(value)) return value;
    }
  }

  std::string text() {
    static constexpr const char* kPieces[] = {
        "a", "\"", "\\", "\n", "\x01", "\xC3\xA9", "\xE2\x80\xAE", "\xF0\x9F\x98\x82", " ", "{", "/*"};
    std::string out;
    for (std::uint32_t i = below(12); i > 0; --i) out += kPieces[below(std::size(kPieces))];
    return out;
  }

  std::unique_ptr<wire::BoundaryT> boundary() {
    auto boundary = std::make_unique<wire::BoundaryT>();
    boundary->kind = static_cast<wire::BoundaryKind>(byte());
    for (std::uint32_t i = below(9); i > 0; --i) boundary->rails.push_back(text());
    return boundary;
  }

  std::unique_ptr<wire::EngineT> engine() {
    auto engine = std::make_unique<wire::EngineT>();
    engine->l1_bytes = (static_cast<std::uint64_t>(random_()) << 32U) | random_();
    engine->l2_bytes = coin() ? std::numeric_limits<std::uint64_t>::max() : 0;
    return engine;
  }

  std::unique_ptr<wire::ResidualT> residual() {
    auto residual = std::make_unique<wire::ResidualT>();
    if (coin()) {
      residual->quantiles = std::make_unique<wire::Quantiles>(number(), number(), number(), number(), number(),
                                                              number(), number(), number(), number());
    }
    residual->groups = static_cast<std::uint32_t>(random_());
    return residual;
  }

  std::unique_ptr<wire::RowT> row() {
    auto row = std::make_unique<wire::RowT>();
    row->kind = static_cast<wire::OpKind>(below(300));
    row->engine = byte();
    row->intercept = number();
    for (std::uint32_t i = below(5); i > 0; --i) {
      auto term = std::make_unique<wire::TermT>();
      term->feature = static_cast<wire::Feature>(below(70));
      term->coefficient = number();
      if (coin()) term->min = coin() ? 0.0F : number();
      if (coin()) term->max = number();
      row->terms.push_back(std::move(term));
    }
    if (coin()) row->residual = residual();
    row->reason = text();
    return row;
  }

  std::mt19937 random_;
};

TEST(Json, RandomTablesSurviveToTheBit) {
  const auto seed = static_cast<std::uint32_t>(::testing::UnitTest::GetInstance()->random_seed()) + 20260101U;
  SCOPED_TRACE("seed " + std::to_string(seed));
  RandomTable random(seed);
  for (int i = 0; i < 300 && !::testing::Test::HasFailure(); ++i) {
    const bool defaults_too = random.coin();
    expect_round_trip(packed(random.make(), defaults_too), FileKind::kTable);
  }
}

TEST(Load, TellsBinaryFromText) {
  const test::TemporaryFolder folder;
  const FileBytes bytes = packed(table_with_coefficient(0.5F));
  save(folder.file("t.ejt"), bytes.span(), FileKind::kTable);
  save(folder.file("t.json"), bytes.span(), FileKind::kTable);
  EXPECT_THAT(std::string(read_file(folder.file("t.json")).text()), StartsWith("{\n"));
  const std::string expected = bits_of(bytes, FileKind::kTable);
  EXPECT_EQ(bits_of(load(folder.file("t.ejt"), FileKind::kTable), FileKind::kTable), expected);
  EXPECT_EQ(bits_of(load(folder.file("t.json"), FileKind::kTable), FileKind::kTable), expected);
  write_file(folder.file("marked.json"), "\xEF\xBB\xBF" + std::string(read_file(folder.file("t.json")).text()));
  EXPECT_EQ(bits_of(load(folder.file("marked.json"), FileKind::kTable), FileKind::kTable), expected);
}

TEST(Load, SaysWhatTheFileIsInstead) {
  const test::TemporaryFolder folder;
  const auto failure = [&](const std::string& name, FileKind kind) -> std::string {
    try {
      (void)load(folder.file(name), kind);
    } catch (const FileError& error) {
      return error.what();
    }
    return "no error";
  };
  const FileBytes bytes = packed(table_with_coefficient(0.5F));
  save(folder.file("t.ejt"), bytes.span(), FileKind::kTable);
  EXPECT_THAT(failure("t.ejt", FileKind::kGraph),
              AllOf(HasSubstr("holds a coefficient table (EJT1)"), HasSubstr("a model graph (EJG1) is needed")));
  write_file(folder.file("cut.ejt"), bytes.text().substr(0, bytes.size() - 20));
  EXPECT_THAT(failure("cut.ejt", FileKind::kTable), HasSubstr("damaged"));
  write_file(folder.file("noise"), "hello world, this is not a table");
  EXPECT_THAT(failure("noise", FileKind::kTable), HasSubstr("neither a coefficient table (EJT1) nor its JSON text"));
  write_file(folder.file("empty"), "");
  EXPECT_THAT(failure("empty", FileKind::kTable), HasSubstr("it is empty"));
}

}  // namespace
}  // namespace edgejoule::files
