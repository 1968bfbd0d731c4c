// A run whose truth is known: a timeline of ops with hidden powers, played on the rail of an emulated board, measured
// by its chip through registers, as EJP1 recording and EJL1 timeline.
//
// Units: nanoseconds, watts, joules.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "capture/trace_reader.h"
#include "emulated_board/power_trace.h"
#include "schemas/timeline_generated.h"

namespace edgejoule::account {

struct HiddenOp {
  std::string name;
  std::int64_t ns = 0;
  double watts = 0;  // above idle
};

struct PlayOptions {
  std::vector<HiddenOp> ops;
  int inferences = 1000;
  std::uint16_t averages = 1;
  double idle_watts = 2.4;
  double between_watts = 0.8;            // above idle, between ops of an inference
  std::int64_t between_ns = 4'000;       // before each op
  std::int64_t idle_ns = 2'000'000'000;  // before and after
  double jitter = 0.03;                  // of each op's time
  unsigned seed = 1;
};

struct PlayedRun {
  std::vector<capture::Recording> recordings;
  wire::TimelineT timeline;
  std::vector<double> op_joules;  // dynamic, of the whole run
  double between_joules = 0;      // likewise
  std::shared_ptr<const emulated_board::PowerTrace> rail;
  double rail_joules = 0;                 // of all the time that samples saw
  std::int64_t begin_ns = 0, end_ns = 0;  // of the samples
  // Smaragdine's rule, P*dt/|S| with the last sample held, above idle_watts: what other accounts would say.
  [[nodiscard]] std::vector<double> held_sample_rule(double idle_watts) const;
};

// The rail is 5 V over 5 mOhm: 40 mW to a step of the INA3221, one of three channels of 1.1 ms shunt and bus each.
[[nodiscard]] PlayedRun play(const PlayOptions& options);

// A timeline that a runtime wrote, of one thread, played likewise: `watts` above idle of each of its names. Its first
// span is moved to options.idle_ns; of the options count idle, what is between ops, and the averages. op_joules is by
// name. Errors: std::runtime_error where ops overlap.
[[nodiscard]] PlayedRun follow(const wire::TimelineT& timeline, const std::vector<double>& watts,
                               const PlayOptions& options = {});

// As EJP1 and EJL1 files.
void write_files(const PlayedRun& run, const std::string& trace, const std::string& timeline);

// 28 ops in 10 ms: four layers of seven ops, each layer the same.
[[nodiscard]] std::vector<HiddenOp> four_equal_layers();

}  // namespace edgejoule::account
