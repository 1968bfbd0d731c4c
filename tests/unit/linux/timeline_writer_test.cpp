#include "edgejoule/linux/timeline_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <string>
#include <vector>

#include "files/file_bytes.h"
#include "files/file_kinds.h"
#include "files/io.h"
#include "files/json.h"
#include "schemas/timeline_generated.h"
#include "support/temporary_folder.h"

namespace edgejoule {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

static_assert(sizeof(wire::Span) == sizeof(TimelineSpan));
static_assert(static_cast<int>(wire::SpanKind::gap) == static_cast<int>(SpanKind::kGap) &&
              static_cast<int>(wire::SpanKind::inner) == static_cast<int>(SpanKind::kInner));

// A ring and what is put into it, as a runtime's hooks would.
class Program {
 public:
  explicit Program(std::size_t markers = 256)
      : memory_(MarkerRing::required_bytes(markers, 4096) / 8 + 1),
        ring(*MarkerRing::create({reinterpret_cast<std::byte*>(memory_.data()), memory_.size() * 8}, 4096)) {}
  void put(MarkerKind kind, std::int64_t t, std::uint32_t node, const char* name, std::uint8_t part = 0) {
    ring.put(kind, t, node, part, ring.name_index(name, node));
  }
  void op(std::int64_t begin, std::int64_t end, std::uint32_t node, const char* name) {
    put(MarkerKind::kOpBegin, begin, node, name);
    put(MarkerKind::kOpEnd, end, node, name);
  }

 private:
  std::vector<std::uint64_t> memory_;

 public:
  MarkerRing ring;
};

class TimelineFile : public ::testing::Test {
 protected:
  Status open(std::size_t threads = 4, const TimelineInfo& info = {}) {
    memory_.resize((TimelineWriter::required_bytes(threads) + 7) / 8);
    return writer_.open(path_.c_str(), info, {reinterpret_cast<std::byte*>(memory_.data()), memory_.size() * 8});
  }
  // Verified, then through text and back, as everybody reads it.
  wire::TimelineT read() {
    const files::FileBytes bytes = files::read_file(path_);
    EXPECT_EQ(files::kind_of(bytes.span()), files::FileKind::kTimeline);
    EXPECT_TRUE(files::info_of(files::FileKind::kTimeline).verify(bytes.span()));
    const std::string json = files::to_json(bytes.span(), files::FileKind::kTimeline, path_);
    const files::FileBytes back = files::from_json(json, files::FileKind::kTimeline, path_);
    EXPECT_EQ(files::to_json(back.span(), files::FileKind::kTimeline, path_), json);
    wire::TimelineT timeline;
    wire::GetTimeline(bytes.span().data())->UnPackTo(&timeline);
    return timeline;
  }
  // "10-20 op 3 CONV_2D", with the depth as leading dots; what is missing as "?".
  static std::vector<std::string> text_of(const wire::TimelineT& timeline, std::uint16_t thread = 0) {
    std::vector<std::string> out;
    for (const wire::Span& span : timeline.spans) {
      if (span.thread() != thread) continue;
      std::string text(span.depth(), '.');
      text += (span.flags() & kBeginMissing) != 0 ? "?" : std::to_string(span.begin_ns());
      text += "-";
      text += (span.flags() & kEndMissing) != 0 ? "?" : std::to_string(span.end_ns());
      text += std::string(" ") + wire::EnumNameSpanKind(span.kind());
      if (span.node() != kNoMarkedNode) text += " " + std::to_string(span.node());
      const std::string& name = timeline.threads.at(thread)->names.at(span.name());
      if (!name.empty()) text += " " + name;
      out.push_back(text);
    }
    return out;
  }

