// write_corpus table|graph|timeline|profile|tflite|onnx FOLDER: seed files for a fuzz target, from the builders of
// the tests.
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

#include "files/io.h"
#include "schemas/etdump_wire_generated.h"
#include "schemas/timeline_generated.h"
#include "support/graph_fixture.h"
#include "support/onnx_models.h"
#include "support/table_fixture.h"
#include "support/tflite_models.h"

namespace edgejoule::test {
namespace {

class Corpus {
 public:
  explicit Corpus(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
  }
  void add(std::string_view name, const files::FileBytes& bytes) const {
    files::write_file((folder_ / name).string(), bytes.text());
  }
  template <class Models>
  void add(const Models& models) const {
    for (const auto& model : models) add(model.name, {model.bytes.data(), model.bytes.size()});
  }

 private:
  std::filesystem::path folder_;
};

void write_tables(const Corpus& corpus) {
  corpus.add("smallest", pack(sound_table()));
  wire::CoefficientTableT table = sound_table();
  wire::RowT& conv = add_row(table, Level::kExact, OpKind::kConv2d, DataType::kFloat32);
  add_term(conv, {Feature::kTiledMacs, 1.5F, Unit::kPicojoule, 1.0F, 1e9F, Tile{8, 12, 4}});
  add_condition(conv, Feature::kKernelArea, 2.0F, INFINITY);
  conv.residual = residual(0.1F, 12, 0.05F, 0.07F);
  conv.reason = "tiled";
  corpus.add("conditions", pack(table));
  wire::RowT& log_row = add_row(table, Level::kOp, OpKind::kRelu);
  log_row.form = wire::RowForm::log2;
  log_row.intercept = -30.0F;
  add_term(log_row, {Feature::kActivationBytes, 0.9F, Unit::kRatio});
  corpus.add("log2", pack(table));
  wire::RowT& timed = add_row(table, Level::kOp, OpKind::kDense);
  add_term(timed, {Feature::kTime, 3.0F, Unit::kWatt});
  add_term(timed, {Feature::kCounterEnergy, 1.1F, Unit::kRatio});
  add_term(timed, {Feature::kUtilisationTime, 1.0F, Unit::kMilliwatt});
  corpus.add("runtime", pack(table));
  add_module_row(table, OpKind::kLayer, 1.1F);
  add_static(table, 0, EngineState::kBusy, 200.0F);
  table.op_residual = residual(0.2F, 30);
  table.model_residual = residual(0.1F, 6);
  corpus.add("everything", pack(table));
}

void write_graphs(const Corpus& corpus) {
  corpus.add("root_only", pack(graph_of({})));
  corpus.add("flat", layered_graph(8, 0));
  corpus.add("nested", layered_graph(12, 3));
  wire::ModelGraphT graph =
      graph_of({{.kind = OpKind::kConv2d, .facts = conv_facts(1, 8, 8, 4, 8, 3, 2, 2), .name = "conv"},
                {.kind = OpKind::kDense, .facts = dense_facts(2, 3, 5, 7), .name = "dense"}});
  graph.type_names = {"CONV_2D"};
  graph.type_name_index = {0xFFFF, 0, 0xFFFF};
  graph.source->notes = {"a note"};
  corpus.add("named", pack(graph));
  graph.fact_ids = {wire::Fact::out_h, wire::Fact::groups};
  graph.facts = {1, 1, 8, 1, 9, 1};
  corpus.add("few_facts", pack(graph));
}

files::FileBytes pack(const wire::TimelineT& timeline) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(wire::Timeline::Pack(builder, &timeline), wire::TimelineIdentifier());
  return {builder.GetBufferPointer(), builder.GetSize()};
}

void write_timelines(const Corpus& corpus) {
  using wire::SpanKind;
  wire::TimelineT timeline;
  corpus.add("empty", pack(timeline));
  timeline.clock = wire::TimelineClock::monotonic;
  for (int i = 0; i < 2; ++i) {
    auto& thread = timeline.threads.emplace_back(std::make_unique<wire::TimelineThreadT>());
    thread->names = {"", "conv", "relu"};
    thread->types = {"", "Conv", "Relu"};
  }
  timeline.spans = {{100, 300, 0, 1, 0, 0, SpanKind::op, 0, 1},
                    {150, 250, 5, 2, 0, 0, SpanKind::op, 0, 2},
                    {90, 400, 0xFFFFFFFFU, 0, 0, 0, SpanKind::inference, 0, 0},
                    {200, 350, 1, 2, 1, 0, SpanKind::op, 0, 0}};
  corpus.add("two_threads", pack(timeline));
  timeline.spans.push_back({500, 500, 2, 1, 0, 0, SpanKind::op, 1, 0});
  timeline.spans.push_back({500, 600, 7, 0, 0, 0, SpanKind::gap, 0, 0});
  timeline.spans.push_back({700, 700, 2, 1, 0, 0, SpanKind::op, 2, 0});
  timeline.offset_ns = 1'000'000;
  timeline.notes = {"a note"};
  corpus.add("losses", pack(timeline));
  timeline.kind = wire::TimelineKind::durations;
  timeline.spans.clear();
  auto& duration = timeline.durations.emplace_back(std::make_unique<wire::OpDurationT>());
  duration->name = "conv";
  duration->mean_ns = 1000.0;
  corpus.add("durations", pack(timeline));
}

void write_profiles(const Corpus& corpus) {
  const auto add = [&](std::string_view name, std::string_view text) {
    corpus.add(name, files::FileBytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  };
  add("onnxruntime", R"([
{"cat":"Node","pid":7,"tid":7,"dur":400,"ts":50010,"ph":"X","name":"conv_kernel_time","args":{"op_name":"Conv","node_index":"3"}},
{"cat":"Session","pid":7,"tid":7,"dur":500,"ts":50000,"ph":"X","name":"model_run","args":{}}
])");
  add("chrome",
      R"({"displayTimeUnit":"ns","traceEvents":[{"ph":"M","name":"thread_name","pid":1,"tid":2,"args":{"name":"t"}},
{"ph":"B","name":"run","pid":1,"tid":2,"ts":1},{"ph":"X","name":"op","pid":1,"tid":2,"ts":1.5,"dur":2.25},{"ph":"E","pid":1,"tid":2,"ts":9}]})");
  add("armnn",
      R"({"ArmNN":{"inference_measurements_#1":{"type":"Event","Wall clock time_#1":{"type":"Measurement","raw":[10.5],"unit":"us"},
"Wall clock time (Start)_#1":{"type":"Measurement","raw":[100.0],"unit":"us"},"Wall clock time (Stop)_#1":{"type":"Measurement","raw":[110.5],"unit":"us"}}}})");
  etdump_wire::ETDumpT dump;
  auto& run = dump.run_data.emplace_back(std::make_unique<etdump_wire::RunDataT>());
  for (const char* const name : {"native_call_add.out", "OPERATOR_CALL", "DELEGATE_CALL", "Method::execute"}) {
    auto profile = std::make_unique<etdump_wire::ProfileEventT>();
    profile->name = name;
    profile->end_time = 1000;
    run->events.emplace_back(std::make_unique<etdump_wire::EventT>())->profile_event = std::move(profile);
  }
  flatbuffers::FlatBufferBuilder builder;
  etdump_wire::FinishSizePrefixedETDumpBuffer(builder, etdump_wire::ETDump::Pack(builder, &dump));
  corpus.add("etdump", {builder.GetBufferPointer(), builder.GetSize()});
}

}  // namespace
}  // namespace edgejoule::test

int main(int argc, char** argv) {
  const std::string_view what = argc == 3 ? argv[1] : "";
  if (what == "table") {
    edgejoule::test::write_tables(edgejoule::test::Corpus(argv[2]));
  } else if (what == "graph") {
    edgejoule::test::write_graphs(edgejoule::test::Corpus(argv[2]));
  } else if (what == "timeline") {
    edgejoule::test::write_timelines(edgejoule::test::Corpus(argv[2]));
  } else if (what == "profile") {
    edgejoule::test::write_profiles(edgejoule::test::Corpus(argv[2]));
  } else if (what == "tflite") {
    edgejoule::test::Corpus(argv[2]).add(edgejoule::test::tflite_models());
  } else if (what == "onnx") {
    edgejoule::test::Corpus(argv[2]).add(edgejoule::test::onnx_models());
  } else {
    std::cerr << "usage: write_corpus table|graph|timeline|profile|tflite|onnx FOLDER\n";
    return 2;
  }
  return 0;
}
