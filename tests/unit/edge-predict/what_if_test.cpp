#include "edge-predict/what_if.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "edge-predict/graph_change.h"
#include "edgejoule/core/graph.h"
#include "files/json.h"
#include "support/graph_fixture.h"
#include "support/temporary_folder.h"
#include "zoo/zoo.h"

namespace edgejoule::predict {
namespace {

using testing::AllOf;
using testing::HasSubstr;

GraphView view_of(const files::FileBytes& bytes) {
  const Result<GraphView> view = GraphView::open(bytes.span());
  if (!view.ok()) throw std::runtime_error(error_text(view.error()));
  return *view;
}

// Every fact of every node, and its types.
void expect_same(const files::FileBytes& changed, const files::FileBytes& built, const std::string& what) {
  const GraphView a = view_of(changed);
  const GraphView b = view_of(built);
  ASSERT_EQ(a.size(), b.size()) << what;
  for (std::uint32_t i = 0; i < a.size(); ++i) {
    const Facts left = a.facts(i);
    const Facts right = b.facts(i);
    for (std::size_t f = 0; f < kFactCount; ++f) {
      const Fact fact = static_cast<Fact>(f);
      ASSERT_EQ(left[fact], right[fact]) << what << ": " << name_of(fact) << " of " << a.name(i);
    }
    ASSERT_EQ(a.data_type(i), b.data_type(i)) << what << ": " << a.name(i);
    ASSERT_EQ(a.weight_type(i), b.weight_type(i)) << what << ": " << a.name(i);
    ASSERT_EQ(a.name(i), b.name(i));
    ASSERT_EQ(a.parent(i), b.parent(i));
  }
}

class EveryZooModel : public testing::TestWithParam<std::string> {};

// A file that is scaled says what the same model says when it is exported that way.
TEST_P(EveryZooModel, AsAFileWithAnotherBatchIsTheModelOfThatBatch) {
  const std::string name = GetParam();
  const files::FileBytes one = zoo::build(name);
  expect_same(change_graph(one, {.batch = 4, .data_type = {}}, name), zoo::build(name + ":batch=4"), name);
  const files::FileBytes six = zoo::build(name + ":batch=6");
  expect_same(change_graph(six, {.batch = 9, .data_type = {}}, name), zoo::build(name + ":batch=9"), name);
}

TEST_P(EveryZooModel, AsAFileOfAnotherDataTypeIsTheModelOfThatType) {
  const std::string name = GetParam();
  const files::FileBytes single = zoo::build(name + ":dtype=fp32");
  const std::initializer_list<std::pair<const char*, DataType>> types = {{"fp16", DataType::kFloat16},
                                                                         {"bf16", DataType::kBfloat16},
                                                                         {"int8", DataType::kInt8},
                                                                         {"uint8", DataType::kUint8}};
  for (const auto& [text, type] : types) {
    const std::string wanted = name + ":dtype=" + text;
    const files::FileBytes changed = change_graph(single, {.batch = {}, .data_type = type}, name);
    expect_same(changed, zoo::build(wanted), wanted);
    for (std::uint32_t i = 0; i < view_of(changed).note_count(); ++i) {
      EXPECT_THAT(std::string(view_of(changed).note(i)), testing::Not(HasSubstr("scaled like"))) << wanted;
    }
  }
}

std::vector<std::string> names() {
  std::vector<std::string> out;
  for (const zoo::ZooEntry& entry : zoo::list()) {
    // One of each family and size is enough of those that only differ in width.
    const bool sized = entry.name.find("-q4") == std::string::npos && entry.name.rfind("mobilenet_v1-", 0) != 0 &&
                       entry.name.rfind("mobilenet_v2-", 0) != 0;
    if (sized) out.push_back(entry.name);
  }
  return out;
}

INSTANTIATE_TEST_SUITE_P(Zoo, EveryZooModel, testing::ValuesIn(names()),
                         [](const testing::TestParamInfo<std::string>& model) {
                           std::string text = model.param;
                           for (char& c : text) {
                             if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
                           }
                           return text;
                         });

// Weights in blocks stay as they are stored, and are unpacked once whatever the batch.
TEST(GraphChange, LeavesPackedWeightsAlone) {
  const std::string name = "tinyllama-1.1b-q4:layers=2,seq=1,context=64";
  const files::FileBytes packed = zoo::build(name);
  expect_same(change_graph(packed, {.batch = 8, .data_type = {}}, name), zoo::build(name + ",batch=8"), name);
  expect_same(change_graph(packed, {.batch = {}, .data_type = DataType::kFloat32}, name),
              zoo::build(name + ",dtype=fp32"), name);
}

std::string refusal(const files::FileBytes& graph, const GraphChange& change) {
  try {
    (void)change_graph(graph, change, "m.onnx");
  } catch (const ChangeError& error) {
    return error.what();
  }
  return "";
}

TEST(GraphChange, RefusesWhatWouldNotBeExact) {
  EXPECT_THAT(refusal(zoo::build("resnet8:dtype=int8"), {.batch = {}, .data_type = DataType::kFloat32}),
              AllOf(HasSubstr("m.onnx"), HasSubstr("quantised already"), HasSubstr("original")));
  const files::FileBytes odd =
      test::pack(test::graph_of({{.kind = OpKind::kConv2d, .facts = test::conv_facts(2, 8, 8, 4, 4, 3), .name = "a"},
                                 {.kind = OpKind::kRelu, .facts = test::elementwise_facts(15), .name = "r"}}));
  EXPECT_THAT(refusal(odd, {.batch = 3, .data_type = {}}), HasSubstr("multiple of 2"));
  const files::FileBytes mixed = test::pack(
      test::graph_of({{.kind = OpKind::kConv2d, .facts = test::conv_facts(2, 8, 8, 4, 4, 3), .name = "a"},
                      {.kind = OpKind::kConv2d, .facts = test::conv_facts(3, 8, 8, 4, 4, 3), .name = "\x1b[2Jb"}}));
  EXPECT_THAT(refusal(mixed, {.batch = 4, .data_type = {}}),
              AllOf(HasSubstr("batch of 3, others on 2"), HasSubstr("\\x1b"), HasSubstr("Export")));
  const files::FileBytes none =
      test::pack(test::graph_of({{.kind = OpKind::kRelu, .facts = test::elementwise_facts(8), .name = "r"}}));
  EXPECT_THAT(refusal(none, {.batch = 4, .data_type = {}}), HasSubstr("no op says what the batch is"));
  Facts own;
  own.set(Fact::kOwnBytes, 8);
  const files::FileBytes module = test::pack(test::graph_of(
      {{.kind = OpKind::kBlock, .facts = own, .name = "block"},
       {.kind = OpKind::kConv2d, .parent = 1, .facts = test::conv_facts(1, 8, 8, 4, 4, 3), .name = "a"}}));
  EXPECT_THAT(refusal(module, {.batch = 4, .data_type = {}}), HasSubstr("work of its own"));
}

TEST(GraphChange, RefusesToOverflow) {
  Facts huge = test::elementwise_facts(1);
  huge.set(Fact::kOutputElements, 1ULL << 62U);
  const files::FileBytes graph =
      test::pack(test::graph_of({{.kind = OpKind::kConv2d, .facts = test::conv_facts(1, 8, 8, 4, 4, 3), .name = "a"},
                                 {.kind = OpKind::kRelu, .facts = huge, .name = "r"}}));
  EXPECT_THROW((void)change_graph(graph, {.batch = 65536, .data_type = {}}, "m"), std::runtime_error);
}

TEST(GraphChange, SaysWhatItChanged) {
  const files::FileBytes changed =
      change_graph(zoo::build("resnet8"), {.batch = 2, .data_type = DataType::kFloat16}, "m");
  const GraphView view = view_of(changed);
  ASSERT_EQ(view.note_count(), 2U);
  EXPECT_EQ(view.note(0), "the batch was changed from 1 to 2");
  EXPECT_THAT(std::string(view.note(1)), HasSubstr("float16"));
}

TEST(LoadModel, AppendsSettingsToTheNameOfAZooModel) {
  EXPECT_EQ(load_model("zoo:bert-tiny:seq=32", {}, {{"seq", "64"}, {"batch", "2"}}).text(),
            zoo::build("bert-tiny:seq=64,batch=2").text());
  EXPECT_EQ(load_model("zoo:bert-tiny", {}, {{"seq", "64"}}).text(), zoo::build("bert-tiny:seq=64").text());
  EXPECT_THROW((void)load_model("zoo:resnet8", {}, {{"seq", "64"}}), zoo::ZooError);
}

TEST(LoadModel, ChangesFilesOrSaysWhatToDo) {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("m.ejg");
  files::save(path, zoo::build("bert-tiny").span(), files::FileKind::kGraph);
  expect_same(load_model(path, {}, {{"batch", "2"}, {"dtype", "fp16"}}), zoo::build("bert-tiny:batch=2,dtype=fp16"),
              path);
  try {
    (void)load_model(path, {}, {{"seq", "64"}});
    FAIL() << "changed the sequence of a file";
  } catch (const ChangeError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("seq cannot be changed in a file"), HasSubstr("zoo:bert-tiny:")));
  }
  for (const char* batch : {"0", "-1", "1.5", "65537", "99999999999999999999", "", "2x"}) {
    EXPECT_THROW((void)load_model(path, {}, {{"batch", batch}}), SettingError) << batch;
  }
  EXPECT_THROW((void)load_model(path, {}, {{"dtype", "int4"}}), SettingError);
}

TEST(Settings, AreKeysAndValues) {
  const std::vector<Setting> settings = parse_settings("seq=64,dtype=int8");
  ASSERT_EQ(settings.size(), 2U);
  EXPECT_EQ(settings[1].key, "dtype");
  EXPECT_EQ(settings[1].value, "int8");
  EXPECT_EQ(settings_text(settings), "seq=64, dtype=int8");
  for (const char* bad : {"seq", "=4", "seq=", "seq=4,,"}) EXPECT_THROW((void)parse_settings(bad), SettingError) << bad;
}

}  // namespace
}  // namespace edgejoule::predict
