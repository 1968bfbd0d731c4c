// A whole calibration: what to measure and in which order, block by block, repeating what went wrong, until the
// budget is spent, somebody asks to end, or a fault makes going on pointless.
//
// Errors: MachineError. Faults of the board are no errors: outcome() says them, and what was measured stays.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "calibration/design.h"
#include "calibration/journal.h"
#include "calibration/machine.h"
#include "calibration/protocol.h"
#include "measurements/measurement_set.h"

namespace edgejoule::calibration {

// Several ops in a row, never fitted: for validation, or for the width of intervals (network_spread.h).
struct Network {
  std::string name;
  std::vector<workloads::Workload> ops;
  bool for_spread = false;
};

// With what disturbs measurements one after the other: it may be over soon.
struct Patience {
  int most_in_a_row = 5;  // then it ends
  double first_pause_s = 1;

  // Behind so many: from the second on, each time twice as long.
  [[nodiscard]] std::int64_t pause_ns(int in_a_row) const {
    return in_a_row < 2 ? 0 : static_cast<std::int64_t>(first_pause_s * 1e9) << (in_a_row - 2);
  }
};

struct SessionOptions {
  double budget_s = 300;
  int threads = 1;
  int most_attempts = 3;  // of one block
  Patience patience;
  double block_error = 0.02;  // that the design counts on
  ProtocolOptions protocol;
};

struct Measured {
  enum class Role { kFit, kHeldOut, kNetwork, kSpreadNetwork };
  // Of the session's networks; else of its candidates.
  [[nodiscard]] static bool is_network(Role role) { return role == Role::kNetwork || role == Role::kSpreadNetwork; }
  Role role = Role::kFit;
  std::size_t index = 0;  // candidate or network
  Block block;
};

struct Progress {
  std::size_t done = 0, planned = 0;  // blocks
  double seconds_left = 0;
  double expected_error = 1;     // of a prediction, relative, mean over the kinds of op
  std::string doing;             // name of what is measured now, or was just measured
  const Block* block = nullptr;  // that has just ended; null: it begins
};

struct Ending {
  bool complete = false;
  bool interrupted = false;
  std::string fault;  // why it ended early
  // "ended early ..."; "" where it did not.
  [[nodiscard]] std::string text() const;
};

class Session {
 public:
  // Lifetime: views the machine.
  Session(Machine& machine, std::vector<workloads::Candidate> candidates, std::vector<Network> networks,
          const SessionOptions& options);

  struct Step {
    Measured::Role role = Measured::Role::kFit;
    std::size_t index = 0;
    int attempt = 1;
  };
  [[nodiscard]] const std::vector<Step>& plan() const { return plan_; }
  [[nodiscard]] double planned_seconds() const { return planned_seconds_; }
  [[nodiscard]] std::vector<KeyUncertainty> expected() const { return expected_; }
  [[nodiscard]] std::string name_of(const Step& step) const;
  [[nodiscard]] const MachineState& settle();

  // Takes over what an earlier session measured. Names that are no longer known are counted, not used.
  std::size_t take_over(const JournalContent& earlier);

  // Until `ended` says so. A journal of nothing writes nothing.
  void run(Journal& journal, const std::function<void(const Progress&)>& show, const std::function<bool()>& ended);

  struct Outcome : Ending {
    std::vector<std::string> warnings;  // whole sentences
    std::size_t repeated = 0;           // blocks that were measured again
    std::size_t given_up = 0;           // blocks that stayed bad
  };
  [[nodiscard]] const Outcome& outcome() const { return outcome_; }
  [[nodiscard]] const std::vector<Measured>& measured() const { return measured_; }
  [[nodiscard]] const std::optional<WakeUp>& wake() const { return wake_; }
  [[nodiscard]] double idle_watts() const;
  [[nodiscard]] const Knowledge& knowledge() const { return knowledge_; }
  [[nodiscard]] const Protocol& protocol() const { return protocol_; }
  [[nodiscard]] const std::vector<workloads::Candidate>& candidates() const { return candidates_; }
  [[nodiscard]] const std::vector<Network>& networks() const { return networks_; }

  // What was measured well, as measurements of one set: for the fit, for the width of its intervals, and those that
  // neither may see.
  [[nodiscard]] measurements::MeasurementSet fit_set() const;
  [[nodiscard]] measurements::MeasurementSet spread_set() const;
  [[nodiscard]] measurements::MeasurementSet held_out_set() const;

 private:
  void make_plan();
  [[nodiscard]] std::vector<std::size_t> networks_within(std::size_t most) const;
  void prepare(const Step& step);
  void note(const std::string& warning);
  [[nodiscard]] measurements::MeasurementSet set_of(std::initializer_list<Measured::Role> roles) const;

  Machine& machine_;
  std::vector<workloads::Candidate> candidates_;
  std::vector<Network> networks_;
  SessionOptions options_;
  Protocol protocol_;
  Knowledge knowledge_;
  std::vector<Step> plan_;
  std::vector<KeyUncertainty> expected_;
  double planned_seconds_ = 0;
  double spent_before_s_ = 0;
  bool settled_ = false;
  std::vector<Measured> measured_;
  std::optional<WakeUp> wake_;
  Outcome outcome_;
};

// What measurements of a machine have in common: boundary, baseline, board, engine.
[[nodiscard]] measurements::MeasurementSet nothing_measured(const MachineFacts& facts);

// What tables call the engine: "cpu", or "cpu-1-thread" where it is not all of its processors, so that tables of
// several thread counts can be merged into one.
[[nodiscard]] std::string engine_name(const MachineFacts& facts, int threads);

// Of one thread count: rows of a table do not tell them apart, and one row for all would be wrong for each. Weights
// narrower than what they meet (4-bit ones beside floats) only where there is time: in less, they would be measured at
// the cost of what every network has.
inline constexpr double kTimeForNarrowWeightsS = 600;
[[nodiscard]] std::vector<workloads::Candidate> candidates_of(const MachineFacts& facts, int threads, double budget_s);

// A model's ops one after the other. `graph` is an EJG1 file.
[[nodiscard]] Network network_of(const files::FileBytes& graph, const std::string& name, int threads);

}  // namespace edgejoule::calibration
