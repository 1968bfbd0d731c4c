#include "edgejoule/linux/trace_writer.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <vector>

#include "edgejoule/linux/trace_frame.h"
#include "files/file_bytes.h"
#include "files/file_kinds.h"
#include "files/io.h"
#include "schemas/trace_generated.h"
#include "support/temporary_folder.h"

namespace edgejoule {
namespace {

PowerSample sample(std::uint32_t sequence) {
  PowerSample s;
  s.t_mono_ns = 1'000 + sequence;
  s.window_begin_ns = 10;
  s.window_end_ns = 20;
  s.power_uw = -392'000;
  s.bus_uv = 19'600'000;
  s.current_ua = -20'000;
  s.cycle_ns = 6'600'000;
  s.sequence = sequence;
  s.taps = 512;
  s.rail = 2;
  s.set(SampleFlag::kClipped);
  s.response = ResponseKind::kExponential;
  return s;
}

TraceEvent event(EventKind kind, std::uint32_t value) {
  TraceEvent e;
  e.begin_ns = 5;
  e.end_ns = 9;
  e.kind = kind;
  e.value = value;
  e.index = 3;
  return e;
}

struct Contents {
  std::vector<wire::PowerSample> samples;
  std::vector<wire::TraceEvent> events;
  std::size_t frames = 0;
};

Contents read_back(const std::string& path) {
  Contents contents;
  const files::FileBytes file = files::read_file(path);
  for (FoundFrame f = next_frame(file.span(), 0); !f.payload.empty(); f = next_frame(file.span(), f.end)) {
    ++contents.frames;
    EXPECT_EQ(files::kind_of(f.payload), files::FileKind::kTrace);
    const files::FileBytes aligned(f.payload.data(), f.payload.size());
    EXPECT_TRUE(files::info_of(files::FileKind::kTrace).verify(aligned.span()));
    const wire::TraceFrame* frame = wire::GetTraceFrame(aligned.span().data());
    if (frame->samples() != nullptr) {
      for (const auto* s : *frame->samples()) contents.samples.push_back(*s);
    }
    if (frame->events() != nullptr) {
      for (const auto* e : *frame->events()) contents.events.push_back(*e);
    }
  }
  return contents;
}

class TraceWriterTest : public ::testing::Test {
 protected:
  explicit TraceWriterTest(std::size_t samples = 100, std::size_t events = 10)
      : memory(TraceWriter::required_bytes(samples, events) / 8 + 1), event_capacity(events) {}
  Status open(TraceWriter& writer) {
    return writer.open(path.c_str(), Span<std::byte>(reinterpret_cast<std::byte*>(memory.data()), memory.size() * 8),
                       event_capacity);
  }
  test::TemporaryFolder folder;
  std::string path = folder.file("trace.ejp");
  std::vector<std::uint64_t> memory;
  std::size_t event_capacity;
};

TEST_F(TraceWriterTest, WhatGoesInComesOutOfTheGeneratedReader) {
  TraceWriter writer;
  ASSERT_TRUE(open(writer).ok());
  ASSERT_TRUE(writer.add(sample(7)).ok());
  ASSERT_TRUE(writer.add(event(EventKind::kGap, 65)).ok());
  ASSERT_TRUE(writer.close().ok());
  const Contents contents = read_back(path);
  ASSERT_EQ(contents.samples.size(), 1U);
  const wire::PowerSample& s = contents.samples[0];
  EXPECT_EQ(s.t_mono_ns(), 1'007);
  EXPECT_EQ(s.window_begin_ns(), 10);
  EXPECT_EQ(s.window_end_ns(), 20);
  EXPECT_EQ(s.power_uw(), -392'000);
  EXPECT_EQ(s.bus_uv(), 19'600'000);
  EXPECT_EQ(s.current_ua(), -20'000);
  EXPECT_EQ(s.cycle_ns(), 6'600'000U);
  EXPECT_EQ(s.sequence(), 7U);
  EXPECT_EQ(s.taps(), 512);
  EXPECT_EQ(s.rail(), 2);
  EXPECT_EQ(s.flags(), static_cast<std::uint16_t>(SampleFlag::kClipped));
  EXPECT_EQ(s.response(), wire::SampleResponse::exponential);
  ASSERT_EQ(contents.events.size(), 1U);
  EXPECT_EQ(contents.events[0].kind(), wire::TraceEventKind::gap);
  EXPECT_EQ(contents.events[0].value(), 65U);
  EXPECT_EQ(contents.events[0].index(), 3);
  EXPECT_EQ(contents.events[0].end_ns(), 9);
}

TEST_F(TraceWriterTest, EveryFrameSizeVerifies) {
  TraceWriter writer;
  ASSERT_TRUE(open(writer).ok());
  std::uint32_t sequence = 0;
  for (std::size_t samples = 0; samples < 5; ++samples) {
    for (std::size_t events = 0; events < 4; ++events) {
      for (std::size_t i = 0; i < samples; ++i) ASSERT_TRUE(writer.add(sample(sequence++)).ok());
      for (std::size_t i = 0; i < events; ++i) ASSERT_TRUE(writer.add(event(EventKind::kLost, 1)).ok());
      ASSERT_TRUE(writer.flush().ok());
    }
  }
  ASSERT_TRUE(writer.close().ok());
  const Contents contents = read_back(path);
  EXPECT_EQ(contents.frames, 19U) << "nothing to write writes nothing";
  EXPECT_EQ(contents.samples.size(), sequence);
}

TEST_F(TraceWriterTest, WritesAFrameWhenFull) {
  TraceWriter writer;
  ASSERT_TRUE(open(writer).ok());
  for (std::uint32_t i = 0; i < 1'000; ++i) ASSERT_TRUE(writer.add(sample(i)).ok());
  EXPECT_GE(writer.frames(), 9U);
  ASSERT_TRUE(writer.close().ok());
  EXPECT_EQ(read_back(path).samples.size(), 1'000U);
}

TEST_F(TraceWriterTest, NothingIsWrittenInsideAWindow) {
  TraceWriter writer;
  ASSERT_TRUE(open(writer).ok());
  writer.begin_window(1);
  for (std::uint32_t i = 0; i < 50; ++i) ASSERT_TRUE(writer.add(sample(i)).ok());
  ASSERT_TRUE(writer.flush().ok());
  ASSERT_TRUE(writer.sync().ok());
  EXPECT_EQ(std::filesystem::file_size(path), 0U);
  ASSERT_TRUE(writer.end_window(2).ok());
  EXPECT_GT(std::filesystem::file_size(path), 50U * 56U);
  ASSERT_TRUE(writer.close().ok());
  const Contents contents = read_back(path);
  ASSERT_EQ(contents.events.size(), 2U);
  EXPECT_EQ(contents.events[0].kind(), wire::TraceEventKind::window_begin);
  EXPECT_EQ(contents.events[1].kind(), wire::TraceEventKind::window_end);
}

TEST_F(TraceWriterTest, AForcedWriteInsideAWindowIsTold) {
  TraceWriter writer;
  ASSERT_TRUE(open(writer).ok());
  writer.begin_window(1);
  for (std::uint32_t i = 0; i < 150; ++i) ASSERT_TRUE(writer.add(sample(i)).ok());
  EXPECT_EQ(writer.forced_writes(), 1U);
  ASSERT_TRUE(writer.end_window(2).ok());
  ASSERT_TRUE(writer.close().ok());
  const Contents contents = read_back(path);
  EXPECT_EQ(contents.samples.size(), 150U);
  int told = 0;
  for (const auto& e : contents.events) {
    if (e.kind() != wire::TraceEventKind::forced_write) continue;
    ++told;
    EXPECT_GE(e.begin_ns(), 1'000);
  }
  EXPECT_EQ(told, 1);
}

TEST_F(TraceWriterTest, ContinuesBehindTheLastWholeFrame) {
  {
    TraceWriter writer;
    ASSERT_TRUE(open(writer).ok());
    for (std::uint32_t i = 0; i < 3; ++i) {
      ASSERT_TRUE(writer.add(sample(i)).ok());
      ASSERT_TRUE(writer.flush().ok());
    }
    ASSERT_TRUE(writer.close().ok());
  }
  const auto whole = std::filesystem::file_size(path);
  for (const std::uintmax_t cut : {std::uintmax_t{1}, std::uintmax_t{40}, whole / 3 - 1}) {
    SCOPED_TRACE(cut);
    const std::string torn = folder.file("torn.ejp");
    std::filesystem::copy_file(path, torn, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(torn, whole - cut);
    TraceWriter writer;
    ASSERT_TRUE(writer
                    .open(torn.c_str(), Span<std::byte>(reinterpret_cast<std::byte*>(memory.data()), memory.size() * 8),
                          event_capacity)
                    .ok());
    EXPECT_EQ(writer.repaired_bytes(), whole / 3 - cut);
    ASSERT_TRUE(writer.add(sample(99)).ok());
    ASSERT_TRUE(writer.close().ok());
    const Contents contents = read_back(torn);
    ASSERT_EQ(contents.samples.size(), 3U);
    EXPECT_EQ(contents.samples[1].sequence(), 1U);
    EXPECT_EQ(contents.samples[2].sequence(), 99U);
  }
}

TEST_F(TraceWriterTest, LeavesOtherPeoplesFilesAlone) {
  std::ofstream(path) << "my holiday photographs, honestly";
  TraceWriter writer;
  EXPECT_EQ(open(writer).error(), Error::kWrongIdentifier);
  EXPECT_EQ(files::read_file(path).text(), "my holiday photographs, honestly");
}

TEST_F(TraceWriterTest, TwoWritersDoNotMix) {
  TraceWriter first;
  ASSERT_TRUE(open(first).ok());
  std::vector<std::uint64_t> other(memory.size());
  TraceWriter second;
  EXPECT_EQ(second.open(path.c_str(), Span<std::byte>(reinterpret_cast<std::byte*>(other.data()), other.size() * 8), 10)
                .error(),
            Error::kBusy);
}

TEST_F(TraceWriterTest, PlacesThatCannotBeWritten) {
  TraceWriter writer;
  path = folder.file("no/such/folder.ejp");
  EXPECT_EQ(open(writer).error(), Error::kNotFound);
  path = "/dev/null";
  EXPECT_EQ(open(writer).error(), Error::kUnsupported);
  std::byte little[16];
  EXPECT_EQ(writer.open(folder.file("x").c_str(), Span<std::byte>(little), 1).error(), Error::kWorkspaceTooSmall);
}

// A file size limit stands in for the full disk: the same short writes and errors.
TEST_F(TraceWriterTest, AFullDiskLosesNothingThatWasCollected) {
  TraceWriter writer;
  ASSERT_TRUE(open(writer).ok());
  ASSERT_TRUE(writer.add(sample(0)).ok());
  ASSERT_TRUE(writer.flush().ok());
  const auto before = std::filesystem::file_size(path);
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  rlimit tight = old;
  tight.rlim_cur = before + 100;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  for (std::uint32_t i = 1; i <= 20; ++i) ASSERT_TRUE(writer.add(sample(i)).ok());
  EXPECT_EQ(writer.flush().error(), Error::kFull);
  EXPECT_EQ(std::filesystem::file_size(path), before) << "half a frame is taken back";
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, handler);
  ASSERT_TRUE(writer.flush().ok());
  ASSERT_TRUE(writer.close().ok());
  const Contents contents = read_back(path);
  ASSERT_EQ(contents.samples.size(), 21U);
  EXPECT_EQ(contents.samples[20].sequence(), 20U);
}

TEST_F(TraceWriterTest, IsReadableWhileWritten) {
  TraceWriter writer;
  ASSERT_TRUE(open(writer).ok());
  for (std::uint32_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(writer.add(sample(i)).ok());
    ASSERT_TRUE(writer.flush().ok());
    EXPECT_EQ(read_back(path).samples.size(), i + 1U);
  }
}

}  // namespace
}  // namespace edgejoule
