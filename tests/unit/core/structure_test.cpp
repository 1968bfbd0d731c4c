// Core's own check of FlatBuffers structure, held against FlatBuffers: the descriptions
// have every field of the schemas, and what the check accepts the Verifier accepts.
#include "structure.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>

#include "flatbuffers/minireflect.h"
#include "hostile_bytes.h"
#include "support/graph_fixture.h"
#include "support/table_fixture.h"
#include "wire_specs.h"

namespace edgejoule::test {
namespace {

class SpecComparison {
 public:
  explicit SpecComparison(const TableSpec* specs) : specs_(specs) {}

  void compare(const flatbuffers::TypeTable& schema, std::uint8_t which) {
    if (!seen_.emplace(which, &schema).second) {
      EXPECT_EQ(seen_.at(which), &schema) << "one description for two tables";
      return;
    }
    ASSERT_EQ(specs_[which].count, schema.num_elems) << "table " << int{which};
    for (std::size_t i = 0; i < schema.num_elems; ++i) {
      SCOPED_TRACE(std::string("field ") + schema.names[i]);
      compare_field(schema, i, specs_[which].fields[i], which);
    }
  }
  [[nodiscard]] std::size_t tables() const { return seen_.size(); }

 private:
  void compare_field(const flatbuffers::TypeTable& schema, std::size_t i, const FieldSpec& spec, std::uint8_t which) {
    const flatbuffers::TypeCode code = schema.type_codes[i];
    if (code.base_type == flatbuffers::ET_STRING) {
      EXPECT_EQ(spec.kind, code.is_repeating ? FieldSpec::kStrings : FieldSpec::kString);
      return;
    }
    if (code.base_type == flatbuffers::ET_SEQUENCE) {
      const flatbuffers::TypeTable& type = *schema.type_refs[code.sequence_ref]();
      if (type.st == flatbuffers::ST_TABLE) {
        EXPECT_EQ(spec.kind, code.is_repeating ? FieldSpec::kTables : FieldSpec::kTable);
        ASSERT_GT(spec.size, which) << "a table refers only to later ones";
        compare(type, spec.size);
        return;
      }
      ASSERT_EQ(type.st, flatbuffers::ST_STRUCT);
      EXPECT_EQ(spec.kind, code.is_repeating ? FieldSpec::kScalars : FieldSpec::kScalar);
      EXPECT_EQ(spec.size, type.values[type.num_elems]);
      std::size_t alignment = 1;
      for (std::size_t m = 0; m < type.num_elems; ++m) {
        alignment = std::max(alignment, size_of(type.type_codes[m]));
      }
      EXPECT_EQ(spec.alignment, alignment);
      return;
    }
    EXPECT_EQ(spec.kind, code.is_repeating ? FieldSpec::kScalars : FieldSpec::kScalar);
    EXPECT_EQ(spec.size, size_of(code));
    EXPECT_EQ(spec.alignment, size_of(code));
  }

  static std::size_t size_of(const flatbuffers::TypeCode& code) {
    return flatbuffers::InlineSize(static_cast<flatbuffers::ElementaryType>(code.base_type), nullptr);
  }

  const TableSpec* specs_;
  std::map<std::uint8_t, const flatbuffers::TypeTable*> seen_;
};

TEST(Structure, DescribesEveryFieldOfTheSchemas) {
  SpecComparison graph(wire_specs::graph::kTables);
  graph.compare(*wire::ModelGraphTypeTable(), 0);
  EXPECT_EQ(graph.tables(), std::size(wire_specs::graph::kTables));
  SpecComparison table(wire_specs::coefficients::kTables);
  table.compare(*wire::CoefficientTableTypeTable(), 0);
  EXPECT_EQ(table.tables(), std::size(wire_specs::coefficients::kTables));
}

struct Kind {
  const TableSpec* specs;
  bool (*verify)(flatbuffers::Verifier&);
};
constexpr std::uint32_t kMaxTables = 100000;

bool accepts(const Kind& kind, const files::FileBytes& bytes) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.span().data());
  const bool accepted = StructureCheck(data, static_cast<std::uint32_t>(bytes.size()), kind.specs, kMaxTables).root();
  if (accepted) {
    flatbuffers::Verifier verifier(data, bytes.size(), 64, kMaxTables);
    EXPECT_TRUE(kind.verify(verifier)) << "accepted what FlatBuffers rejects";
  }
  return accepted;
}

