// Reads all that a view shows, so that a sanitizer sees what an unchecked index would do.
#pragma once

#include "edgejoule/core/graph.h"
#include "edgejoule/core/table.h"

namespace edgejoule::test {

void touch_everything(const GraphView& graph);
void touch_everything(const CoefficientTable& table);

}  // namespace edgejoule::test
