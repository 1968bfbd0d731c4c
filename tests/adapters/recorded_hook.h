// A hook that remembers what it was told: markers as text, prices as they were reported.
// Its clock rises by one with each reading.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "edgejoule/edgejoule.h"

namespace edgejoule::test {

class RecordedHook {
 public:
  RecordedHook();

  // Each op of the runtime costs its node's entry in joules.
  void price(const std::vector<float>& joules_by_node);
  void start();
  [[nodiscard]] edgejoule_hook* get() { return &hook_; }

  // "+op 7 CONV_2D", "-op 7 CONV_2D" and so on; "@1" behind those of part 1. Each once.
  [[nodiscard]] std::vector<std::string> marks();

  std::vector<float> op_joules;
  std::vector<float> inference_joules;
  int budgets_spent = 0;

 private:
  std::int64_t now_ns_ = 0;
  std::vector<std::uint64_t> memory_;
  std::vector<edgejoule_estimate> estimates_;
  edgejoule_markers markers_{};
  edgejoule_hook_options options_{};
  edgejoule_hook hook_{};
};

}  // namespace edgejoule::test
