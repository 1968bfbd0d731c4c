// A calibration through a runtime that is a command: which engines, in which order, one after the other into a
// journal, until the budget is spent, somebody asks to end, or a fault makes going on pointless.
//
// Held out is every experiment of a held-out candidate, whatever the plan and the budget: what one run kept for
// validation, no later run fits.
// Errors: MachineError; what a command does wrong is no error, it is an engine that was not measured.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "calibration/engine_regression.h"
#include "calibration/journal.h"
#include "calibration/machine.h"
#include "calibration/runtime_bench.h"
#include "calibration/session.h"
#include "measurements/measurement_set.h"

namespace edgejoule::calibration {

struct RuntimeOptions {
  double budget_s = 1200;
  std::vector<OpKind> kinds;       // only these; empty: all that the format can say
  double held_out_share = 0.2;     // of the budget; comes last
  int most_attempts = 3;           // of an engine that something disturbed
  int most_failures_in_a_row = 3;  // that will be no better later; then it ends
  Patience patience;               // with what disturbs engines
  // Interrupts and kernel threads that serve the runtime count as others' here.
  StateLimits limits{.other_load = 0.2};
};

struct RuntimeProgress {
  std::size_t number = 0, planned = 0;
  const Experiment* experiment = nullptr;
  const Block* block = nullptr;  // its problem says why it was not measured
  double seconds_left = 0;
};

class RuntimeSession {
 public:
  // `facts` are the machine's, with runtime and engine as the table should name them. Lifetime: views machine, command.
  RuntimeSession(Machine& machine, MachineFacts facts, RuntimeCommand& command, RuntimeOptions options);

  // Held-out ones last.
  [[nodiscard]] std::vector<const Experiment*> plan() const;
  [[nodiscard]] double least_seconds() const { return bench_.least_seconds(); }
  [[nodiscard]] const MachineFacts& facts() const { return facts_; }
  [[nodiscard]] const MachineState& settle();

  // Takes over what an earlier session measured; the engines' parts are in the command's folder still. Answers how many
  // engines were; what cannot be used is measured again where it is planned.
  std::size_t take_over(const JournalContent& earlier);

  // Until `ended` says so. A journal of nothing writes nothing.
  void run(Journal& journal, const std::function<void(const RuntimeProgress&)>& show,
           const std::function<bool()>& ended);

  struct Outcome : Ending {
    std::vector<std::string> notes;  // whole sentences
    std::size_t failed = 0;          // engines that were given up
  };
  [[nodiscard]] const Outcome& outcome() const { return outcome_; }
  [[nodiscard]] measurements::MeasurementSet fit_set() const;
  [[nodiscard]] measurements::MeasurementSet held_out_set() const;
  // Those that drew something, held-out ones left out.
  [[nodiscard]] std::vector<MeasuredEngine> fit_engines() const;

 private:
  struct Step {
    std::size_t experiment = 0;
    int attempt = 1;
  };
  struct Measured {
    std::size_t experiment = 0;
    Engine engine;
    Block block;
    bool again = true;  // a problem may be over later; a command that failed fails again
  };
  void make_plan(const std::vector<workloads::Candidate>& candidates);
  [[nodiscard]] Measured measure(const Step& step, const std::function<bool()>& ended);
  void note(const std::string& text);
  [[nodiscard]] measurements::MeasurementSet set_of(bool held_out) const;

  Machine& machine_;
  MachineFacts facts_;
  RuntimeCommand& command_;
  RuntimeOptions options_;
  RuntimeBench bench_;
  std::vector<Experiment> experiments_;  // of all candidates
  std::vector<Step> plan_;
  MachineState state_;
  bool settled_ = false;
  double spent_before_s_ = 0;
  std::vector<Measured> measured_;
  std::vector<measurements::Exclusion> given_up_;
  Outcome outcome_;
};

}  // namespace edgejoule::calibration
