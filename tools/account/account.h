// Where the energy of a run went: a power trace and a timeline as joules of ops, with their errors.
//
// The power of each set of ops that ran together is solved for by regression over all samples of a rail through the
// sensor's real response (align/align.h); rails of the total add up. An op's energy is its sets' power times their time
// over the whole run, so that ops far shorter than a sample are known from their repetitions. What ran together is
// shared by the ratio of the powers expected of it.
// Units: joules, watts, seconds. `dynamic` is above the power measured outside inferences.
// Errors: AccountError: another run's trace, another clock, nothing measured.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "account/activities.h"
#include "account/time_line.h"
#include "capture/trace_reader.h"

namespace edgejoule::account {

struct Energy {
  double joules = 0;
  double standard_error = 0;
};

// How an interval of 90 % follows from a standard error.
inline constexpr double kInterval90 = 1.645;

struct AccountOptions {
  std::vector<std::string> rails;         // labels; empty: those of the recording's total
  std::optional<std::int64_t> offset_ns;  // CLOCK_MONOTONIC = the timeline's clock + this; none: as it says
  // Joules that one call of each op is expected to take, by op; negative: not known. For what ran at the same time.
  std::function<std::vector<double>(const std::vector<RunOp>& ops)> expected_joules;
};

// A sum of activities' time, for energies with the errors of sums.
using ActivitySeconds = std::vector<std::pair<std::size_t, double>>;

struct OpAccount {
  ActivitySeconds by_activity;  // of the whole run, its share where it did not run alone
  double seconds = 0;           // while it ran, alone or not
  double per_call = 0;          // factor from the run's joules to one call's
  double per_inference = 0;
  Energy total, dynamic;     // of the run
  bool is_resolved = false;  // known to half of itself, or of what an average op of its length takes
  bool is_shared = false;    // more than a hundredth of it ran beside other ops
};

// One inference by itself; its mean over the run is far better known.
struct InferenceAccount {
  Energy total, dynamic;
  std::size_t samples = 0;  // of the rail that gave the fewest
  bool is_resolved = false;
};

struct Account {
  RunActivities run;
  std::string board;
  std::vector<std::string> rails;
  std::int64_t offset_ns = 0;
  double seconds = 0;        // of the trace, without what it did not see
  double blind_seconds = 0;  // no sensor looked: belongs to nothing
  double covered = 0;        // share of the time that the sensors integrated
  std::size_t samples = 0;
  std::vector<double> activity_seconds;  // blind time left out
  std::vector<bool> was_seen;            // by any sample
  bool has_idle = false;                 // else there is nothing to be above
  double idle_watts = 0;
  std::vector<OpAccount> ops;                // as run.ops
  std::vector<InferenceAccount> inferences;  // as run.inferences
  Energy all_ops, all_ops_dynamic, between_ops, pauses, idle, lost;
  Energy not_seen;                  // of sets of ops that fell between all samples; no op is charged for them
  Energy total;                     // of all of the above together
  double sampled_joules = 0;        // the samples themselves, each held since the one before it
  double sampled_error = 0;         // expected of that, from the share of time that was seen
  std::optional<TimeLine> typical;  // with samples where there is one rail; none without inferences
  bool shared_by_table = false, shared_equally = false;
  std::vector<std::string> notes;

  [[nodiscard]] Energy energy_of(const ActivitySeconds& times, bool dynamic) const;
  // An op's part of one inference, and the time between ops of it.
  [[nodiscard]] ActivitySeconds per_inference(std::size_t op) const;

  // By activity, of all rails together; the covariance row by row.
  std::vector<double> watts, covariance;
  std::size_t baseline = kIdle;  // the activity that dynamic energy is above
};

[[nodiscard]] Account account(const std::vector<capture::Recording>& recordings, const wire::TimelineT& timeline,
                              const AccountOptions& options = {});

}  // namespace edgejoule::account
