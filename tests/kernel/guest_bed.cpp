// The bed behind a real kernel: the reader's bus is i2c-dev, the chips are played by hil-backend, time is the guest's.
#include <time.h>

#include <cerrno>
#include <sstream>
#include <stdexcept>

#include "edgejoule/linux/i2c_dev.h"
#include "emu/board_bed.h"
#include "emulated_board/board_file.h"
#include "support/emulated_bus.h"
#include "support/files.h"

namespace edgejoule::emu {
namespace {

class GuestBed final : public BoardBed {
 public:
  explicit GuestBed(const std::string& text) : emulated_(text), truth_(parse(text)) {
    if (const Status opened = device_.open("", emulated_.adapter()); !opened.ok()) {
      throw std::runtime_error(std::string("opening i2c-dev: ") + error_text(opened.error()));
    }
  }

  RegisterBus bus() override { return device_.bus(); }
  const emulated_board::PowerTrace& trace(const std::string& name) const override { return *truth_.traces.at(name); }
  std::int64_t now_ns() override { return kernel_tier::monotonic_ns() - emulated_.epoch_ns(); }
  void sleep_until(std::int64_t t_ns) override {
    const std::int64_t end_ns = t_ns + emulated_.epoch_ns();
    const timespec end{end_ns / 1'000'000'000, end_ns % 1'000'000'000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nullptr) == EINTR) {
    }
  }
  void fault(const std::string& words) override {
    // A controller that times out does so after this long; the module's default would make the test crawl.
    set_timeout_ms(words.rfind("timeout", 0) == 0 ? "100" : "2000");
    emulated_.fault(words);
  }
  void clear_faults() override {
    emulated_.clear_faults();
    set_timeout_ms("2000");
  }
  bool is_exact() const override { return false; }

 private:
  static void set_timeout_ms(const std::string& milliseconds) {
    (void)kernel_tier::write_file("/sys/module/hil_i2c/parameters/timeout_ms", milliseconds);
  }
  static emulated_board::Board parse(const std::string& text) {
    std::istringstream stream(text);
    return emulated_board::read_board(stream, "board", ".");
  }

  kernel_tier::EmulatedBus emulated_;
  emulated_board::Board truth_;
  I2cDev device_;
};

}  // namespace

std::unique_ptr<BoardBed> make_bed(const std::string& board) {
  return std::make_unique<GuestBed>(board);
}

}  // namespace edgejoule::emu
