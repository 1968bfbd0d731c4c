// edge-calibrate account as a person runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/graph_fixture.h"
#include "support/program.h"
#include "support/table_fixture.h"
#include "support/temporary_folder.h"
#include "unit/account/played_run.h"

namespace edgejoule::account {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class AccountCommand : public ::testing::Test {
 protected:
  AccountCommand() : run_(play(options())) { write_files(run_, folder_.file("run.ejp"), folder_.file("run.ejl")); }
  static PlayOptions options() {
    PlayOptions options;
    options.ops = four_equal_layers();
    options.ops.resize(7);
    options.inferences = 300;
    options.idle_ns = 300'000'000;
    return options;
  }
  std::string write(const std::string& name, const files::FileBytes& bytes) const {
    files::write_file(folder_.file(name), bytes.text());
    return folder_.file(name);
  }
  std::string model() const {
    std::vector<test::NodeSpec> nodes(1);
    nodes[0].kind = OpKind::kLayer;
    nodes[0].name = "layer_0";
    for (const HiddenOp& op : options().ops) {
      test::NodeSpec node;
      node.kind = OpKind::kDense;
      node.parent = 1;
      node.facts = test::dense_facts(1, 64, 256, 256);
      node.name = op.name;
      nodes.push_back(node);
    }
    return write("model.ejg", test::pack(test::graph_of(nodes)));
  }
  static wire::CoefficientTableT table_of_the_rail() {
    wire::CoefficientTableT table = test::sound_table();
    table.boundary->rails = {"VDD_IN"};
    return table;
  }
  test::Outcome account(const std::string& arguments) const {
    return test::run_program(std::string(EDGE_CALIBRATE) + " account " + folder_.file("run.ejp") + ' ' +
                             folder_.file("run.ejl") + ' ' + arguments);
  }

  test::TemporaryFolder folder_;
  PlayedRun run_;
};

TEST_F(AccountCommand, ShowsOpsAndAllParts) {
  const test::Outcome outcome = account("");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("above idle of 2.40 W"), HasSubstr("layer_0/up"), HasSubstr("(between ops)"),
                    HasSubstr("300 inferences"), HasSubstr("idle"), HasSubstr("sum"), HasSubstr("samples held")));
}

TEST_F(AccountCommand, RollsUpTheModelAndSetsATableBesideIt) {
  const std::string graph = model();
  const test::Outcome tree = account("--model " + graph + " --by tree");
  EXPECT_EQ(tree.code, 0) << tree.err;
  EXPECT_THAT(tree.out, HasSubstr("  layer_0\n"));
  const std::string table = write("table.ejt", test::pack(table_of_the_rail()));
  const std::string page = folder_.file("page.html");
  const test::Outcome beside = account("--model " + graph + " --table " + table + " --html " + page);
  EXPECT_EQ(beside.code, 0) << beside.err;
  EXPECT_THAT(beside.out, AllOf(HasSubstr("table says"), HasSubstr(" !)")));
  EXPECT_THAT(beside.err,
              AllOf(HasSubstr("edge-calibrate adapt"), HasSubstr("--measured run.csv"), HasSubstr("page: ")));
  EXPECT_THAT(std::string(files::read_file(page).text()),
              AllOf(HasSubstr("Where the energy went"), HasSubstr("layer_0"), HasSubstr("An inference of usual length"),
                    HasSubstr("samples while it ran")));
  const test::Outcome kinds = account("--model " + graph + " --by kind");
  EXPECT_THAT(kinds.out, HasSubstr("dense"));
}

TEST_F(AccountCommand, WhatItOffersBringsTheTableToTheBoard) {
  const std::string graph = model(), table = write("table.ejt", test::pack(table_of_the_rail()));
  const std::string measured = folder_.file("run.csv"), adapted = folder_.file("new.ejt");
  const test::Outcome first = account("--model " + graph + " --table " + table + " --measured " + measured);
  ASSERT_EQ(first.code, 0) << first.err;
  const std::string offer = "edge-calibrate adapt " + table + ' ' + measured + " -o new.ejt\n";
  ASSERT_THAT(first.err, HasSubstr(offer));
  const test::Outcome adapt = test::run_program(
      std::string(EDGE_CALIBRATE) + offer.substr(offer.find(' '), offer.rfind(' ') - offer.find(' ')) + ' ' + adapted);
  ASSERT_EQ(adapt.code, 0) << adapt.err << adapt.out;
  const test::Outcome second = account("--model " + graph + " --table " + adapted + " --by tree");
  ASSERT_EQ(second.code, 0) << second.err;
  const std::string whole = second.out.substr(second.out.find("table says"));
  EXPECT_THAT(whole.substr(0, whole.find("layer_0")), Not(HasSubstr("!"))) << second.out;
}

