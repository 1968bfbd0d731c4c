#include "capture/trace_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace edgejoule::capture {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Recording small() {
  Recording recording;
  for (const char* label : {"VDD_IN", "=1+1,\"x\""}) {
    auto rail = std::make_unique<wire::TraceRailT>();
    rail->label = label;
    recording.session.rails.push_back(std::move(rail));
  }
  PowerSample sample;
  sample.t_mono_ns = 1'000;
  sample.window_begin_ns = 10;
  sample.window_end_ns = 20;
  sample.power_uw = -392'000;
  sample.bus_uv = 19'600'000;
  sample.current_ua = -20'000;
  sample.cycle_ns = 6'600'000;
  sample.taps = 512;
  sample.response = ResponseKind::kExponential;
  recording.samples.push_back(sample);
  sample.rail = 1;
  sample.set(SampleFlag::kBusVoltageAbsent);
  recording.samples.push_back(sample);
  TraceEvent gap;
  gap.kind = EventKind::kGap;
  gap.value = static_cast<std::uint32_t>(Error::kBusNak);
  recording.events.push_back(gap);
  TraceEvent step;
  step.kind = EventKind::kClockStep;
  step.value = static_cast<std::uint32_t>(-3'600'000);
  recording.events.push_back(step);
  return recording;
}

template <class Write>
std::string written(Write write) {
  std::FILE* const file = std::tmpfile();
  EXPECT_TRUE(write(small(), file));
  std::rewind(file);
  std::string text(10'000, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  return text;
}

TEST(TraceCsv, OneLinePerSample) {
  const std::string text = written(write_samples_csv);
  EXPECT_THAT(text, StartsWith("rail,t_mono_ns,"));
  EXPECT_THAT(text, HasSubstr("\nVDD_IN,1000,10,20,-392000,19600000,-20000,0,6600000,exponential,512,0\n"));
  EXPECT_THAT(text, HasSubstr("\"'=1+1,\"\"x\"\"\",1000,10,20,-392000,,,0,"))
      << "absent is empty, formulas are defused";
}

TEST(TraceCsv, EventsSpeakWords) {
  const std::string text = written(write_events_csv);
  EXPECT_THAT(text, HasSubstr("gap,0,0,0,64,no device answered at this bus address\n"));
  EXPECT_THAT(text, HasSubstr("clock_step,0,0,0,4291367296,'-3600000 ms\n"));
}

TEST(TraceJson, HoldsSessionSamplesAndEvents) {
  const std::string text = written(write_json);
  EXPECT_THAT(text, HasSubstr("\"VDD_IN\""));
  EXPECT_THAT(text, HasSubstr("[0, 1000, 10, 20, -392000, 19600000, -20000, 0, 6600000, \"exponential\", 512, 0]"));
  EXPECT_THAT(text, HasSubstr("-392000, null, null, "));
  EXPECT_THAT(text, HasSubstr("\"detail\": \"no device answered at this bus address\""));
}

TEST(TraceCsv, SaysWhenTheStreamIsFull) {
  std::FILE* const full = std::fopen("/dev/full", "w");
  ASSERT_NE(full, nullptr);
  std::setvbuf(full, nullptr, _IONBF, 0);
  EXPECT_FALSE(write_samples_csv(small(), full));
  std::fclose(full);
}

}  // namespace
}  // namespace edgejoule::capture
