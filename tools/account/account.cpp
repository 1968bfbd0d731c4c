#include "account/account.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "account/inferences.h"
#include "account/sample_times.h"
#include "text/escape.h"

namespace edgejoule::account {
namespace {

using capture::Recording;
using text::printable;

constexpr double kNanosecond = 1e-9;
constexpr std::int64_t kClockStepNs = 2'000'000'000;  // wall clocks of one boot agree to this

std::vector<std::size_t> rails_of(const Recording& recording, const std::vector<std::string>& labels) {
  std::vector<std::size_t> rails;
  std::string known;
  for (std::size_t i = 0; i < recording.session.rails.size(); ++i) {
    const wire::TraceRailT& rail = *recording.session.rails[i];
    known += (known.empty() ? "" : ", ") + printable(rail.label);
    const bool named = std::find(labels.begin(), labels.end(), rail.label) != labels.end();
    if (labels.empty() ? rail.in_total : named) rails.push_back(i);
  }
  if (rails.empty() || (!labels.empty() && rails.size() < labels.size())) {
    throw AccountError(fmt::format("{}; the trace has the rails {}: name those to account with --rail",
                                   labels.empty() ? "no rail of the trace is marked as part of the board's total"
                                                  : "a rail asked for is not in the trace",
                                   known.empty() ? "none" : known));
  }
  return rails;
}

std::int64_t offset_of(const wire::TimelineT& timeline, const Recording& recording, const AccountOptions& options) {
  if (options.offset_ns) return *options.offset_ns;
  if (timeline.offset_ns.has_value()) return *timeline.offset_ns;
  if (timeline.clock == wire::TimelineClock::monotonic) return 0;
  if (timeline.clock == wire::TimelineClock::realtime && recording.session.started_unix_ns != 0) {
    return recording.session.started_mono_ns - recording.session.started_unix_ns;
  }
  throw AccountError(fmt::format(
      "the timeline's clock ({}) is not the power trace's, and it does not say how far they are apart: record the run "
      "with markers (their clock is CLOCK_MONOTONIC), or give --offset-ns",
      wire::EnumNameTimelineClock(timeline.clock)));
}

double seconds_between(std::int64_t begin_ns, std::int64_t end_ns) {
  return static_cast<double>(end_ns - begin_ns) * kNanosecond;
}

TimeSpan seen_by(const Recording& recording, const std::vector<std::size_t>& rails) {
  TimeSpan seen{std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};
  for (const std::size_t rail : rails) {
    TimeSpan own{std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()};
    for (const PowerSample& sample : recording.samples) {
      if (sample.rail != rail) continue;
      own.begin_ns = std::min(own.begin_ns, sample.window_begin_ns);
      own.end_ns = std::max(own.end_ns, sample.window_end_ns);
    }
    if (own.begin_ns >= own.end_ns) {
      throw AccountError(
          fmt::format("the rail {} has no sample in the trace: check its sensor with edge-calibrate probe",
                      printable(recording.session.rails[rail]->label)));
    }
    seen.begin_ns = std::max(seen.begin_ns, own.begin_ns);
    seen.end_ns = std::min(seen.end_ns, own.end_ns);
  }
  return seen;
}

// Markers or the window of `record` lie elsewhere than the run: it was another one.
void require_same_run(const Recording& recording, const wire::TimelineT& timeline, TimeSpan run) {
  if (timeline.realtime_offset_ns.has_value() && recording.session.started_unix_ns != 0) {
    const std::int64_t trace = recording.session.started_unix_ns - recording.session.started_mono_ns;
    const std::int64_t apart = trace - *timeline.realtime_offset_ns;
    if (std::abs(apart) > kClockStepNs) {
      throw AccountError(fmt::format(
          "the trace and the timeline are of different boots: their wall clocks stand {:.1f} s apart at the same "
          "monotonic time. Take the trace that was recorded with this timeline",
          static_cast<double>(apart) * kNanosecond));
    }
  }
  double marked = 0, inside = 0;
  const auto count = [&](std::int64_t begin_ns, std::int64_t end_ns) {
    marked += seconds_between(begin_ns, end_ns);
    inside += std::max(0.0, seconds_between(std::max(begin_ns, run.begin_ns), std::min(end_ns, run.end_ns)));
  };
  std::optional<std::int64_t> high, window;
  for (const TraceEvent& event : recording.events) {
    if (event.kind == EventKind::kMarkerRising && !high) high = event.begin_ns;
    if (event.kind == EventKind::kMarkerFalling && high) count(*std::exchange(high, {}), event.begin_ns);
    if (event.kind == EventKind::kWindowBegin) window = event.begin_ns;
    if (event.kind == EventKind::kWindowEnd && window) count(*std::exchange(window, {}), event.begin_ns);
  }
  if (marked > 0 && inside == 0) {
    throw AccountError(fmt::format(
        "marker mismatch: the trace marks {:.3f} s of work, and none of it while the timeline's ops ran ({:.3f} to "
        "{:.3f} s of the monotonic clock). Take the trace that was recorded with this timeline",
        marked, static_cast<double>(run.begin_ns) * kNanosecond, static_cast<double>(run.end_ns) * kNanosecond));
  }
}

// Where no conversion of a rail ended for several cycles.
std::vector<TimeSpan> blind_spans(const std::vector<PowerSample>& samples, TimeSpan within) {
  constexpr std::int64_t kCycles = 4;
  std::vector<TimeSpan> blind;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    const std::int64_t apart = samples[i].window_end_ns - samples[i - 1].window_end_ns;
    const std::int64_t cycle_ns =
        std::max<std::int64_t>(samples[i].cycle_ns, samples[i].window_end_ns - samples[i].window_begin_ns);
    if (apart <= kCycles * cycle_ns) continue;
    const TimeSpan hole{std::max(samples[i - 1].window_end_ns, within.begin_ns),
                        std::min(samples[i].window_begin_ns, within.end_ns)};
    if (hole.end_ns > hole.begin_ns) blind.push_back(hole);
  }
  return blind;
}

class Accounting {
 public:
  Accounting(const Recording& recording, const wire::TimelineT& timeline, const AccountOptions& options)
      : recording_(recording), options_(options), rails_(rails_of(recording, options.rails)) {
    result_.offset_ns = offset_of(timeline, recording, options);
    within_ = seen_by(recording, rails_);
    const TimeSpan own = extent_of(timeline);
    const TimeSpan run{own.begin_ns + result_.offset_ns, own.end_ns + result_.offset_ns};
    require_same_run(recording, timeline, run);
    result_.run = activities_of(timeline, result_.offset_ns, within_);
    result_.board = recording.session.board;
    for (const std::size_t rail : rails_) result_.rails.push_back(recording.session.rails[rail]->label);
  }

