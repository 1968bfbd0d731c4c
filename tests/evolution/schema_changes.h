// What changed between two schemas that would make old files or old readers fail.
//
// It exists because `flatc --conform` does not see a removed last field or enumerator,
// a grown struct, or a changed file identifier.
#pragma once

#include <flatbuffers/reflection.h>

#include <string>
#include <vector>

namespace edgejoule::test {

// One sentence per change that breaks; empty where every file of `released` still
// means the same under `current` and the other way round.
[[nodiscard]] std::vector<std::string> breaking_changes(const reflection::Schema& released,
                                                        const reflection::Schema& current);

}  // namespace edgejoule::test
