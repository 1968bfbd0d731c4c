#include "fit/cross_validation.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>

namespace edgejoule::fit {
namespace {

std::uint64_t hash_of(const std::string& text) {  // FNV-1a
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 1099511628211ULL;
  return hash;
}

}  // namespace

std::vector<int> deal_folds(const std::vector<std::string>& groups, int folds) {
  return deal_folds(groups, std::vector<std::string>(groups.size()), folds);
}

std::vector<int> deal_folds(const std::vector<std::string>& groups, const std::vector<std::string>& keys, int folds) {
  std::map<std::string, std::string> key_of;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto known = key_of.emplace(groups[i], keys[i]).first;
    if (known->second != keys[i]) known->second.clear();
  }
  std::set<std::tuple<std::string, std::uint64_t, std::string>> order;
  for (const auto& [group, key] : key_of) order.emplace(key, hash_of(group), group);
  std::map<std::string, int> fold_of;
  const int count = std::min(folds, static_cast<int>(order.size()));
  for (const auto& [key, hash, group] : order) {
    const int next = static_cast<int>(fold_of.size()) % count;
    fold_of[group] = next;
  }
  std::vector<int> result;
  for (const std::string& group : groups) result.push_back(fold_of[group]);
  return result;
}

}  // namespace edgejoule::fit
