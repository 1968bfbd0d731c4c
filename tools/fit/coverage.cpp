#include "fit/coverage.h"

#include <algorithm>
#include <map>

namespace edgejoule::fit {
namespace {

// A generator of our own: the same draws with every standard library.
class Draws {
 public:
  std::size_t below(std::size_t n) {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return static_cast<std::size_t>((z ^ (z >> 31U)) % n);
  }

 private:
  std::uint64_t state_ = 1;
};

struct Group {
  double weight = 0, inside = 0;
};

}  // namespace

double weighted_quantile(std::vector<std::pair<double, double>> values, double q) {
  std::sort(values.begin(), values.end());
  double total = 0, sum = 0;
  for (const auto& [value, weight] : values) total += weight;
  for (const auto& [value, weight] : values) {
    sum += weight;
    if (sum >= q * total * (1 - 1e-12)) return value;
  }
  return values.empty() ? 0 : values.back().first;
}

Coverage coverage_of(const std::vector<Checked>& rows, double confidence, int draws) {
  Coverage result;
  const double alpha = 1 - confidence;
  std::map<int, Group> by_group;
  double weight = 0;
  for (const Checked& row : rows) {
    const bool inside = row.residual >= row.lower && row.residual <= row.upper;
    const double missed = std::max({row.lower - row.residual, row.residual - row.upper, 0.0});
    Group& group = by_group[row.group];
    group.weight += row.weight;
    group.inside += inside ? row.weight : 0;
    weight += row.weight;
    result.share += inside ? row.weight : 0;
    result.mean_width += row.weight * (row.upper - row.lower);
    result.score += row.weight * (row.upper - row.lower + 2 / alpha * missed);
  }
  if (weight <= 0) return result;
  result.share /= weight;
  result.mean_width /= weight;
  result.score /= weight;
  std::vector<Group> groups;
  result.worst_group = 1;
  for (const auto& [id, group] : by_group) {
    groups.push_back(group);
    result.worst_group = std::min(result.worst_group, group.inside / group.weight);
  }
  result.groups = groups.size();
  std::vector<double> shares;
  Draws random;
  for (int draw = 0; draw < draws; ++draw) {
    Group sum;
    for (std::size_t i = 0; i < groups.size(); ++i) {
      const Group& picked = groups[random.below(groups.size())];
      sum.weight += picked.weight;
      sum.inside += picked.inside;
    }
    shares.push_back(sum.inside / sum.weight);
  }
  std::sort(shares.begin(), shares.end());
  const auto at = [&](double q) {
    return shares[static_cast<std::size_t>(q * static_cast<double>(shares.size() - 1))];
  };
  result.low = at(0.025);
  result.high = at(0.975);
  return result;
}

}  // namespace edgejoule::fit
