// What a calibration runs on: something that runs workloads, idles, and has rails that are read meanwhile. A real
// board, or an emulated one whose time is virtual.
//
// Units: nanoseconds of the machine's own monotonic clock, watts, megahertz, degrees Celsius.
// Errors: MachineError (what, where, what to do next); a rail that cannot be read any more is no error, it shows in
// rail_problem().
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "edgejoule/core/power_sample.h"
#include "edgejoule/core/table.h"
#include "workloads/workload.h"

namespace edgejoule::calibration {

struct MachineError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct RailFacts {
  std::string label;
  bool in_total = false;
  std::string chip;
  std::uint32_t shunt_uohm = 0;
  std::int64_t quantum_uw = 0;  // smallest step of power; 0: not known
  std::uint32_t cycle_ns = 0;   // from one conversion to the next; 0: not known
  std::uint16_t averages = 1;
};

struct MachineFacts {
  std::string board, compatible, os_release;
  std::string runtime, backend;
  std::string engine;
  EngineKind engine_kind = EngineKind::kCpu;
  std::uint64_t l1_bytes = 0, l2_bytes = 0, last_level_bytes = 0;
  std::uint64_t memory_bytes = 0;
  int cores = 1;
  bool has_fp16 = false;
  BoundaryKind boundary = BoundaryKind::kRails;
  std::string boundary_description;
  std::vector<RailFacts> rails;
  bool emulated = false;
  std::string source;  // what the measurements are said to come from
};

// What joules depend on besides the work. Negative or empty: not known here, and `unknown` says why.
struct MachineState {
  std::string power_mode;
  double cpu_mhz = -1, gpu_mhz = -1, memory_mhz = -1, millivolts = -1;
  std::string governor;     // of the processors, and of a GPU: "schedutil, GPU nvhost_podgov"
  std::string cpuidle;      // states the processors may use
  std::string rail_gating;  // whether a GPU's rail goes off while it is idle: "off", "on after 500 ms"
  std::string fan;
  struct Temperature {
    std::string name;
    double celsius = 0;
  };
  std::vector<Temperature> temperatures;
  double other_load = -1;        // processors that other programs kept busy since the last call
  bool throttled = false;        // now, or since the last call
  std::int64_t slow_downs = -1;  // by heat or current, since the kernel started
  std::vector<std::string> unknown;
};

struct RunSpan {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  std::uint64_t executions = 0;

  [[nodiscard]] double seconds() const { return static_cast<double>(end_ns - begin_ns) * 1e-9; }
  [[nodiscard]] double seconds_each() const { return seconds() / static_cast<double>(executions); }
};

class Machine {
 public:
  Machine() = default;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  virtual ~Machine() = default;

  [[nodiscard]] virtual const MachineFacts& facts() const = 0;
  [[nodiscard]] virtual std::int64_t now_ns() = 0;
  // Buffers and threads, so that run() does nothing but the work. Throws WorkloadError where it cannot be run here.
  virtual void prepare(const workloads::Workload& workload) = 0;
  // Of what was prepared last; back to back, in the calling thread.
  virtual RunSpan run(std::uint64_t executions) = 0;
  // Several ops in a row, as a network: one execution is all of them.
  virtual void prepare_network(std::span<const workloads::Workload> ops) = 0;
  virtual void idle(std::int64_t ns) = 0;
  // Of all rails since the last call, PowerSample::rail by its place in the facts.
  virtual std::vector<PowerSample> take_samples() = 0;
  [[nodiscard]] virtual MachineState state() = 0;
  // A rail that went silent: what is wrong, and what to do.
  [[nodiscard]] virtual std::optional<std::string> rail_problem() = 0;
  // Joules above idle and seconds of one execution as they truly are; nothing on a real board.
  struct Truth {
    double joules = 0;
    double seconds = 0;
  };
  [[nodiscard]] virtual std::optional<Truth> truth() const { return std::nullopt; }
};

}  // namespace edgejoule::calibration
