#include "support/played_board.h"

#include <fcntl.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <span>
#include <system_error>
#include <utility>

#include "support/files.h"

namespace edgejoule::kernel_tier {
namespace {

using emulated_board::LiveBoard;
using emulated_board::Message;

// How far the rails are known beyond now while something runs, and how often they are taken further: each time wakes
// the guest, and a thread that wakes late must not keep a driver waiting.
constexpr std::int64_t kAheadNs = 20'000'000;
constexpr std::int64_t kSliceNs = 20'000'000;

void sleep_until(std::int64_t mono_ns) {
  const timespec until{mono_ns / 1'000'000'000, mono_ns % 1'000'000'000};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
  }
}

}  // namespace

PlayedBoard::PlayedBoard(emulated_board::BoardLaw law, std::uint64_t seed, int bus)
    : epoch_ns_(monotonic_ns()), board_(std::move(law), seed), device_("/dev/hil-i2c" + std::to_string(bus)) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) < 0) {
    throw std::system_error(errno, std::generic_category(), "a pipe for the board's thread");
  }
  end_read_ = FileDescriptor(pipe[0]);
  end_write_ = FileDescriptor(pipe[1]);
  thread_ = std::thread([this] { serve(); });
}

PlayedBoard::~PlayedBoard() {
  end_write_ = FileDescriptor();
  thread_.join();
}

void PlayedBoard::serve() {
  for (;;) {
    std::array<pollfd, 2> wait{pollfd{device_.descriptor(), POLLIN, 0}, pollfd{end_read_.get(), POLLIN, 0}};
    if (::poll(wait.data(), wait.size(), -1) < 0 && errno != EINTR) {
      throw std::system_error(errno, std::generic_category(), "waiting for a transfer");
    }
    if (wait[1].revents != 0) {
      return;
    }
    if ((wait[0].revents & POLLIN) == 0) {
      continue;
    }
    device_.serve([this](std::span<const Message> messages, std::int64_t start_mono_ns) {
      const std::int64_t now_ns = start_mono_ns - epoch_ns_;
      std::unique_lock lock(mutex_);
      moved_on_.wait(lock, [&] { return !running_ || board_.now_ns() >= now_ns; });
      idle_until(now_ns);
      return board_.bus().transfer(messages, now_ns);
    });
  }
}

void PlayedBoard::idle_until(std::int64_t t_ns) {
  if (board_.now_ns() < t_ns) {
    board_.idle(t_ns - board_.now_ns());
  }
}

void PlayedBoard::run(const std::function<void(LiveBoard&)>& work) {
  std::unique_lock lock(mutex_);
  idle_until(monotonic_ns() - epoch_ns_);
  std::int64_t told_ns = board_.now_ns();
  board_.on_time = [&] {
    if (board_.now_ns() - told_ns < kSliceNs) {
      return;
    }
    told_ns = board_.now_ns();
    lock.unlock();
    moved_on_.notify_one();
    sleep_until(epoch_ns_ + told_ns - kAheadNs);
    lock.lock();
  };
  running_ = true;
  work(board_);
  running_ = false;
  board_.on_time = nullptr;
  const std::int64_t end_ns = board_.now_ns();
  lock.unlock();
  moved_on_.notify_one();
  sleep_until(epoch_ns_ + end_ns);
}

}  // namespace edgejoule::kernel_tier
