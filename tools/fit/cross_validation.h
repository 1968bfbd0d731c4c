// Which measurements are left out together.
//
// Shape: rows of one group (a model, a specification) are never split between fitting
// and testing.
#pragma once

#include <string>
#include <vector>

namespace edgejoule::fit {

// The fold of each row; groups are dealt out by a hash of their name, so that neither
// their order nor a new group moves the others far. At most one fold per group.
[[nodiscard]] std::vector<int> deal_folds(const std::vector<std::string>& groups, int folds);

// The same, where `keys` says what each row is fitted with: the groups of one key after the other are dealt out in
// turn, so that no fold takes more of a key than its share. What spans several keys counts as one key more.
[[nodiscard]] std::vector<int> deal_folds(const std::vector<std::string>& groups, const std::vector<std::string>& keys,
                                          int folds);

}  // namespace edgejoule::fit
