// What a running program really draws: the table's joules, corrected live by the samples
// of a rail, without memory of its own beyond itself.
//
// Model: watts of a sample = gain * predicted dynamic watts + static watts, both found by
// recursive least squares that forget. Predicted work is seen through the sensor's own
// response: the mean over a box, or an exponential filter.
// Units: as PowerSample; joules and watts at the boundary of the rail.
// Time: the clock of the samples. Work and samples each come in the order of their ends;
// one may run ahead of the other. A sample is learned from once work is known up to the
// end of its window (kWaiting samples are kept), so report idle time with idle_until().
// Not learned from: what is clipped or averaged nobody knows how, windows older than what
// is remembered, and readings that repeat to the microwatt while the predicted power
// moves (a stuck sensor). Surprises beyond six times the usual error count as that much.
// Where the stated windows are not quite the sensor's, edges of work blur and the gain
// comes out too small (by 8 %: work of 90 ms through an emulated INA219 at 16 averages).
// Lifetime: owns everything; may be copied. Not thread-safe.
// Source: Ljung, System Identification (1999), chapter 11: RLS with exponential
// forgetting; the covariance never grows beyond where it started.
#pragma once

#include <cstdint>

#include "edgejoule/core/power_sample.h"
#include "edgejoule/core/result.h"
#include "edgejoule/core/units.h"

namespace edgejoule {

struct MeterOptions {
  Seconds memory{30.0F};     // a sample counts 1/e as much after as long
  Watts static_power{0.0F};  // where to start: TablePlan::static_power, or what idle draws
  Watts static_doubt{5.0F};  // one standard deviation of it
  float gain_doubt = 0.5F;   // of the gain, which starts at 1
};

enum class MeterUse : std::uint8_t {
  kLearned = 0,
  kWaiting = 1,  // for work up to the end of its window; of more than eight the oldest go
  kCounted = 2   // its joules alone: clipped, of unknown response, too old, stuck, or the
                 // sensor still remembers what was before the first sample
};

struct MeterReading {
  Joules since_mark;             // what the rail measured
  Joules bridged;                // of these what the model filled in where samples are missing
  Watts now;                     // of the newest sample
  std::uint32_t inferences = 0;  // reported since the mark
  Joules per_inference{-1.0F};   // gain * predicted + static * time of the work; negative: none ran
  float gain = 1.0F;
  Watts static_power;
  float gain_sigma = 0.0F;    // how well the gain is known: one standard deviation
  std::uint32_t learned = 0;  // samples, since the start
  std::uint32_t not_learned = 0;
  bool stuck = false;  // the sensor repeats itself while the work changes
};

class Meter {
 public:
  // Forgets everything. Before it, and after an error of it, nothing else may be called.
  // Errors: kInvalidArgument (options that are not finite or not above zero).
  [[nodiscard]] Status start(const MeterOptions& options) noexcept;

  // Work that ran in [begin, end): its predicted dynamic joules, and how many inferences
  // it completed. Errors: kInvalidArgument (joules not finite or negative, an empty span, or
  // one that begins before the last one ended).
  [[nodiscard]] Status add_work(std::int64_t begin_ns, std::int64_t end_ns, Joules predicted,
                                std::uint32_t inferences = 1) noexcept;
  // Nothing runs before `t`, beyond what was reported. Earlier times change nothing.
  void idle_until(std::int64_t t_ns) noexcept;

  // Samples of one rail. Errors: kInvalidArgument (not after the last one, an empty window, no
  // cycle), kNoData (a sample without power: an overflow or a counter that was cleared).
  [[nodiscard]] Result<MeterUse> add_sample(const PowerSample& sample) noexcept;

  // Joules and inferences count from the newest sample on.
  void mark() noexcept;
  [[nodiscard]] MeterReading read() const noexcept;

 private:
  static constexpr std::uint32_t kSpans = 48;
  static constexpr std::uint32_t kMostWaiting = 8;

  // Work since the end of the span before.
  struct WorkSpan {
    std::int64_t end_ns;
    float joules;
  };
  struct Window {
    std::int64_t begin_ns;
    std::int64_t end_ns;
    std::int64_t power_uw;
    float keeps;  // share of the sensor's earlier output in it: 0 for a box
    bool sound;
  };

  void add_span(std::int64_t end_ns, float joules) noexcept;
  [[nodiscard]] float watts_between(std::int64_t begin_ns, std::int64_t end_ns) const noexcept;
  void learn_from_waiting() noexcept;
  [[nodiscard]] bool learn(const Window& window) noexcept;
  void update(float predicted_watts, float watts, float seconds) noexcept;
  void count(const PowerSample& sample) noexcept;

  MeterOptions options_;
  WorkSpan spans_[kSpans];  // the oldest first
  std::uint32_t span_count_;
  std::uint32_t waiting_count_;
  Window waiting_[kMostWaiting];
  std::int64_t first_ns_;  // work is known from here
  std::int64_t known_ns_;  // to here
  std::int64_t gap_ns_;    // spans shorter than this are put together
  std::int64_t sample_ns_;
  std::int64_t power_uw_;  // of the newest sample
  std::int64_t since_mark_nj_;
  std::int64_t bridged_nj_;
  std::int64_t work_ns_;
  std::int64_t learned_uw_;  // the reading that was learned from last
  float learned_watts_;      // and what was predicted when it first stood there
  float filtered_watts_;     // predicted, as an exponential sensor shows it
  float start_share_;        // of what was before the first sample
  float work_joules_;
  float work_lost_;  // rounding (Kahan)
  std::uint32_t inferences_;
  float gain_;
  float static_watts_;
  float gain_variance_;
  float static_variance_;
  float covariance_;
  float error_variance_;  // of a sample, followed; 0: none yet
  std::uint32_t learned_;
  std::uint32_t not_learned_;
  std::uint32_t repeated_;  // samples that repeat while the work changes
  bool has_sample_;
  bool has_work_;
};

}  // namespace edgejoule
