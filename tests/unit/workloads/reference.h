// What a workload should have computed: plain loops in double precision over what it
// says it read.
#pragma once

#include <vector>

#include "workloads/workload.h"

namespace edgejoule::test {

struct Reference {
  std::vector<double> output;
  // Of rounding to the output's type and of the order of sums: what may differ.
  double tolerance = 0;
};

[[nodiscard]] Reference reference(const workloads::Workload& workload, const workloads::Operands& operands);

}  // namespace edgejoule::test
