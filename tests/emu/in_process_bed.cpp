// The bed without a kernel: a register bus straight onto the emulated chips, in virtual time.
#include <algorithm>
#include <array>
#include <sstream>
#include <vector>

#include "emu/board_bed.h"
#include "emulated_board/board_file.h"

namespace edgejoule::emu {
namespace {

using emulated_board::BusStatus;

// What a register costs on a 400 kHz bus: address, pointer, address, bytes, at nine bits each.
constexpr std::int64_t kByteNs = 9 * 2'500;

class InProcessBed final : public BoardBed {
 public:
  explicit InProcessBed(const std::string& text) : board_(parse(text)) {}

  RegisterBus bus() override { return {this, &read, &write, nullptr, &delay}; }
  const emulated_board::PowerTrace& trace(const std::string& name) const override { return *board_.traces.at(name); }
  std::int64_t now_ns() override { return now_ns_; }
  void sleep_until(std::int64_t t_ns) override { now_ns_ = std::max(now_ns_, t_ns); }
  void fault(const std::string& words) override { board_.bus.faults().add(emulated_board::parse_fault(words)); }
  void clear_faults() override { board_.bus.faults().clear(); }
  bool is_exact() const override { return true; }

 private:
  static emulated_board::Board parse(const std::string& text) {
    std::istringstream stream(text);
    return emulated_board::read_board(stream, "board", ".");
  }

  Status transfer(std::uint8_t address, std::vector<std::uint8_t> written, Span<std::uint8_t> bytes) {
    std::array<emulated_board::Message, 2> messages{
        emulated_board::Message{address, false, written},
        emulated_board::Message{address, true, {bytes.data(), bytes.size()}}};
    const std::size_t count = bytes.empty() ? 1 : 2;
    now_ns_ += kByteNs * static_cast<std::int64_t>(written.size() + bytes.size() + count);
    const auto result = board_.bus.transfer(std::span(messages.data(), count), now_ns_);
    now_ns_ += result.stall_ns;
    switch (result.status) {
      case BusStatus::kOk: break;
      case BusStatus::kNak: return Error::kBusNak;
      case BusStatus::kTimeout: return Error::kBusTimeout;
      case BusStatus::kArbitrationLost: return Error::kBusArbitration;
    }
    return result.completed < count ? Status(Error::kBusShortTransfer) : Status();
  }

  static Status read(void* context, std::uint8_t address, std::uint8_t reg, Span<std::uint8_t> bytes) {
    return static_cast<InProcessBed*>(context)->transfer(address, {reg}, bytes);
  }

  static Status write(void* context, std::uint8_t address, std::uint8_t reg, Span<const std::uint8_t> bytes) {
    std::vector<std::uint8_t> written{reg};
    written.insert(written.end(), bytes.begin(), bytes.end());
    return static_cast<InProcessBed*>(context)->transfer(address, std::move(written), {});
  }

  static void delay(void* context, std::uint32_t microseconds) {
    static_cast<InProcessBed*>(context)->now_ns_ += std::int64_t{microseconds} * 1'000;
  }

  emulated_board::Board board_;
  std::int64_t now_ns_ = 0;
};

}  // namespace

std::unique_ptr<BoardBed> make_bed(const std::string& board) {
  return std::make_unique<InProcessBed>(board);
}

}  // namespace edgejoule::emu
