// What a module is made of, as facts that rows can test: from "children of exactly these
// kinds" to "attention, lookups, a holder of modules or a block of ops".
//
// Shape: child_kinds is a hash below 2^24 (exact in float32) of the sorted kinds and
// their counts; modules count as one, few (two or three) or many, because the depth of a
// network does not change what its layers cost. A root and a module with bytes of its
// own hash apart.
#pragma once

#include <span>
#include <vector>

#include "measurements/measurement_set.h"

namespace edgejoule::measurements {

// Sets kChildKinds, kChildClasses and kModuleShape from m.children.
void describe_structure(Measurement& m, std::span<const Measurement> all, bool has_own_bytes);

}  // namespace edgejoule::measurements
