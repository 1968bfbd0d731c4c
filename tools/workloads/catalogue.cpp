#include "workloads/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace edgejoule::workloads {

void Catalogue::add(graph::OpNode op, const std::string& name, std::uint64_t rows) {
  constexpr std::uint64_t kClear = 2;
  const Facts& facts = op.facts;
  const std::uint64_t traffic =
      facts[Fact::kInputBytes] + facts[Fact::kOutputBytes] + facts[Fact::kWeightBytes] + facts[Fact::kScaleBytes];
  const std::uint64_t held = std::max(traffic, facts[Fact::kUniqueWeightBytes]);
  if (held > options_.memory_bytes / kClear) return;
  if (held > options_.last_level_bytes / kClear && held < options_.last_level_bytes * kClear) return;
  op.name = name;
  for (const int threads : {1, options_.max_threads}) {
    Candidate candidate;
    candidate.workload = {.name = fmt::format("{}-t{}", name, threads), .op = op, .threads = threads, .rows = rows};
    pending_.push_back(std::move(candidate));
    if (options_.max_threads <= 1) break;
  }
}

void Catalogue::close_key(double importance) {
  for (const int threads : {1, options_.max_threads}) {
    std::vector<Candidate> key;
    std::copy_if(pending_.begin(), pending_.end(), std::back_inserter(key),
                 [threads](const Candidate& c) { return c.workload.threads == threads; });
    for (std::size_t i = 0; i < key.size(); ++i) {
      key[i].held_out = i % 4 == 2 && i + 1 < key.size();
      key[i].importance = importance;
    }
    std::move(key.begin(), key.end(), std::back_inserter(out_));
    if (options_.max_threads <= 1) break;
  }
  pending_.clear();
}

std::vector<std::uint64_t> Catalogue::stream_sizes(std::uint64_t bytes_per_element) const {
  std::vector<std::uint64_t> sizes{1024, 3136, 12544, 50176, 100352, 200704};
  for (const std::uint64_t times : {3U, 4U, 6U}) {
    sizes.push_back((times * options_.last_level_bytes / bytes_per_element + 1023) / 1024 * 1024);
  }
  return sizes;
}

}  // namespace edgejoule::workloads
