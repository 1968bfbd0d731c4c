#include "capture/recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "capture/trace_reader.h"
#include "edgejoule/linux/monotonic.h"
#include "unit/linux/fake_sysfs.h"

namespace edgejoule::capture {
namespace {

using edgejoule::test::FakeSysfs;
using ::testing::HasSubstr;

class RecorderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    hwmon = sys.orin_nano();
    DiscoveryOptions discovery;
    discovery.root = sys.root();
    found = discover(discovery);
    options.output = sys.at("/run.ejp");
    options.command = {"sleep", "1"};
  }
  void run(Recorder& recorder, int milliseconds) {
    recorder.start();
    recorder.begin_window(monotonic_ns());
    for (int i = 0; i < milliseconds / 10; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      recorder.pump();
    }
    recorder.end_window(monotonic_ns());
    recorder.stop();
  }
  std::string refusal() {
    try {
      Recorder recorder(found, options);
    } catch (const RecordError& error) {
      return error.what();
    }
    return "accepted";
  }
  FakeSysfs sys;
  std::string hwmon;
  Discovery found;
  RecorderOptions options;
};

TEST_F(RecorderTest, TheTraceHoldsWhatTheSummaryCounts) {
  Recorder recorder(found, options);
  run(recorder, 300);
  const Trace trace = read_trace(options.output);
  ASSERT_EQ(trace.recordings.size(), 1U);
  const Recording& recording = trace.recordings[0];
  ASSERT_EQ(recording.session.rails.size(), 3U);
  EXPECT_EQ(recording.session.rails[2]->label, "VDD_SOC");
  EXPECT_EQ(recording.session.rails[0]->quantum_uw, 40'640);
  EXPECT_EQ(recording.session.command, options.command);
  EXPECT_GE(recording.samples.size(), 30U);
  for (std::size_t rail = 0; rail < 3; ++rail) {
    const RailSummary s = recorder.summary(rail, monotonic_ns());
    EXPECT_GT(s.conversions, 5U);
    EXPECT_NEAR(s.mean_w(), static_cast<double>(*found.rails[rail].power_uw) * 1e-6, 1e-9);
  }
}

TEST_F(RecorderTest, OneRailMayBeChosen) {
  options.rails = {"VDD_SOC"};
  Recorder recorder(found, options);
  ASSERT_EQ(recorder.rails().size(), 1U);
  run(recorder, 100);
  const Trace trace = read_trace(options.output);
  ASSERT_FALSE(trace.recordings[0].samples.empty());
  for (const PowerSample& s : trace.recordings[0].samples) {
    EXPECT_EQ(s.rail, 0);
    EXPECT_EQ(s.power_uw, 6'000'000);
  }
}

TEST_F(RecorderTest, AppendsToAnExistingTrace) {
  for (int i = 0; i < 2; ++i) {
    Recorder recorder(found, options);
    run(recorder, 60);
  }
  EXPECT_EQ(read_trace(options.output).recordings.size(), 2U);
}

TEST_F(RecorderTest, HeldStorageIsNotTouchedInsideTheWindow) {
  options.hold_storage = true;
  Recorder recorder(found, options);
  recorder.start();
  recorder.begin_window(monotonic_ns());
  const auto before = std::filesystem::file_size(options.output);
  for (int i = 0; i < 150; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    recorder.pump();
  }
  EXPECT_EQ(std::filesystem::file_size(options.output), before) << "1.5 s: without holding, a frame a second";
  recorder.end_window(monotonic_ns());
  recorder.stop();
  EXPECT_GT(std::filesystem::file_size(options.output), before);
}

TEST_F(RecorderTest, AnUnboundDriverIsAGapAndItsReturnEndsIt) {
  Recorder recorder(found, options);
  recorder.start();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const std::string kept = sys.at(hwmon);
  // Text that is no number stands in for a driver that fails: an open file of a made-up sysfs cannot vanish.
  sys.write(hwmon + "/curr1_input", "broken");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  sys.write(hwmon + "/curr1_input", "400");
  for (int i = 0; i < 100 && recorder.counts().gaps == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    recorder.pump();
  }
  recorder.stop();
  EXPECT_GE(recorder.counts().gaps, 1U);
  EXPECT_EQ(recorder.counts().last_error, Error::kParse);
  EXPECT_GE(recorder.counts().gap_ns, 20'000'000);
}

TEST_F(RecorderTest, SaysWhyItWillNotStart) {
  options.rails = {"NO_SUCH"};
  EXPECT_THAT(refusal(), HasSubstr("no rail is called 'NO_SUCH'; there are VDD_IN"));
  options.rails.clear();
  options.output = sys.at("/no/such/folder/run.ejp");
  EXPECT_THAT(refusal(), HasSubstr("its folder does not exist"));
  std::ofstream(sys.at("/photo.jpg")) << "some other file, longer than a header";
  options.output = sys.at("/photo.jpg");
  EXPECT_THAT(refusal(), HasSubstr("is left alone"));
  options.output.clear();
  options.markers = {"no-such-line-edgejoule"};
  EXPECT_THAT(refusal(), HasSubstr("marker 'no-such-line-edgejoule'"));
  options.markers.clear();
  found.rails.clear();
  found.sources.clear();
  EXPECT_THAT(refusal(), HasSubstr("edge-calibrate probe says why"));
}

}  // namespace
}  // namespace edgejoule::capture
