#include "workloads/team.h"

#include <algorithm>

namespace edgejoule::workloads {

Team::Team(int threads) : size_(std::max(threads, 1)) {
  try {
    for (int part = 1; part < size_; ++part) threads_.emplace_back([this, part] { serve(part); });
  } catch (...) {
    stop();
    throw;
  }
}

Team::~Team() {
  stop();
}

void Team::stop() {
  ending_ = true;
  ++round_;
  round_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Team::run(const std::function<void(int)>& work) {
  if (threads_.empty()) {
    work(0);
    return;
  }
  work_ = &work;
  left_ = static_cast<std::uint32_t>(threads_.size());
  ++round_;
  round_.notify_all();
  work(0);
  for (std::uint32_t left = left_; left != 0; left = left_) left_.wait(left);
}

void Team::serve(int part) {
  std::uint32_t seen = 0;
  while (true) {
    round_.wait(seen);
    ++seen;  // rounds are served one by one: the next begins when all parts of this one are done
    if (ending_) return;
    (*work_)(part);
    if (--left_ == 0) left_.notify_one();
  }
}

}  // namespace edgejoule::workloads
