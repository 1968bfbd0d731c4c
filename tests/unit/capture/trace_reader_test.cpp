#include "capture/trace_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "capture/session.h"
#include "edgejoule/linux/trace_frame.h"
#include "files/io.h"
#include "support/temporary_folder.h"

namespace edgejoule::capture {
namespace {

using ::testing::HasSubstr;

// A file of `recordings` recordings with `frames` frames of two samples each.
class TraceReaderTest : public ::testing::Test {
 protected:
  std::string write(int recordings, std::uint32_t frames) {
    const std::string path = folder.file("trace.ejp");
    std::vector<std::uint64_t> memory(20'000);
    for (int r = 0; r < recordings; ++r) {
      TraceWriter writer;
      EXPECT_TRUE(
          writer.open(path.c_str(), Span<std::byte>(reinterpret_cast<std::byte*>(memory.data()), memory.size() * 8), 16)
              .ok());
      Discovery found;
      FoundRail rail;
      rail.label = "RAIL " + std::to_string(r);
      const std::vector<std::byte> session = session_frame(found, {rail}, {});
      EXPECT_TRUE(writer.write_session(Span<const std::byte>(session.data(), session.size())).ok());
      for (std::uint32_t i = 0; i < frames; ++i) {
        for (std::uint32_t k = 0; k < 2; ++k) {
          PowerSample sample;
          sample.sequence = 2 * i + k;
          sample.window_begin_ns = 100 * (sample.sequence + 1);
          sample.window_end_ns = sample.window_begin_ns + 50;
          EXPECT_TRUE(writer.add(sample).ok());
        }
        TraceEvent event;
        event.kind = EventKind::kLost;
        event.value = i;
        EXPECT_TRUE(writer.add(event).ok());
        EXPECT_TRUE(writer.flush().ok());
      }
    }
    return path;
  }
  test::TemporaryFolder folder;
};

TEST_F(TraceReaderTest, SeveralRecordingsInOneFile) {
  const Trace trace = read_trace(write(2, 3));
  ASSERT_EQ(trace.recordings.size(), 2U);
  EXPECT_EQ(trace.frames, 8U);
  EXPECT_EQ(trace.damaged_bytes, 0U);
  EXPECT_EQ(trace.missing_frames, 0U);
  EXPECT_EQ(trace.recordings[1].session.rails[0]->label, "RAIL 1");
  EXPECT_EQ(trace.recordings[1].samples.size(), 6U);
  EXPECT_EQ(trace.recordings[1].samples[5].sequence, 5U);
  EXPECT_EQ(trace.recordings[1].events.size(), 3U);
  EXPECT_EQ(trace.recordings[0].begin_ns(), 100);
  EXPECT_EQ(trace.recordings[0].end_ns(), 650);
}

TEST_F(TraceReaderTest, DamageIsSkippedAndCounted) {
  const files::FileBytes whole = files::read_file(write(1, 3));
  std::vector<std::byte> bytes(whole.span().begin(), whole.span().end());
  const Span<const std::byte> view(bytes.data(), bytes.size());
  const FoundFrame session = next_frame(view, 0);
  const FoundFrame first = next_frame(view, session.end);
  bytes[first.offset + 40] ^= std::byte{4};
  bytes.resize(bytes.size() - 3);
  const Trace trace = parse_trace(Span<const std::byte>(bytes.data(), bytes.size()), "damaged");
  ASSERT_EQ(trace.recordings.size(), 1U);
  EXPECT_EQ(trace.recordings[0].samples.size(), 2U) << "the middle one of three frames";
  EXPECT_EQ(trace.missing_frames, 1U);
  EXPECT_GT(trace.damaged_bytes, first.end - first.offset);
}

TEST_F(TraceReaderTest, SamplesWithoutASessionAreNotGuessed) {
  const files::FileBytes whole = files::read_file(write(1, 2));
  const FoundFrame session = next_frame(whole.span(), 0);
  const Trace trace = parse_trace(whole.span().subspan(session.end, whole.size() - session.end), "headless");
  EXPECT_TRUE(trace.recordings.empty());
  EXPECT_EQ(trace.orphans, 2U);
}

TEST_F(TraceReaderTest, OtherFilesAreRefused) {
  for (const std::string& text : {std::string(), std::string("not a trace"), std::string(5'000, '\0')}) {
    try {
      (void)parse_trace(Span<const std::byte>(reinterpret_cast<const std::byte*>(text.data()), text.size()), "x.ejp");
      FAIL();
    } catch (const files::FileError& error) {
      EXPECT_THAT(error.what(), HasSubstr("x.ejp: no frame of a power trace"));
    }
  }
}

TEST_F(TraceReaderTest, AForgedFrameIsNotBelieved) {
  // A right checksum over bytes that are no TraceFrame.
  std::vector<std::byte> bytes(16 + 64);
  FrameHeader header;
  header.magic = kFrameMagic;
  header.size = 64;
  for (std::size_t i = 16; i < bytes.size(); ++i) bytes[i] = std::byte{0xAA};
  header.crc = frame_crc(header, Span<const std::byte>(bytes.data() + 16, 64));
  std::memcpy(bytes.data(), &header, sizeof(header));
  const Trace trace = parse_trace(Span<const std::byte>(bytes.data(), bytes.size()), "forged");
  EXPECT_TRUE(trace.recordings.empty());
  EXPECT_EQ(trace.damaged_bytes, bytes.size());
}

}  // namespace
}  // namespace edgejoule::capture