  Account finish() {
    solve_power();
    count_time();
    share();
    sum_up();
    account_inferences();
    note();
    result_.typical = typical_inference(result_.run, result_.watts, result_.was_seen, only_rail_);
    return std::move(result_);
  }

 private:
  void solve_power() {
    const std::size_t count = result_.run.sets.size();
    result_.watts.assign(count, 0);
    result_.covariance.assign(count * count, 0);
    result_.was_seen.assign(count, true);
    double covered = 0;
    for (const std::size_t rail : rails_) {
      std::vector<PowerSample> samples;
      for (const PowerSample& sample : recording_.samples) {
        if (sample.rail == rail) samples.push_back(sample);
      }
      std::sort(samples.begin(), samples.end(),
                [](const PowerSample& a, const PowerSample& b) { return a.window_end_ns < b.window_end_ns; });
      double least = std::numeric_limits<double>::infinity(), most = -least;
      for (const PowerSample& sample : samples) {
        least = std::min(least, static_cast<double>(sample.power_uw) * 1e-6);
        most = std::max(most, static_cast<double>(sample.power_uw) * 1e-6);
      }
      align::AlignOptions options;
      options.quantum_watts = static_cast<double>(recording_.session.rails[rail]->quantum_uw) * 1e-6;
      // Wide enough to say nothing of what was seen.
      options.prior_watts = std::max(1.0, 3 * (most - least));
      straighten(samples);
      const SampleDelay late = find_delay(samples, result_.run.spans, count, options);
      delay(samples, late.ns);
      if (late.is_certain) {
        result_.notes.push_back(
            fmt::format("{}: conversions ended {:+.0f} us from where the trace has them; the ops of "
                        "the run tell, and it is corrected",
                        printable(recording_.session.rails[rail]->label), static_cast<double>(late.ns) * 1e-3));
      }
      const align::Alignment found = align::align(samples, result_.run.spans, count, options);
      if (found.samples == 0) {
        throw AccountError(fmt::format("no sample of the rail {} can be used ({} are clipped, or of a broken counter)",
                                       printable(recording_.session.rails[rail]->label), found.left_out));
      }
      for (std::size_t a = 0; a < count; ++a) {
        result_.watts[a] += found.activities[a].watts;
        if (std::isinf(found.activities[a].standard_error)) result_.was_seen[a] = false;
      }
      for (std::size_t i = 0; i < count * count; ++i) result_.covariance[i] += found.covariance[i];
      result_.samples += found.samples;
      covered += found.covered / static_cast<double>(rails_.size());
      const std::vector<TimeSpan> blind = blind_spans(samples, within_);
      blind_.insert(blind_.end(), blind.begin(), blind.end());
      add_samples(samples);
      add_inferences(samples, found);
      if (rails_.size() == 1) only_rail_ = std::move(samples);
    }
    result_.covered = std::min(covered, 1.0);
    blind_ = timeline::united(std::move(blind_));
  }

