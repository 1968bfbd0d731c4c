#include "fit/cross_validation.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>

namespace edgejoule::fit {
namespace {

std::uint64_t hash_of(const std::string& text) {  // FNV-1a
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 1099511628211ULL;
  return hash;
}

}  // namespace

std::vector<int> deal_folds(const std::vector<std::string>& groups, int folds) {
  std::set<std::pair<std::uint64_t, std::string>> order;
  for (const std::string& group : groups) order.emplace(hash_of(group), group);
  std::map<std::string, int> fold_of;
  const int count = std::min(folds, static_cast<int>(order.size()));
  for (const auto& [hash, group] : order) {
    const int next = static_cast<int>(fold_of.size()) % count;
    fold_of[group] = next;
  }
  std::vector<int> result;
  for (const std::string& group : groups) result.push_back(fold_of[group]);
  return result;
}

}  // namespace edgejoule::fit
