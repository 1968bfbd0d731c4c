// Released formats stay readable: schemas/released against schemas, and every released
// binary through today's core.
#include <flatbuffers/idl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "edgejoule/core/graph.h"
#include "edgejoule/core/table.h"
#include "evolution/schema_changes.h"
#include "files/io.h"
#include "files/json.h"
#include "support/temporary_folder.h"

namespace edgejoule::test {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const fs::path kSchemas = EDGEJOULE_SCHEMAS_DIR;

std::vector<fs::path> released_versions() {
  std::vector<fs::path> versions;
  for (const auto& entry : fs::directory_iterator(kSchemas / "released")) versions.push_back(entry.path());
  std::sort(versions.begin(), versions.end());
  return versions;
}

// Without the layouts of foreign formats, which are not ours to keep.
std::vector<std::string> schema_names(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".fbs") continue;
    const files::FileBytes bytes = files::read_file(entry.path());
    const bool foreign = bytes.text().find("file_identifier") != std::string_view::npos &&
                         bytes.text().find("file_identifier \"EJ") == std::string_view::npos;
    if (!foreign) names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// A schema file with what it includes, as reflection.
class Reflected {
 public:
  explicit Reflected(const fs::path& file) {
    flatbuffers::IDLOptions options;
    options.require_explicit_ids = true;
    parser_ = std::make_unique<flatbuffers::Parser>(options);
    const std::string folder = file.parent_path();
    const char* include[] = {folder.c_str(), nullptr};
    const std::string text(files::read_file(file).text());
    if (!parser_->Parse(text.c_str(), include, file.c_str())) throw std::runtime_error(parser_->error_);
    parser_->Serialize();
  }
  [[nodiscard]] const reflection::Schema& schema() const {
    return *reflection::GetSchema(parser_->builder_.GetBufferPointer());
  }