  void add_inferences(const std::vector<PowerSample>& samples, const align::Alignment& found) {
    std::vector<double> watts;
    for (const align::ActivityPower& activity : found.activities) watts.push_back(activity.watts);
    const std::vector<InferencePower> own = power_of_inferences(result_.run, samples, watts, found.residual_watts);
    if (inference_power_.empty()) {
      inference_power_ = own;
      return;
    }
    for (std::size_t i = 0; i < own.size(); ++i) {
      InferencePower& sum = inference_power_[i];
      sum.watts += own[i].watts;
      sum.variance += own[i].variance;
      sum.samples = std::min(sum.samples, own[i].samples);
      sum.is_known = sum.is_known && own[i].is_known;
    }
  }

  void account_inferences() {
    for (std::size_t i = 0; i < result_.run.inferences.size(); ++i) {
      const InferencePower& power = inference_power_[i];
      InferenceAccount& inference = result_.inferences.emplace_back();
      inference.samples = power.samples;
      if (!power.is_known) continue;
      const double seconds = result_.run.inferences[i].seconds();
      const double error = std::sqrt(power.variance) * seconds;
      inference.total = {power.watts * seconds, error};
      inference.dynamic = {(power.watts - result_.idle_watts) * seconds, error};
      const Energy& own = result_.has_idle ? inference.dynamic : inference.total;
      inference.is_resolved = kInterval90 * error <= 0.5 * std::abs(own.joules);
    }
  }

