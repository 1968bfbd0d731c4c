// edge-predict as a person runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "files/io.h"
#include "files/json.h"
#include "import/onnx/writer.h"
#include "program_fixture.h"
#include "support/onnx_models.h"

namespace edgejoule {
namespace {

using test::Outcome;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST_F(EdgePredict, PricesAModelOfTheZoo) {
  const Outcome outcome = run("zoo:mobilenet_v1-0.25-128 --table " + table_);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("13.6 M MACs"));
  EXPECT_THAT(outcome.out, HasSubstr("total "));
  EXPECT_THAT(outcome.out, Not(HasSubstr("\x1b"))) << "colour in a pipe";
  EXPECT_EQ(outcome.err, "");
}

TEST_F(EdgePredict, OfSeveralModelsOneRowEach) {
  const std::string none = folder_.file("none.tflite");
  const Outcome good = run("zoo:kws zoo:ad01 zoo:resnet8 --table " + table_);
  EXPECT_EQ(good.code, 0) << good.err;
  EXPECT_EQ(good.err, "") << "no progress in a pipe";
  EXPECT_THAT(good.out, AllOf(HasSubstr("zoo:kws"), HasSubstr("zoo:resnet8"), HasSubstr("fallback")));
  const Outcome mixed = run("zoo:kws " + none + " zoo:ad01 --csv --table " + table_);
  EXPECT_EQ(mixed.code, 3);
  EXPECT_THAT(mixed.out, AllOf(HasSubstr("zoo:ad01,"), HasSubstr("none.tflite,,,,,,,,,,,,")));
  EXPECT_THAT(mixed.err, HasSubstr("none.tflite: cannot open"));
  for (const char* of_one :
       {"--explain", "--by op", "--sweep batch=1,2", "--bottlenecks", "--html x.html", "--write-graph x.ejg"}) {
    EXPECT_EQ(run(std::string("zoo:kws zoo:ad01 ") + of_one + " --table " + table_).code, 2) << of_one;
  }
}

TEST_F(EdgePredict, SaysWhereTheEnergyGoesAndWritesThePage) {
  const std::string model = "zoo:resnet8 --table " + table_;
  EXPECT_THAT(run(model + " --bottlenecks").out, AllOf(HasSubstr("weight traffic"), HasSubstr("what would help")));
  const std::string page = folder_.file("m.html");
  const Outcome outcome = run(model + " --html " + page);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(files::read_file(page).text(), HasSubstr("resnet8"));
}

TEST_F(EdgePredict, AStreamNeedsATime) {
  EXPECT_THAT(run("zoo:kws --every 20ms --table " + table_).out, HasSubstr("per second of input"));
  EXPECT_EQ(run("zoo:kws --every 20mJ --table " + table_).code, 2);
  EXPECT_EQ(run("zoo:kws --every often --table " + table_).code, 2);
}

TEST_F(EdgePredict, ColoursWhereAsked) {
  EXPECT_THAT(run("zoo:mobilenet_v1-0.25-128 --colour always --table " + table_).out, HasSubstr("\x1b[1m"));
}

TEST_F(EdgePredict, TakesTheTableAsJsonTextToo) {
  const files::FileBytes bytes = files::load(table_, files::FileKind::kTable);
  const std::string json = folder_.file("t.json");
  files::save(json, bytes.span(), files::FileKind::kTable);
  EXPECT_EQ(run("zoo:mobilenet_v1-0.25-128 --csv --table " + json).out,
            run("zoo:mobilenet_v1-0.25-128 --csv --table " + table_).out);
}

TEST_F(EdgePredict, WritesAGraphThatPricesTheSame) {
  const std::string graph = folder_.file("m.ejg");
  ASSERT_EQ(run("zoo:mobilenet_v1-0.25-128 --write-graph " + graph).code, 0);
  EXPECT_EQ(run(graph + " --csv --table " + table_).out, run("zoo:mobilenet_v1-0.25-128 --csv --table " + table_).out);
}

TEST_F(EdgePredict, StaticEnergyComesWithTheTime) {
  EXPECT_THAT(run("zoo:mobilenet_v1-0.25-128 --table " + table_).out, HasSubstr("no-static"));
}

TEST_F(EdgePredict, DimensionsToBindMustBeWellFormed) {
  const std::string model = "zoo:mobilenet_v1-0.25-128 --table " + table_;
  for (const char* wrong : {"batch", "batch=", "=3", "batch=three", "batch=-1", "batch=1 --bind batch=2"}) {
    const Outcome outcome = run(model + " --bind " + wrong);
    EXPECT_EQ(outcome.code, 2) << wrong;
    EXPECT_THAT(outcome.err, HasSubstr("--bind"));
  }
  EXPECT_THAT(run(model + " --bind batch=2").err, HasSubstr("leave out --bind"));
}

#ifdef EDGEJOULE_WITH_ONNX
TEST_F(EdgePredict, AnOnnxFileIsBoundFromTheCommandLine) {
  const std::string file = folder_.file("m.onnx");
  const std::vector<std::uint8_t> model = test::onnx_transformer();
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(model.data()), static_cast<std::streamsize>(model.size()));
  const Outcome open = run(file + " --table " + table_);
  EXPECT_EQ(open.code, 3);
  EXPECT_THAT(open.err, HasSubstr("--bind 'sequence=128'"));
  const Outcome bound = run(file + " --bind sequence=16 --bind batch=2 --table " + table_);
  EXPECT_EQ(bound.code, 0) << bound.err;
  EXPECT_THAT(bound.out, HasSubstr("dimension 'sequence' is bound to 16"));
  EXPECT_THAT(run(file + " --bind sequence=16 --table " + table_).out, HasSubstr("'batch' open: 1 is assumed"));
  const Outcome sweep = run(file + " --sweep bind:sequence=8,16 --table " + table_);
  EXPECT_EQ(sweep.code, 0) << sweep.err;
  EXPECT_THAT(sweep.out, testing::ContainsRegex("\n +16 "));
  EXPECT_EQ(run(file + " --sweep bind:sequence=x --table " + table_).code, 2);
}

