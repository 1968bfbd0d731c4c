// The loop closed for a runtime that is a command: a stand-in computes, and writes what a hidden law says it draws
// into a made-up hwmon channel; edge-calibrate reads that, fits, and the table is scored against the law, in real time.
//
// The seed is drawn when the test runs, and printed; EDGEJOULE_SEED repeats one.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "calibration/engine_parts.h"
#include "files/json.h"
#include "measurements/measurement_file.h"
#include "pricing/set_pricer.h"
#include "support/drawn_seed.h"
#include "support/program.h"
#include "unit/linux/fake_sysfs.h"

namespace edgejoule::calibrate {
namespace {

using calibration::Experiment;
using edgejoule::test::FakeSysfs;

void write_law(const std::string& path, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> factor(0.6, 1.6);
  std::ofstream law(path);
  law << "load 0.1\nwatts 8\n";
  for (const char* kind : {"depthwise_conv_2d", "relu"}) {
    law << fmt::format("{} {} {} {}\n", kind, 1.3e-3 * factor(random), 4e-10 * factor(random), 3e-9 * factor(random));
  }
}

graph::OpNode depthwise(const char* name, std::uint64_t size, std::uint64_t kernel, std::uint64_t stride) {
  graph::ConvolutionParams p{.in_h = size, .in_w = size, .in_c = 48};
  p.out_h = p.out_w = size / stride;
  p.out_c = p.groups = 48;
  p.kernel_h = p.kernel_w = kernel;
  p.stride_h = p.stride_w = stride;
  return graph::convolution({.name = name, .type_name = "DEPTHWISE_CONV_2D"}, p);
}

graph::OpNode relu(const char* name, std::uint64_t elements) {
  const graph::Tensor tensor{.elements = elements};
  return graph::elementwise({.name = name, .type_name = "RELU"},
                            {.kind = OpKind::kRelu, .inputs = {tensor}, .output = tensor});
}

// Of shapes that are no experiment's.
Experiment network() {
  return {.name = "network",
          .ops = {{.op = depthwise("first", 24, 3, 1)},
                  {.op = relu("first_relu", 24 * 24 * 48)},
                  {.op = depthwise("second", 24, 3, 2)},
                  {.op = relu("second_relu", 12 * 12 * 48)},
                  {.op = depthwise("third", 12, 5, 1)}}};
}

class Loop {
 public:
  Loop() {
    const std::string hwmon = sys_.hwmon(3, "1-0040", "ina3221");
    for (const auto& [file, text] : {std::pair{"in1_label", "VDD_IN"},
                                     {"in1_input", "5000"},
                                     {"in1_enable", "1"},
                                     {"curr1_input", "1200"},
                                     {"shunt1_resistor", "5000"},
                                     {"update_interval", "2"}}) {
      sys_.write(hwmon + "/" + file, text);
    }
    rail_ = sys_.at(hwmon + "/curr1_input");
    // What other programs do is the machine's own.
    std::filesystem::create_directories(sys_.at("/proc"));
    for (const char* real : {"/proc/stat", "/proc/self"}) std::filesystem::create_symlink(real, sys_.at(real));
    write_law(folder_.file("law"), seed_);
  }

  [[nodiscard]] std::uint32_t seed() const { return seed_; }
  [[nodiscard]] std::string file(const std::string& name) const { return folder_.file(name); }
  [[nodiscard]] test::Outcome calibrate(const std::string& more) const {
    return test::run_program(
        fmt::format("{} runtime '{} --rail={}' -o {} --format {} --engine-name gpu --engine-kind gpu --total VDD_IN "
                    "--kinds depthwise_conv_2d,relu --root {} {}",
                    EDGE_CALIBRATE, command(), rail_, file("t.ejt"), format_name(), sys_.root(), more));
  }
  // What the law says that one inference draws.
  [[nodiscard]] double truth(const std::string& experiment) const {
    const test::Outcome outcome = test::run_program(
        fmt::format("{} --model={}/{}{} --iterations=1 --law={} --meter={}", EDGEJOULE_STAND_IN_RUNTIME, experiments(),
                    experiment, import::extension_of(EDGEJOULE_STAND_IN_FORMAT), file("law"), file("meter")));
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    double joules = 0;
    std::ifstream(file("meter")) >> joules;
    return joules - 0.1;  // loading
  }
  // Its parts as the runtime fuses them.
  [[nodiscard]] measurements::Measurement parts_of(const Experiment& experiment) const {
    calibration::RuntimeCommand runtime(command(), EDGEJOULE_STAND_IN_FORMAT, experiments());
    const calibration::Engine engine =
        calibration::engine_of(experiment, runtime.model_of(experiment), runtime.profile(experiment, 1));
    return calibration::measurement_of(engine, {.joules = 1, .seconds = 1});
  }