  void add_samples(const std::vector<PowerSample>& samples) {
    double mean = 0, squares = 0, held = 0;
    std::size_t n = 0;
    for (std::size_t i = 1; i < samples.size(); ++i) {
      const std::int64_t from_ns = std::max(samples[i - 1].window_end_ns, within_.begin_ns);
      const std::int64_t to_ns = std::min(samples[i].window_end_ns, within_.end_ns);
      if (to_ns <= from_ns) continue;
      const double watts = static_cast<double>(samples[i].power_uw) * 1e-6;
      const std::int64_t cycle_ns = std::max<std::int64_t>(samples[i].cycle_ns, 1);
      // Across a hole it stands for its own cycle only.
      const double seconds = to_ns - from_ns > 4 * cycle_ns ? static_cast<double>(cycle_ns) * kNanosecond
                                                            : seconds_between(from_ns, to_ns);
      result_.sampled_joules += watts * seconds;
      held += seconds;
      const double apart = watts - mean;
      mean += apart / static_cast<double>(++n);
      squares += apart * (watts - mean);
    }
    if (n < 2) return;
    const double spread = std::sqrt(squares / static_cast<double>(n - 1));
    result_.sampled_error = std::hypot(result_.sampled_error, spread / std::sqrt(static_cast<double>(n)) * held);
  }

  void count_time() {
    std::vector<double> all(result_.run.sets.size(), 0);
    result_.activity_seconds.assign(all.size(), 0);
    std::size_t hole = 0;
    for (const align::ActivitySpan& span : result_.run.spans) {
      double seconds = seconds_between(span.begin_ns, span.end_ns);
      all[span.activity] += seconds;
      while (hole < blind_.size() && blind_[hole].end_ns <= span.begin_ns) ++hole;
      for (std::size_t i = hole; i < blind_.size() && blind_[i].begin_ns < span.end_ns; ++i) {
        const double dark =
            seconds_between(std::max(span.begin_ns, blind_[i].begin_ns), std::min(span.end_ns, blind_[i].end_ns));
        seconds -= dark;
        result_.blind_seconds += dark;
      }
      result_.activity_seconds[span.activity] += seconds;
      result_.seconds += seconds;
    }
    all_seconds_ = std::move(all);
    const auto is_there = [&](std::size_t activity) {
      return result_.activity_seconds[activity] > 0 && result_.was_seen[activity];
    };
    result_.baseline = is_there(kIdle) ? kIdle : kPause;
    result_.has_idle = is_there(result_.baseline);
    if (result_.has_idle) result_.idle_watts = result_.watts[result_.baseline];
  }

  void share() {
    std::vector<double> op_seconds(result_.run.ops.size(), 0);
    for (std::size_t a = kRests; a < result_.run.sets.size(); ++a) {
      for (const std::uint32_t op : result_.run.sets[a]) op_seconds[op] += all_seconds_[a];
    }
    result_.ops.resize(result_.run.ops.size());
    if (options_.expected_joules) expected_ = options_.expected_joules(result_.run.ops);
    std::vector<double> all(result_.ops.size(), 0), shared(result_.ops.size(), 0);
    for (std::size_t a = kRests; a < result_.run.sets.size(); ++a) {
      const std::vector<std::uint32_t>& set = result_.run.sets[a];
      const std::vector<double> shares = shares_of(set, op_seconds);
      for (std::size_t i = 0; i < set.size(); ++i) {
        OpAccount& op = result_.ops[set[i]];
        op.seconds += result_.activity_seconds[a];
        all[set[i]] += all_seconds_[a];
        if (set.size() > 1) shared[set[i]] += all_seconds_[a];
        if (result_.was_seen[a]) op.by_activity.emplace_back(a, shares[i] * result_.activity_seconds[a]);
      }
    }
    const auto inferences = static_cast<double>(result_.run.inferences.size());
    for (std::size_t i = 0; i < result_.ops.size(); ++i) {
      const RunOp& op = result_.run.ops[i];
      OpAccount& account = result_.ops[i];
      if (account.seconds <= 0) continue;
      account.per_call = all[i] / account.seconds / static_cast<double>(op.calls);
      if (inferences > 0) {
        account.per_inference = account.per_call * static_cast<double>(op.calls_in_inferences) / inferences;
      }
      account.is_shared = shared[i] > 0.01 * all[i];
    }
  }