const Kind kGraphs{wire_specs::graph::kTables,
                   [](flatbuffers::Verifier& v) { return v.VerifyBuffer<wire::ModelGraph>(nullptr); }};
const Kind kTables{wire_specs::coefficients::kTables,
                   [](flatbuffers::Verifier& v) { return v.VerifyBuffer<wire::CoefficientTable>(nullptr); }};

wire::CoefficientTableT varied_table() {
  wire::CoefficientTableT table = sound_table();
  wire::RowT& row = add_row(table, Level::kExact, OpKind::kConv2d, DataType::kFloat32);
  add_term(row, {Feature::kTiledMacs, 1.5F, Unit::kPicojoule, 1.0F, 1e9F, Tile{8, 12, 4}});
  add_condition(row, Feature::kKernelArea, 2.0F, 10.0F);
  row.residual = residual(0.1F, 12, 0.05F, 0.07F);
  row.reason = "a reason";
  add_static(table, 0, EngineState::kBusy, 200.0F);
  table.model_residual = residual(0.1F, 6);
  return table;
}

wire::ModelGraphT varied_graph() {
  wire::ModelGraphT graph = graph_of({{.kind = OpKind::kDense, .facts = dense_facts(1, 2, 3, 4), .name = "dense"}});
  graph.type_names = {"DENSE"};
  graph.type_name_index = {0xFFFF, 0};
  graph.source->notes = {"a note"};
  return graph;
}

void compare_on_damage(const Kind& kind, const files::FileBytes& bytes, unsigned seed) {
  ASSERT_TRUE(accepts(kind, bytes));
  std::size_t accepted = 0;
  for_every_flipped_bit(bytes, [&](const files::FileBytes& damaged) { accepted += accepts(kind, damaged) ? 1U : 0U; });
  EXPECT_GT(accepted, 0U) << "a flipped bit of a number harms no structure";
  std::mt19937 random(seed);
  for (int trial = 0; trial < 20000; ++trial) {
    files::FileBytes damaged(bytes.span().data(), bytes.size());
    for (unsigned change = 0; change <= random() % 3; ++change) {
      // Offsets are small numbers in words: most damage that matters looks like one.
      const std::size_t at = random() % (bytes.size() / 4) * 4;
      const auto word = static_cast<std::uint32_t>(random() >> (random() % 32));
      std::memcpy(damaged.data() + at, &word, sizeof word);
    }
    accepted += accepts(kind, damaged) ? 1U : 0U;
  }
  for (std::size_t size = 8; size < bytes.size(); ++size) {
    accepts(kind, files::FileBytes(bytes.span().data(), size));
  }
}

TEST(Structure, NeverAcceptsATableThatFlatBuffersRejects) {
  compare_on_damage(kTables, pack(varied_table()), 1);
}
TEST(Structure, NeverAcceptsAGraphThatFlatBuffersRejects) {
  compare_on_damage(kGraphs, pack(varied_graph()), 2);
}

TEST(Structure, AlignsTheElementsOfVectorsUnlessThereAreNone) {
  const files::FileBytes shifted = shift_vector_of_longs(pack(varied_graph()));
  const auto* data = reinterpret_cast<const std::uint8_t*>(shifted.span().data());
  const auto size = static_cast<std::uint32_t>(shifted.size());
  EXPECT_FALSE(StructureCheck(data, size, wire_specs::graph::kTables, kMaxTables).root());
}

TEST(Structure, BoundsTheNumberOfTables) {
  const files::FileBytes bytes = pack(varied_graph());
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.span().data());
  const auto size = static_cast<std::uint32_t>(bytes.size());
  EXPECT_TRUE(StructureCheck(data, size, wire_specs::graph::kTables, 2).root());
  EXPECT_FALSE(StructureCheck(data, size, wire_specs::graph::kTables, 1).root());
}

}  // namespace
}  // namespace edgejoule::test
