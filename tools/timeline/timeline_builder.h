// Puts spans of a foreign profile in order: threads, names, what lies within what.
//
// Shape: per thread in the order of the ends; the outer span behind what lies in it.
// Instants that a runtime cut to its resolution may stick out of each other by two of its
// steps; that much is straightened. More of it means two clocks or two runs.
// Errors: TimelineError: spans of one thread that overlap without one lying in the other.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "schemas/timeline_generated.h"
#include "timeline/timeline_error.h"

namespace edgejoule::timeline {

inline constexpr std::uint32_t kNoNode = 0xFFFFFFFFU;
inline constexpr std::uint8_t kBeginMissing = 1;  // of Span.flags
inline constexpr std::uint8_t kEndMissing = 2;

struct ProfileSpan {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  std::string name{};
  std::string type{};
  std::uint32_t node = kNoNode;
  wire::SpanKind kind = wire::SpanKind::op;
  std::uint8_t flags = 0;
};

class TimelineBuilder {
 public:
  TimelineBuilder(wire::TimelineSource source, std::int64_t resolution_ns, std::string file_name);

  // The thread of that key, called `name`.
  std::uint16_t thread(const std::string& key, const std::string& name);
  void add(std::uint16_t thread, ProfileSpan span);
  // Ops within ops become inner.
  void only_outermost_ops() { only_outermost_ops_ = true; }
  void note(std::string text);
  // As a profile writes it; what is no number says nothing.
  void process(std::string_view text);

  // What is not of the spans (runtime, clock) may be set here.
  [[nodiscard]] wire::TimelineT& timeline() { return timeline_; }
  [[nodiscard]] wire::TimelineT finish();

 private:
  struct LaidSpan {
    std::int64_t begin_ns = 0;
    std::int64_t end_ns = 0;
    std::uint32_t node = kNoNode;
    std::uint32_t name = 0;
    wire::SpanKind kind = wire::SpanKind::op;
    std::uint8_t flags = 0;
    std::uint8_t depth = 0;
  };
  struct Thread {
    std::map<std::pair<std::string, std::string>, std::uint32_t> names;  // and types
    std::vector<LaidSpan> spans;
  };
  static bool begins_within(const LaidSpan& inner, const LaidSpan& outer);
  void nest(std::uint16_t index);
  [[noreturn]] void overlap(std::uint16_t index, const LaidSpan& outer, const LaidSpan& inner) const;

  wire::TimelineT timeline_;
  std::int64_t tolerance_ns_;
  std::string file_name_;
  bool only_outermost_ops_ = false;
  std::map<std::string, std::uint16_t> thread_of_;
  std::vector<Thread> threads_;
};

}  // namespace edgejoule::timeline