  std::vector<double> shares_of(const std::vector<std::uint32_t>& set, const std::vector<double>& op_seconds) {
    std::vector<double> shares(set.size(), 1.0 / static_cast<double>(set.size()));
    if (set.size() < 2) return shares;
    double sum = 0;
    std::vector<double> expected;
    for (const std::uint32_t op : set) {
      const RunOp& ran = result_.run.ops[op];
      const double joules = expected_.empty() ? -1 : expected_[op];
      const double watts = joules * static_cast<double>(ran.calls) / op_seconds[op];
      if (!(watts >= 0)) {
        result_.shared_equally = true;
        return shares;
      }
      expected.push_back(watts);
      sum += watts;
    }
    if (sum <= 0) {
      result_.shared_equally = true;
      return shares;
    }
    for (std::size_t i = 0; i < set.size(); ++i) shares[i] = expected[i] / sum;
    result_.shared_by_table = true;
    return shares;
  }

  void sum_up() {
    ActivitySeconds everything, of_ops, unseen;
    for (std::size_t a = 0; a < result_.run.sets.size(); ++a) {
      const double seconds = result_.activity_seconds[a];
      everything.emplace_back(a, seconds);
      if (a >= kRests) (result_.was_seen[a] ? of_ops : unseen).emplace_back(a, seconds);
    }
    const auto rest = [&](Rest which) { return result_.energy_of({{which, result_.activity_seconds[which]}}, false); };
    result_.idle = rest(kIdle);
    result_.pauses = rest(kPause);
    result_.between_ops = rest(kBetweenOps);
    result_.lost = rest(kLost);
    result_.all_ops = result_.energy_of(of_ops, false);
    result_.all_ops_dynamic = result_.energy_of(of_ops, true);
    result_.not_seen = result_.energy_of(unseen, false);
    result_.total = result_.energy_of(everything, false);
    double op_seconds = 0;
    for (const auto& [a, seconds] : of_ops) op_seconds += seconds;
    const Energy& whole = result_.has_idle ? result_.all_ops_dynamic : result_.all_ops;
    for (OpAccount& op : result_.ops) {
      op.total = result_.energy_of(op.by_activity, false);
      op.dynamic = result_.energy_of(op.by_activity, true);
      const Energy& own = result_.has_idle ? op.dynamic : op.total;
      const double average = op_seconds > 0 ? std::abs(whole.joules) * op.seconds / op_seconds : 0;
      op.is_resolved =
          !op.by_activity.empty() && kInterval90 * own.standard_error <= 0.5 * std::max(std::abs(own.joules), average);
    }
  }

  void note() {
    const RunActivities& run = result_.run;
    auto& notes = result_.notes;
    if (run.lost_events > 0) {
      notes.push_back(fmt::format("{} events were lost: {:.4g} s of the run belong to no op", run.lost_events,
                                  result_.activity_seconds[kLost]));
    }
    if (run.incomplete > 0) {
      notes.push_back(
          fmt::format("{} spans lack their beginning or end; the time until the next event of their thread "
                      "belongs to no op",
                      run.incomplete));
    }
    if (run.crossing > 0) {
      notes.push_back(
          fmt::format("{} spans overlap on one thread without one lying in the other: a clock of the "
                      "timeline is not sound there, and the later one counts",
                      run.crossing));
    }
    if (run.inferences_outside > 0) {
      notes.push_back(fmt::format("{} of {} inferences lie outside the power trace and are not counted",
                                  run.inferences_outside, run.inferences_outside + run.inferences.size()));
    }
    if (run.by_name_only) {
      notes.push_back("the timeline has neither node numbers nor inferences: ops of one name are one line");
    }
    if (result_.blind_seconds > 0) {
      notes.push_back(
          fmt::format("no sensor looked for {:.4g} s (lost or dropped samples): that time belongs to nothing",
                      result_.blind_seconds));
    }
    if (!result_.has_idle) {
      notes.push_back(
          "nothing but inferences was measured: without idle before, between or after them dynamic energy "
          "is not known, and totals are shown");
    }
    if (result_.shared_equally) {
      notes.push_back(
          "ops that ran at the same time share their power equally: give --table to share it by what they "
          "are expected to draw");
    } else if (result_.shared_by_table) {
      notes.push_back("ops that ran at the same time share their power as the table expects it of them");
    }
    if (std::abs(result_.sampled_joules - result_.total.joules) >
        4 * result_.sampled_error + 1e-3 * std::abs(result_.total.joules)) {
      notes.push_back(
          fmt::format("the samples themselves say {:.4g} J and the parts {:.4g} J: further apart than chance; "
                      "the load may beat with the sensor's cycle, or power drifted while ops ran",
                      result_.sampled_joules, result_.total.joules));
    }
  }