  test::TemporaryFolder folder_;
  std::string path_ = folder_.file("run.ejl");
  std::vector<std::uint64_t> memory_;
  TimelineWriter writer_;
};

TEST_F(TimelineFile, HoldsWhatRan) {
  Program program;
  ASSERT_TRUE(open(2, {"sample runtime 1.0", "net.tflite", "0011", true}).ok());
  ASSERT_TRUE(writer_.add_thread(program.ring, "interpreter").ok());
  program.put(MarkerKind::kInferenceBegin, 100, kNoMarkedNode, "invoke");
  program.op(110, 150, 0, "CONV_2D");
  program.put(MarkerKind::kOpBegin, 150, 7, "DELEGATE", 1);
  program.put(MarkerKind::kInnerBegin, 155, 0, "conv");
  program.put(MarkerKind::kInnerEnd, 165, 0, "conv");
  program.put(MarkerKind::kOpEnd, 170, 7, "DELEGATE", 1);
  program.put(MarkerKind::kInferenceEnd, 180, kNoMarkedNode, "invoke");
  ASSERT_TRUE(writer_.close().ok());

  const wire::TimelineT timeline = read();
  EXPECT_THAT(text_of(timeline), ElementsAre(".110-150 op 0 CONV_2D", "..155-165 inner 0 conv",
                                             ".150-170 op 7 DELEGATE", "100-180 inference invoke"));
  EXPECT_EQ(timeline.spans[2].part(), 1U);
  EXPECT_EQ(timeline.format_version, 1U);
  EXPECT_EQ(timeline.kind, wire::TimelineKind::instants);
  EXPECT_EQ(timeline.source, wire::TimelineSource::markers);
  EXPECT_EQ(timeline.clock, wire::TimelineClock::monotonic);
  EXPECT_EQ(timeline.offset_ns, 0);
  EXPECT_GT(timeline.realtime_offset_ns.value_or(0), 0);
  EXPECT_EQ(timeline.tool_version, "0.1.0");
  EXPECT_EQ(timeline.runtime, "sample runtime 1.0");
  EXPECT_EQ(timeline.model, "net.tflite");
  EXPECT_EQ(timeline.model_sha256, "0011");
  ASSERT_THAT(timeline.threads, SizeIs(1));
  EXPECT_EQ(timeline.threads[0]->name, "interpreter");
  EXPECT_THAT(timeline.threads[0]->names, ElementsAre("", "invoke", "CONV_2D", "DELEGATE", "conv"));
}

TEST_F(TimelineFile, IsWholeBeforeDuringAndAfter) {
  Program first;
  Program second;
  ASSERT_TRUE(open().ok());
  EXPECT_THAT(read().spans, IsEmpty());
  ASSERT_TRUE(writer_.add_thread(first.ring, "a thread with a name of more than 31 bytes").ok());
  ASSERT_TRUE(writer_.add_thread(second.ring, "").ok());
  std::int64_t t = 0;
  std::vector<std::string> expected;
  for (int round = 0; round < 40; ++round) {
    for (int i = 0; i < 100; ++i, t += 2) {
      const std::string name = "op number " + std::to_string(round);
      first.op(t, t + 1, static_cast<std::uint32_t>(i), name.c_str());
      second.op(t, t + 1, 5, "x");
      expected.push_back(std::to_string(t) + "-" + std::to_string(t + 1) + " op " + std::to_string(i) + " " + name);
    }
    ASSERT_TRUE(writer_.drain().ok());
    const wire::TimelineT timeline = read();  // as if the program were killed now
    EXPECT_EQ(text_of(timeline, 0), expected);
    EXPECT_THAT(text_of(timeline, 1), SizeIs(expected.size()));
  }
  ASSERT_TRUE(writer_.close().ok());
  const wire::TimelineT timeline = read();
  EXPECT_EQ(text_of(timeline, 0), expected);
  EXPECT_EQ(timeline.threads[0]->name, "a thread with a name of more th");
  EXPECT_EQ(writer_.spans(), 2 * expected.size());
}

TEST_F(TimelineFile, PairsAcrossDrains) {
  Program program;
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(writer_.add_thread(program.ring, "t").ok());
  program.put(MarkerKind::kOpBegin, 1, 3, "a");
  ASSERT_TRUE(writer_.drain().ok());
  EXPECT_THAT(read().spans, IsEmpty());
  program.put(MarkerKind::kOpEnd, 9, 3, "a");
  ASSERT_TRUE(writer_.close().ok());
  EXPECT_THAT(text_of(read()), ElementsAre("1-9 op 3 a"));
}

TEST_F(TimelineFile, SaysWhatHasNoEndOrNoBeginning) {
  Program program;
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(writer_.add_thread(program.ring, "t").ok());
  program.put(MarkerKind::kOpEnd, 5, 0, "before we began");
  program.put(MarkerKind::kInferenceBegin, 10, kNoMarkedNode, "run");
  program.put(MarkerKind::kOpBegin, 11, 1, "outer");
  program.put(MarkerKind::kInnerBegin, 12, 2, "thrown out of");
  program.put(MarkerKind::kOpEnd, 20, 1, "outer");
  program.put(MarkerKind::kInferenceBegin, 30, kNoMarkedNode, "run");  // the first never ended
  program.put(MarkerKind::kOpBegin, 31, 1, "still running");
  ASSERT_TRUE(writer_.close().ok());
  EXPECT_THAT(text_of(read()),
              ElementsAre("?-5 op 0 before we began", "..12-? inner 2 thrown out of", ".11-20 op 1 outer",
                          "10-? inference run", ".31-? op 1 still running", "30-? inference run"));
}

TEST_F(TimelineFile, ShowsWhereMarkersWereLost) {
  Program program(16);
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(writer_.add_thread(program.ring, "t").ok());
  program.put(MarkerKind::kInferenceBegin, 0, kNoMarkedNode, "run");
  for (std::uint32_t i = 0; i < 7; ++i) program.op(10 * i + 1, 10 * i + 9, i, "op");
  program.put(MarkerKind::kOpBegin, 71, 7, "op");  // the ring is full: its end is lost, and the next op
  program.put(MarkerKind::kOpEnd, 79, 7, "op");
  program.op(81, 89, 8, "op");
  ASSERT_TRUE(writer_.drain().ok());
  program.op(91, 99, 9, "op");
  program.put(MarkerKind::kInferenceEnd, 100, kNoMarkedNode, "run");
  for (std::uint32_t i = 0; i < 20; ++i) program.op(101, 102, i, "at the end");
  ASSERT_TRUE(writer_.close().ok());
  const wire::TimelineT timeline = read();
  const std::vector<std::string> text = text_of(timeline);
  ASSERT_GT(text.size(), 13U);
  EXPECT_EQ(text[6], ".61-69 op 6 op");
  EXPECT_EQ(text[7], "..79-91 gap 3");
  EXPECT_EQ(text[8], ".71-? op 7 op");
  EXPECT_EQ(text[9], ".91-99 op 9 op");
  EXPECT_EQ(text[10], "0-100 inference run");
  std::uint64_t told = 0;
  for (const wire::Span& span : timeline.spans) {
    if (span.kind() == wire::SpanKind::gap) told += span.node();
  }
  EXPECT_EQ(told, timeline.threads[0]->lost);
  EXPECT_EQ(told, program.ring.lost());
  EXPECT_GT(told, 3U);
}

TEST_F(TimelineFile, KeepsALongOpThatCrossesAGap) {
  Program program(16);
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(writer_.add_thread(program.ring, "t").ok());
  program.put(MarkerKind::kOpBegin, 0, 1, "long");
  for (int i = 0; i < 20; ++i) {
    program.put(MarkerKind::kInnerBegin, 10 * i, 2, "step");
    program.put(MarkerKind::kInnerEnd, 10 * i + 5, 2, "step");
  }
  ASSERT_TRUE(writer_.drain().ok());
  program.put(MarkerKind::kOpEnd, 500, 1, "long");
  ASSERT_TRUE(writer_.close().ok());
  EXPECT_EQ(text_of(read()).back(), "0-500 op 1 long");
}

TEST_F(TimelineFile, OutlivesBeginningsWithoutEnd) {
  Program program(1024);
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(writer_.add_thread(program.ring, "t").ok());
  for (std::uint32_t i = 0; i < 200; ++i) program.put(MarkerKind::kInnerBegin, i, i, "x");
  ASSERT_TRUE(writer_.close().ok());
  EXPECT_THAT(read().spans, SizeIs(200));
}

TEST_F(TimelineFile, ReplacesATimelineAndNothingElse) {
  Program program;
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(writer_.add_thread(program.ring, "t").ok());
  program.op(1, 2, 3, "old");
  TimelineWriter other;
  std::vector<std::uint64_t> memory(memory_.size());
  const Span<std::byte> bytes{reinterpret_cast<std::byte*>(memory.data()), memory.size() * 8};
  const Status busy = other.open(path_.c_str(), {}, bytes);
  ASSERT_FALSE(busy.ok());
  EXPECT_EQ(busy.error(), Error::kBusy);
  ASSERT_TRUE(writer_.close().ok());
  ASSERT_THAT(read().spans, SizeIs(1));
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(writer_.close().ok());
  EXPECT_THAT(read().spans, IsEmpty());

  files::write_file(path_, "a photograph");
  const Status foreign = open();
  ASSERT_FALSE(foreign.ok());
  EXPECT_EQ(foreign.error(), Error::kWrongIdentifier);
  EXPECT_EQ(files::read_file(path_).text(), "a photograph");
}

TEST_F(TimelineFile, RefusesWhatItCannotHold) {
  memory_.resize(TimelineWriter::required_bytes(1) / 8 + 1);
  auto* const bytes = reinterpret_cast<std::byte*>(memory_.data());
  const auto error_of = [](Status status) { return status ? Error{} : status.error(); };
  EXPECT_EQ(error_of(writer_.open(path_.c_str(), {}, {bytes, TimelineWriter::required_bytes(1) - 1})),
            Error::kWorkspaceTooSmall);
  EXPECT_EQ(error_of(writer_.open(path_.c_str(), {}, {bytes + 4, memory_.size() * 8 - 4})), Error::kMisaligned);
  TimelineInfo long_winded;
  const std::string text(5000, 'x');
  long_winded.model = text;
  EXPECT_EQ(error_of(open(1, long_winded)), Error::kTooLarge);
  EXPECT_EQ(error_of(writer_.open((path_ + "/below/a/file").c_str(), {}, {bytes, memory_.size() * 8})),
            Error::kNotFound);
  Program program;
  EXPECT_EQ(error_of(writer_.add_thread(program.ring, "t")), Error::kInvalidArgument);  // not open
  EXPECT_EQ(error_of(writer_.drain()), Error::kInvalidArgument);
  ASSERT_TRUE(open(1).ok());
  EXPECT_TRUE(writer_.add_thread(program.ring, "t").ok());
  EXPECT_EQ(error_of(writer_.add_thread(program.ring, "u")), Error::kFull);
  ASSERT_TRUE(writer_.close().ok());
  const std::string as_long_as_may_be(4096, 'x');
  TimelineWriter other;
  std::vector<std::uint64_t> memory(TimelineWriter::required_bytes(1) / 8 + 1);
  ASSERT_TRUE(other
                  .open(folder_.file("long.ejl").c_str(),
                        {as_long_as_may_be, as_long_as_may_be, as_long_as_may_be, false},
                        {reinterpret_cast<std::byte*>(memory.data()), memory.size() * 8})
                  .ok());
  ASSERT_TRUE(other.close().ok());
  path_ = folder_.file("long.ejl");
  const wire::TimelineT timeline = read();
  EXPECT_EQ(timeline.model_sha256, as_long_as_may_be);
  EXPECT_EQ(timeline.clock, wire::TimelineClock::unknown);
  EXPECT_FALSE(timeline.offset_ns.has_value());
  EXPECT_FALSE(timeline.realtime_offset_ns.has_value());
}

TEST_F(TimelineFile, StaysReadableWhenTheDiskIsFull) {
  Program program(4096);
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(writer_.add_thread(program.ring, "t").ok());
  for (std::uint32_t i = 0; i < 10; ++i) program.op(i, i + 1, i, "kept");
  ASSERT_TRUE(writer_.drain().ok());
  for (std::uint32_t i = 0; i < 2000; ++i) program.op(i, i + 1, i, "too many");

  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{20'000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const Status status = writer_.drain();
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error(), Error::kFull);
  EXPECT_THAT(read().spans, SizeIs(10));
  program.op(90'000, 90'001, 1, "again room");
  ASSERT_TRUE(writer_.close().ok());
  EXPECT_EQ(text_of(read()).back(), "90000-90001 op 1 again room");
}

}  // namespace
}  // namespace edgejoule
