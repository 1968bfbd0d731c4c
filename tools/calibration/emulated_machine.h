// A machine of virtual time: a live emulated board behind its chips, read by the same code as a real one.
//
// Errors: MachineError where the chips do not answer at the start.
#pragma once

#include <deque>
#include <memory>

#include "calibration/emulated_work.h"
#include "calibration/machine.h"
#include "edgejoule/linux/ina_source.h"
#include "emulated_board/live_board.h"
#include "emulated_board/virtual_bus.h"

namespace edgejoule::calibration {

class EmulatedMachine final : public Machine {
 public:
  EmulatedMachine(emulated_board::BoardLaw law, const EmulationOptions& options);

  [[nodiscard]] const MachineFacts& facts() const override { return facts_; }
  [[nodiscard]] std::int64_t now_ns() override { return board_.now_ns(); }
  void prepare(const workloads::Workload& workload) override { work_.prepare(workload); }
  void prepare_network(std::span<const workloads::Workload> ops) override { work_.prepare_network(ops); }
  RunSpan run(std::uint64_t executions) override;
  void idle(std::int64_t ns) override { board_.idle(ns); }
  std::vector<PowerSample> take_samples() override;
  [[nodiscard]] MachineState state() override;
  [[nodiscard]] std::optional<std::string> rail_problem() override;
  [[nodiscard]] std::optional<Truth> truth() const override { return work_.truth(); }

 private:
  struct Reader {
    InaSource source;
    std::vector<std::size_t> rails;  // place in the facts, by channel of the source
    std::int64_t next_ns = 0;
    std::int64_t silent_since_ns = -1;
    Error error = Error::kBusNak;
  };

  void open_readers();
  void read_chips();
  void poll(Reader& reader);

  emulated_board::LiveBoard board_;
  emulated_board::VirtualBus bus_;  // the sampler's clock is its own: it reads beside what runs
  EmulatedWork work_;
  MachineFacts facts_;
  std::deque<Reader> readers_;  // a deque: sources keep pointers
  std::vector<PowerSample> samples_;
  std::int64_t last_state_ns_ = 0;
};

}  // namespace edgejoule::calibration