 private:
  [[nodiscard]] std::string experiments() const { return file("t.ejt.experiments"); }
  [[nodiscard]] std::string command() const {
    return fmt::format(
        "{} --model={{model}} --iterations={{iterations}} --exportTimes={{times}} "
        "--exportProfile={{profile}} --exportLayerInfo={{layers}} --law={}",
        EDGEJOULE_STAND_IN_RUNTIME, file("law"));
  }
  [[nodiscard]] static const char* format_name() {
    return EDGEJOULE_STAND_IN_FORMAT == import::ModelFormat::kOnnx ? "onnx" : "tflite";
  }

  FakeSysfs sys_;
  test::TemporaryFolder folder_;
  std::uint32_t seed_ = test::drawn_seed();
  std::string rail_;
};

measurements::MeasurementSet read_set(const std::string& path) {
  return measurements::read_measurements(files::load(path, files::FileKind::kMeasurements), path);
}

// What a calibration said of the last engine that others disturbed; "" where they disturbed none.
std::string disturbed(const std::string& said) {
  const std::size_t at = said.rfind("not measured: other programs kept");
  return at == std::string::npos ? "" : said.substr(at, said.find('\n', at) - at);
}

// A calibration that was gone on with. Asked are 5 %; five seeds on a machine busy with other work gave 0.3 to 3.0 %
// for engines left out and at most 1.1 % for the network.
TEST(RuntimeClosedLoop, ATableOfHiddenLawPredictsWhatItNeverSaw) {
  const Loop loop;
  SCOPED_TRACE(::testing::Message() << "seed " << loop.seed());
  const test::Outcome begun = loop.calibrate("--budget 8s");
  if (begun.code == 4 && !disturbed(begun.err).empty()) GTEST_SKIP() << begun.err;  // it waited for others in vain
  ASSERT_TRUE(begun.code == 0 || begun.code == 1) << begun.err;                     // perhaps too little for a table
  const std::string held_out_file = loop.file("held_out.ejm");
  const test::Outcome outcome = loop.calibrate("--resume --budget 60s --held-out " + held_out_file +
                                               " --measurements " + loop.file("fitted.ejm"));
  const std::string others = disturbed(begun.err + outcome.err);
  if (outcome.code != 0 && !others.empty()) GTEST_SKIP() << "no table: " << others;
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("resumed   "), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("\nlaw       relu float32: "), std::string::npos) << outcome.err;

  const files::FileBytes table = files::load(loop.file("t.ejt"), files::FileKind::kTable);
  measurements::MeasurementSet fitted = read_set(loop.file("fitted.ejm"));
  measurements::MeasurementSet held_out = read_set(held_out_file);
  constexpr std::size_t kUsualEngines = 15;  // at least, where nobody takes the time
  if (fitted.measurements.size() < kUsualEngines && !others.empty()) {
    GTEST_SKIP() << fitted.measurements.size() << " engines only: " << others;
  }
  ASSERT_GE(held_out.measurements.size(), 2U) << outcome.err;
  std::vector<double> measured, predicted;
  for (const measurements::Measurement& m : fitted.measurements) {
    measured.push_back(std::abs(m.energy_joules / loop.truth(m.origin) - 1));
  }
  const std::size_t shapes = held_out.measurements.size();
  held_out.measurements.push_back(loop.parts_of(network()));
  pricing::SetPricer pricer(held_out, table, {});
  const auto error = [&](std::size_t i, const std::string& experiment) {
    const pricing::Priced priced = pricer.price(i);
    EXPECT_EQ(priced.problem, "");
    return priced.joules / loop.truth(experiment) - 1;
  };
  for (std::size_t i = 0; i < shapes; ++i) predicted.push_back(std::abs(error(i, held_out.measurements[i].origin)));
  const double whole = error(shapes, "network");
  std::sort(measured.begin(), measured.end());
  std::sort(predicted.begin(), predicted.end());
  std::printf(
      "seed %u: %zu engines fitted, measured within %.1f %% (median), %.1f %% (worst); %zu held out: median %.1f %%, "
      "worst %.1f %%; network %+.1f %%\n",
      loop.seed(), measured.size(), 100 * measured[measured.size() / 2], 100 * measured.back(), shapes,
      100 * predicted[shapes / 2], 100 * predicted.back(), 100 * whole);
  EXPECT_LT(measured[measured.size() / 2], 0.02);
  EXPECT_LT(predicted[shapes / 2], 0.05);
  EXPECT_LT(std::abs(whole), 0.05);
}

}  // namespace
}  // namespace edgejoule::calibrate
