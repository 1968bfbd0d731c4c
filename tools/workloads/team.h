// A fixed team of threads that compute one execution together, the caller among them.
//
// Waiting threads sleep in the kernel: a spinning one would draw power that belongs to
// no op.
// Errors: std::system_error where a thread cannot be started.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace edgejoule::workloads {

class Team {
 public:
  explicit Team(int threads);
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  ~Team();

  [[nodiscard]] int size() const { return size_; }
  // work(part) for every part in 0 .. size() - 1, each on a thread of its own.
  void run(const std::function<void(int)>& work);

 private:
  void serve(int part);
  void stop();

  int size_;
  std::atomic<std::uint32_t> round_{0};
  std::atomic<std::uint32_t> left_{0};  // parts of this round not yet done
  std::atomic<bool> ending_{false};
  const std::function<void(int)>* work_ = nullptr;
  std::vector<std::thread> threads_;
};

}  // namespace edgejoule::workloads