  const Recording& recording_;
  const AccountOptions& options_;
  std::vector<std::size_t> rails_;
  TimeSpan within_;
  std::vector<TimeSpan> blind_;
  std::vector<InferencePower> inference_power_;  // of all rails
  std::vector<PowerSample> only_rail_;           // its samples at their true instants; empty where several add up
  std::vector<double> expected_;                 // by op; empty: nothing is expected
  std::vector<double> all_seconds_;              // by activity, blind time included
  Account result_;
};

}  // namespace

Energy Account::energy_of(const ActivitySeconds& times, bool dynamic) const {
  ActivitySeconds sum = times;
  if (dynamic && has_idle) {
    double all = 0;
    for (const auto& [activity, s] : times) all += s;
    sum.emplace_back(baseline, -all);
  }
  Energy energy;
  double variance = 0;
  const std::size_t count = watts.size();
  for (const auto& [a, s] : sum) {
    energy.joules += watts[a] * s;
    for (const auto& [b, other] : sum) variance += s * other * covariance[a * count + b];
  }
  energy.standard_error = std::sqrt(std::max(0.0, variance));
  return energy;
}

ActivitySeconds Account::per_inference(std::size_t op) const {
  ActivitySeconds times = ops[op].by_activity;
  for (auto& [activity, s] : times) s *= ops[op].per_inference;
  return times;
}

Account account(const std::vector<capture::Recording>& recordings, const wire::TimelineT& timeline,
                const AccountOptions& options) {
  if (recordings.empty()) throw AccountError("the trace holds no recording: record one with edge-calibrate record");
  const TimeSpan own = extent_of(timeline);
  const Recording* best = nullptr;
  std::int64_t most_ns = 0;
  std::string spans;
  for (const Recording& recording : recordings) {
    const std::int64_t offset_ns = offset_of(timeline, recording, options);
    const std::int64_t shared_ns =
        std::min(recording.end_ns(), own.end_ns + offset_ns) - std::max(recording.begin_ns(), own.begin_ns + offset_ns);
    spans += fmt::format("{}{:.3f} to {:.3f} s", spans.empty() ? "" : ", ",
                         static_cast<double>(recording.begin_ns()) * kNanosecond,
                         static_cast<double>(recording.end_ns()) * kNanosecond);
    if (shared_ns <= most_ns) continue;
    most_ns = shared_ns;
    best = &recording;
  }
  if (best == nullptr) {
    const std::int64_t offset_ns = offset_of(timeline, recordings.front(), options);
    throw AccountError(fmt::format(
        "the trace is of another run: it was recorded from {} of the monotonic clock, the timeline's ops ran from "
        "{:.3f} "
        "to {:.3f} s. Take the trace that was recorded with this timeline, or correct the clock with --offset-ns",
        spans, static_cast<double>(own.begin_ns + offset_ns) * kNanosecond,
        static_cast<double>(own.end_ns + offset_ns) * kNanosecond));
  }
  return Accounting(*best, timeline, options).finish();
}

}  // namespace edgejoule::account