 private:
  std::unique_ptr<flatbuffers::Parser> parser_;
};

TEST(Schemas, KeepEveryReleasedPromise) {
  ASSERT_THAT(released_versions(), Not(IsEmpty()));
  for (const fs::path& version : released_versions()) {
    for (const std::string& name : schema_names(version)) {
      ASSERT_TRUE(fs::exists(kSchemas / name)) << version << " released " << name << ", which is gone";
      EXPECT_THAT(breaking_changes(Reflected(version / name).schema(), Reflected(kSchemas / name).schema()), IsEmpty())
          << name << " against " << version
          << "; if that version was never released: tests/evolution/regenerate <version> --again";
    }
  }
}

TEST(Schemas, UseOnlyWhatTheJsonWriterKnows) {
  for (const std::string& name : schema_names(kSchemas)) {
    const Reflected reflected(kSchemas / name);
    for (const auto* object : *reflected.schema().objects()) {
      for (const auto* field : *object->fields()) {
        EXPECT_NE(field->type()->base_type(), reflection::Union) << object->name()->c_str();
        EXPECT_NE(field->type()->base_type(), reflection::Array) << object->name()->c_str();
      }
    }
  }
}

// The comparison itself, proved on schemas changed on purpose.
struct Mutation {
  const char* name;
  const char* file;
  const char* find;
  const char* replace;
  const char* caught_as;  // null: harmless
};

void PrintTo(const Mutation& mutation, std::ostream* out) {
  *out << mutation.name;
}

class MutatedSchema : public ::testing::TestWithParam<Mutation> {};

TEST_P(MutatedSchema, IsJudged) {
  const Mutation& mutation = GetParam();
  const TemporaryFolder folder;
  const fs::path original = kSchemas / "released" / "v1";
  for (const std::string& name : schema_names(original)) fs::copy_file(original / name, folder.path() / name);
  std::string text(files::read_file(folder.file(mutation.file)).text());
  const std::size_t at = text.find(mutation.find);
  ASSERT_NE(at, std::string::npos) << "the schema no longer holds: " << mutation.find;
  text.replace(at, std::string_view(mutation.find).size(), mutation.replace);
  files::write_file(folder.file(mutation.file), text);

  const auto changes =
      breaking_changes(Reflected(original / "table.fbs").schema(), Reflected(folder.file("table.fbs")).schema());
  if (mutation.caught_as == nullptr) {
    EXPECT_THAT(changes, IsEmpty());
  } else {
    EXPECT_THAT(changes, Contains(HasSubstr(mutation.caught_as)));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Evolution, MutatedSchema,
    ::testing::Values(
        // what flatc --conform misses
        Mutation{"LastFieldRemoved", "table.fbs", "model_time_residual:Residual (id: 18);", "",
                 "CoefficientTable.model_time_residual is gone"},
        Mutation{"LastEnumeratorRemoved", "kinds.fbs", ", dsp = 5", "", "EngineKind.dsp is gone"},
        Mutation{"StructGrown", "table.fbs", "milliwatts:float;\n}", "milliwatts:float;\n  celsius:float;\n}",
                 "StaticTerm: its size in bytes"},
        Mutation{"IdentifierChanged", "table.fbs", "\"EJT1\"", "\"EJT2\"", "file identifier was 'EJT1' and is 'EJT2'"},
        // what any check must catch
        Mutation{"DefaultChanged", "table.fbs", "engine:ubyte = 255 (id: 4)", "engine:ubyte = 254 (id: 4)",
                 "Row.engine: its default was '255'"},
        Mutation{"OptionalBecomesDefault", "table.fbs", "min:float = null (id: 3)", "min:float (id: 3)",
                 "Term.min: being optional"},
        Mutation{"FieldRenamed", "table.fbs", "runtime:string (id: 5)", "runtimes:string (id: 5)",
                 "CoefficientTable.runtime is gone"},
        Mutation{"IdsSwapped", "table.fbs", "runtime:string (id: 5);\n  backend:string (id: 6)",
                 "runtime:string (id: 6);\n  backend:string (id: 5)", "CoefficientTable.runtime: its id was '5'"},
        Mutation{"MiddleFieldRemoved", "table.fbs",
                 "l2_bytes:ulong (id: 3);\n  last_level_bytes:ulong (id: 4);\n  wake_microjoules:float (id: 5);",
                 "last_level_bytes:ulong (id: 3);\n  wake_microjoules:float (id: 4);", "Engine.l2_bytes is gone"},
        Mutation{"TypeWidened", "table.fbs", "groups:uint (id: 1)", "groups:ulong (id: 1)",
                 "Residual.groups: its type was 'UInt' and is 'ULong'"},
        Mutation{"TypeOfVectorChanged", "table.fbs", "notes:[string] (id: 6)", "notes:[uint] (id: 6)",
                 "Provenance.notes: its type"},
        Mutation{"ReferenceChanged", "table.fbs", "board:Board (id: 4)", "board:Baseline (id: 4)",
                 "CoefficientTable.board: its type"},
        Mutation{"EnumeratorsRenumbered", "kinds.fbs", "float16 = 2, bfloat16 = 3", "bfloat16 = 2, float16 = 3",
                 "DataType.float16: its value was '2' and is '3'"},
        Mutation{"EnumeratorRenamed", "kinds.fbs", "hard_swish = 88", "hardswish = 88", "OpKind.hard_swish is gone"},
        Mutation{"EnumWidened", "table.fbs", "enum Level : ubyte", "enum Level : ushort", "Level: its size"},
        Mutation{"StructFieldsReordered", "table.fbs", "operating_point:ubyte;\n  state:EngineState;",
                 "state:EngineState;\n  operating_point:ubyte;", "StaticTerm.state: its offset"},
        Mutation{"RootChanged", "table.fbs", "root_type CoefficientTable;", "root_type Row;", "the root table"},
        Mutation{"BecomesRequired", "table.fbs", "name:string (id: 1);\n  boundary",
                 "name:string (id: 1, required);\n  boundary", "being required"},
        Mutation{"NewFieldIsRequired", "table.fbs", "model_time_residual:Residual (id: 18);",
                 "model_time_residual:Residual (id: 18);\n  extra:string (id: 19, required);", "no old file has it"},
        // what evolution is for
        Mutation{"FieldAppended", "table.fbs", "model_time_residual:Residual (id: 18);",
                 "model_time_residual:Residual (id: 18);\n  extra:string (id: 19);", nullptr},
        Mutation{"EnumeratorAppended", "kinds.fbs", "dsp = 5", "dsp = 5, tpu = 6", nullptr},
        Mutation{"TableAdded", "table.fbs", "table Condition {", "table Extra { a:int (id: 0); }\ntable Condition {",
                 nullptr},
        Mutation{"FieldDeprecated", "table.fbs", "backend:string (id: 6)", "backend:string (id: 6, deprecated)",
                 nullptr}),
    [](const auto& mutation) { return std::string(mutation.param.name); });

// Every format, whoever reads it: verified by today's schema, and through text unharmed.
TEST(ReleasedFiles, ConvertToTextAndBack) {
  std::size_t converted = 0;
  for (const fs::path& version : released_versions()) {
    for (const auto& entry : fs::directory_iterator(version)) {
      if (entry.path().extension() == ".fbs") continue;
      SCOPED_TRACE(entry.path());
      const files::FileBytes bytes = files::read_file(entry.path());
      EXPECT_LT(bytes.size(), 10000U);
      const std::optional<files::FileKind> kind = files::kind_of(bytes.span());
      ASSERT_TRUE(kind.has_value());
      const std::string json = files::to_json(bytes.span(), *kind, "released");
      const files::FileBytes back = files::from_json(json, *kind, "released");
      EXPECT_EQ(files::to_json(back.span(), *kind, "back"), json);
      ++converted;
    }
  }
  EXPECT_GE(converted, files::file_kinds().size());
}

TEST(ReleasedGraphs, AreReadByThisBuild) {
  for (const fs::path& version : released_versions()) {
    SCOPED_TRACE(version);
    const files::FileBytes bytes = files::read_file(version / "graph.ejg");
    const Result<GraphView> graph = GraphView::open(bytes.span());
    ASSERT_TRUE(graph.ok()) << error_text(graph.error());
    EXPECT_EQ(graph->model_name(), "released sample");
    ASSERT_EQ(graph->size(), 4U);
    EXPECT_EQ(graph->kind(2), OpKind::kConv2d);
    EXPECT_EQ(graph->op_class(3), OpClass::kSoftmax);
    EXPECT_EQ(graph->data_type(2), DataType::kFloat32);
    EXPECT_EQ(graph->parent(0), kNoParent);
    EXPECT_EQ(graph->parent(2), 1U);
    EXPECT_EQ(graph->depth(2), 2);
    EXPECT_EQ(graph->engine(2), 0);
    EXPECT_EQ(graph->name(2), "stem/conv");
    EXPECT_EQ(graph->type_name(3), "SOFTMAX");
    EXPECT_EQ(graph->unique_weight_bytes(), 1728U);
    const Result<WorkCounts> work = count_work(graph->op_class(2), graph->facts(2));
    ASSERT_TRUE(work.ok());
    EXPECT_EQ(work->macs, 4U * 4U * 16U * 3U * 9U);
    EXPECT_EQ(graph->facts(3)[Fact::kSpecialPerOutput], 2U);
  }
}

TEST(ReleasedTables, AreReadByThisBuild) {
  for (const fs::path& version : released_versions()) {
    SCOPED_TRACE(version);
    const files::FileBytes bytes = files::read_file(version / "table.ejt");
    const Result<CoefficientTable> table = CoefficientTable::open(bytes.span());
    ASSERT_TRUE(table.ok()) << error_text(table.error());
    EXPECT_EQ(table->name(), "released sample");
    EXPECT_EQ(table->boundary(), BoundaryKind::kRails);
    ASSERT_EQ(table->boundary_rail_count(), 2U);
    EXPECT_EQ(table->boundary_rail(1), "VDD_SYS_CPU");
    EXPECT_EQ(table->baseline(), BaselineKind::kAboveIdle);
    EXPECT_EQ(table->board_compatible(), "vendor,sample-board");
    EXPECT_EQ(table->runtime(), "sample runtime 1.0");
    EXPECT_EQ(table->row_count(), 4U);
    ASSERT_EQ(table->engine_count(), 2U);
    EXPECT_EQ(table->last_level_bytes(0), 2097152U);
    ASSERT_EQ(table->operating_point_count(), 1U);
    EXPECT_EQ(table->operating_point_name(0), "15W");
  }
}

}  // namespace
}  // namespace edgejoule::test