TEST_F(EdgePredict, NamesOfAFileCannotReachTheTerminal) {
  import::OnnxGraphWriter g;
  g.input("x", {4}).output("y").node({"Relu", {"lost\x1b[2J"}, {"y"}, {}, "evil\x1b]0;name\x07"});
  const std::vector<std::uint8_t> model = import::OnnxModelWriter(g).finish();
  const std::string file = folder_.file("evil.onnx");
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(model.data()), static_cast<std::streamsize>(model.size()));
  const Outcome refused = run(file + " --table " + table_);
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.err, HasSubstr("evil\\x1b"));
  EXPECT_THAT(refused.err, Not(HasSubstr("\x1b")));
}
#endif

TEST_F(EdgePredict, UsageErrorsExitWithTwo) {
  EXPECT_EQ(run("").code, 2);
  EXPECT_EQ(run("zoo:mobilenet_v1-0.25-128").code, 2);
  EXPECT_EQ(run("zoo:mobilenet_v1-0.25-128 --by nothing --table " + table_).code, 2);
  EXPECT_EQ(run("zoo:x --csv --json --table " + table_).code, 2);
  const Outcome unknown = run("zoo:mobilnet_v1-0.25-128 --table " + table_);
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("mobilenet_v1-0.25-128"));
  EXPECT_EQ(unknown.out, "");
}

TEST_F(EdgePredict, BadFilesExitWithThreeAndSayWhich) {
  const Outcome missing = run(folder_.file("none.tflite") + " --table " + table_);
  EXPECT_EQ(missing.code, 3);
  EXPECT_THAT(missing.err, HasSubstr("none.tflite"));
  const Outcome swapped = run(table_ + " --table " + table_);
  EXPECT_EQ(swapped.code, 3);
  const std::string junk = folder_.file("junk.ejt");
  std::ofstream(junk) << "EJT1 but not really, only long enough to be looked at";
  const Outcome damaged = run("zoo:mobilenet_v1-0.25-128 --table " + junk);
  EXPECT_EQ(damaged.code, 3);
  EXPECT_THAT(damaged.err, HasSubstr("junk.ejt"));
}

TEST_F(EdgePredict, AFullDiskIsAFailure) {
  EXPECT_EQ(run("zoo:mobilenet_v1-0.25-128 --table " + table_ + " >/dev/full").code, 1);
}

TEST_F(EdgePredict, BadParametersOfTheZooExitWithTwoAndSayWhatIsAccepted) {
  for (const auto& [model, said] : std::initializer_list<std::pair<const char*, const char*>>{
           {"zoo:bert-base:length=4", "no parameter 'length'"},
           {"zoo:bert-base:seq=99999999", "from 1 to"},
           {"zoo:bert-base:batch=-4", "from 1 to"},
           {"zoo:llama:hidden=65536,layers=1000,intermediate=1000000,vocab=10000000,batch=65536,seq=1000000", ""}}) {
    const Outcome outcome = run(std::string(model) + " --table " + table_);
    EXPECT_EQ(outcome.code, 2) << model << ": " << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(said));
    EXPECT_EQ(outcome.out, "");
  }
}

TEST_F(EdgePredict, ListsTheZoo) {
  const Outcome list = run("--list-zoo");
  EXPECT_EQ(list.code, 0);
  EXPECT_THAT(list.out, HasSubstr("zoo:mobilenet_v2-1.0-224"));
  EXPECT_THAT(list.out, HasSubstr("kv_heads=4"));
  EXPECT_THAT(list.out, HasSubstr("zoo:llama-3.2-1b-q4:seq=1,context=2048"));
  EXPECT_EQ(run("zoo:").out, list.out);
}

}  // namespace
}  // namespace edgejoule
