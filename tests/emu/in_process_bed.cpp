// The bed without a kernel: a register bus straight onto the emulated chips, in virtual time.
#include <sstream>

#include "emu/board_bed.h"
#include "emulated_board/board_file.h"
#include "emulated_board/virtual_bus.h"

namespace edgejoule::emu {
namespace {

class InProcessBed final : public BoardBed {
 public:
  explicit InProcessBed(const std::string& text) : board_(parse(text)) {}

  RegisterBus bus() override { return bus_.registers(); }
  const emulated_board::PowerTrace& trace(const std::string& name) const override { return *board_.traces.at(name); }
  std::int64_t now_ns() override { return bus_.now_ns(); }
  void sleep_until(std::int64_t t_ns) override { bus_.wait_until(t_ns); }
  void fault(const std::string& words) override { board_.bus.faults().add(emulated_board::parse_fault(words)); }
  void clear_faults() override { board_.bus.faults().clear(); }
  bool is_exact() const override { return true; }

 private:
  static emulated_board::Board parse(const std::string& text) {
    std::istringstream stream(text);
    return emulated_board::read_board(stream, "board", ".");
  }

  emulated_board::Board board_;
  emulated_board::VirtualBus bus_{board_.bus};
};

}  // namespace

std::unique_ptr<BoardBed> make_bed(const std::string& board) {
  return std::make_unique<InProcessBed>(board);
}

}  // namespace edgejoule::emu