TEST_F(AccountCommand, RefusesATableOfOtherJoules) {
  wire::CoefficientTableT table = test::sound_table();
  const std::string arguments = "--model " + model() + " --table ";
  const test::Outcome rails = account(arguments + write("cpu.ejt", test::pack(table)));
  EXPECT_EQ(rails.code, 1);
  EXPECT_THAT(rails.err, AllOf(HasSubstr("VDD_CPU"), HasSubstr("VDD_IN"), HasSubstr("--rail")));
  table = table_of_the_rail();
  table.baseline->kind = wire::BaselineKind::total;
  EXPECT_EQ(account(arguments + write("total.ejt", test::pack(table))).code, 1);
  const test::Outcome board = account(arguments + write("table.ejt", test::pack(table_of_the_rail())));
  EXPECT_EQ(board.code, 0);
  EXPECT_THAT(board.err, HasSubstr("The board differs: the table is of 'Test Board'"));
}

TEST_F(AccountCommand, WritesCsvAndJson) {
  const test::Outcome csv = account("--csv");
  EXPECT_THAT(csv.out, AllOf(HasSubstr("name,depth,seconds,dynamic_j"), HasSubstr("\nlayer_0/up,0,")));
  const test::Outcome json = account("--json");
  EXPECT_THAT(json.out, AllOf(HasSubstr("\"unit\":\"inference\""), HasSubstr("\"name\":\"layer_0/up\"")));
}

TEST_F(AccountCommand, ComparesTwoRuns) {
  PlayOptions other = options();
  other.ops[0].watts *= 0.5;
  other.ops.pop_back();
  other.seed = 9;
  write_files(play(other), folder_.file("after.ejp"), folder_.file("after.ejl"));
  const auto compare = [&](const std::string& arguments) {
    return test::run_program(std::string(EDGE_CALIBRATE) + " compare " + folder_.file("run.ejp") + ' ' +
                             folder_.file("run.ejl") + ' ' + folder_.file("after.ejp") + ' ' +
                             folder_.file("after.ejl") + ' ' + arguments);
  };
  const test::Outcome text = compare("");
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_THAT(text.out, AllOf(HasSubstr("90 % interval"), HasSubstr("only A"), HasSubstr("300 inferences"),
                              HasSubstr("dynamic energy of an inference on VDD_IN")));
  const std::string page = folder_.file("page.html");
  const test::Outcome modules = compare("--model " + model() + " --by module --html " + page);
  EXPECT_EQ(modules.code, 0) << modules.err;
  EXPECT_THAT(modules.out, HasSubstr("  layer_0\n"));
  EXPECT_THAT(std::string(files::read_file(page).text()),
              AllOf(HasSubstr("Two runs side by side"), HasSubstr("Modules, the biggest movers first"),
                    HasSubstr("A: An inference of usual length")));
  EXPECT_THAT(compare("--csv").out, AllOf(HasSubstr("name,depth,in,a_j"), HasSubstr(",0,a,")));
  EXPECT_THAT(compare("--json").out, AllOf(HasSubstr("\"unit\":\"inference\""), HasSubstr("\"b\":null")));
  EXPECT_EQ(compare("--by tree").code, 2);
  EXPECT_EQ(compare("--rail VDD_GPU").code, 1);
}

TEST_F(AccountCommand, ExitCodesSayWhatWasWrong) {
  EXPECT_EQ(account("--by tree").code, 2);
  EXPECT_EQ(account("--by nothing").code, 2);
  EXPECT_EQ(account("--model " + folder_.file("none.ejg")).code, 3);
  const test::Outcome other = account("--offset-ns 9000000000000");
  EXPECT_EQ(other.code, 1);
  EXPECT_THAT(other.err, HasSubstr("of another run"));
  files::write_file(folder_.file("run.ejl"), "not a timeline");
  const test::Outcome damaged = account("");
  EXPECT_EQ(damaged.code, 3);
  EXPECT_THAT(damaged.err, AllOf(HasSubstr("run.ejl"), Not(HasSubstr("another run"))));
}

TEST_F(AccountCommand, SaysWhereSingleInferencesAreNotResolved) {
  const test::Outcome outcome = account("--by inference");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("300 of 300 inferences are not resolved by themselves"));
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("above idle of 2.40 W"), Not(HasSubstr("after the first"))));
}

TEST_F(AccountCommand, RefusesDurations) {
  run_.timeline.kind = wire::TimelineKind::durations;
  write_files(run_, folder_.file("again.ejp"), folder_.file("run.ejl"));
  const test::Outcome outcome = account("");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("not when"));
}

TEST_F(AccountCommand, RefusesAnotherModel) {
  std::vector<test::NodeSpec> nodes(1);
  nodes[0].kind = OpKind::kRelu;
  nodes[0].facts = test::elementwise_facts(100);
  nodes[0].name = "unlike";
  const test::Outcome outcome = account("--model " + write("other.ejg", test::pack(test::graph_of(nodes))));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("give the model that ran"));
}

}  // namespace
}  // namespace edgejoule::account
