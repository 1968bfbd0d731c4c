// What a table says a graph costs, computed the plain way: double precision, the
// recursive definition, a scan over all rows for every node. It shares no code with
// core, only the file formats.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "schemas/graph_generated.h"
#include "schemas/table_generated.h"

namespace edgejoule::test {

struct ReferenceRuntime {
  double time = -1.0;
  double counter = -1.0;
  double utilisation = -1.0;
};

struct ReferenceCost {
  double dynamic = 0.0;
  double own = 0.0;
  int row = -1;  // of the table
};

struct ReferenceInputs {
  double batch_ratio = 1.0;  // exact features only
  std::uint8_t operating_point = 0;
  std::map<std::uint32_t, ReferenceRuntime> runtime;  // by node
};

[[nodiscard]] std::vector<ReferenceCost> reference_costs(const wire::CoefficientTableT& table,
                                                         const wire::ModelGraphT& graph,
                                                         const ReferenceInputs& inputs = {});

}  // namespace edgejoule::test
