// Two accounted runs side by side: line by line, with the intervals of difference and ratio.
//
// Shape: lines belong together where they have the same name and come in the same place among those of that name; in
// trees, where those above them do too (the roots always do). The runs were measured apart and share no errors.
// Units: joules and seconds of one inference; of the whole run where neither run has inferences.
// Errors: AccountError where the two do not mean the same by a joule.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "account/lines.h"

namespace edgejoule::account {

struct Ratio {
  double value = 0, lower = 0, upper = 0;  // of 90 %
};

// Of one run; without an energy the line could not be resolved.
struct ComparedSide {
  double seconds = 0;
  std::optional<Energy> energy;
};

struct ComparedLine {
  std::string name;                // printable; of modules in a list their path
  std::uint32_t parent = kNoNode;  // another line, of trees
  std::uint32_t depth = 0;
  std::optional<ComparedSide> a, b;  // at least one

  // b - a; a side that lacks the line took nothing for it. None: a side that has it could not resolve it.
  [[nodiscard]] std::optional<Energy> difference() const;
  // b / a; none where either lacks it, or is not above nothing by its interval.
  [[nodiscard]] std::optional<Ratio> ratio() const;
};

struct RunOfModel {
  const Account& account;
  const Model* model = nullptr;
};

struct RunComparison {
  bool is_dynamic = false;  // else total joules, as one run knows no idle
  bool per_inference = false;
  ComparedLine whole;
  std::vector<ComparedLine> lines;  // the biggest movers first, those not resolved last; a tree in preorder
  std::vector<std::string> notes;
};

[[nodiscard]] RunComparison compare(const RunOfModel& a, const RunOfModel& b, By by);

}  // namespace edgejoule::account
