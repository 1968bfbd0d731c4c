// A live emulated board, played in the guest's own time behind an adapter of its kernel: whoever reads its chips at
// some moment, through i2c-dev or a driver, finds what the rails did up to then.
//
// A thread of this process answers the transfers; programs "run" by telling the board and sleeping.
// Units: nanoseconds of CLOCK_MONOTONIC.
// Lifetime: the chips disappear with the object.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "emulated_board/live_board.h"
#include "support/file_descriptor.h"
#include "support/hil_device.h"

namespace edgejoule::kernel_tier {

class PlayedBoard {
 public:
  PlayedBoard(emulated_board::BoardLaw law, std::uint64_t seed, int bus = 0);
  ~PlayedBoard();
  PlayedBoard(const PlayedBoard&) = delete;
  PlayedBoard& operator=(const PlayedBoard&) = delete;

  [[nodiscard]] const emulated_board::BoardLaw& law() const { return board_.law(); }
  [[nodiscard]] int adapter() const { return device_.adapter(); }

  // What `work` makes the board do begins now and takes its time: returns when it has ended.
  void run(const std::function<void(emulated_board::LiveBoard&)>& work);

 private:
  void serve();
  void idle_until(std::int64_t t_ns);

  const std::int64_t epoch_ns_;
  std::mutex mutex_;
  std::condition_variable moved_on_;
  emulated_board::LiveBoard board_;
  bool running_ = false;
  HilDevice device_;
  FileDescriptor end_read_, end_write_;  // closing the second ends the thread
  std::thread thread_;
};

}  // namespace edgejoule::kernel_tier
