#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "workloads/workload.h"

namespace edgejoule::workloads {
namespace {

using Key = std::tuple<OpKind, DataType, DataType, int>;

Key key_of(const Workload& workload) {
  return {workload.op.kind, workload.op.data_type, workload.op.weight_type, workload.threads};
}

std::uint64_t footprint(const Workload& workload) {
  const Facts& facts = workload.op.facts;
  return std::max(facts[Fact::kInputBytes] + facts[Fact::kOutputBytes] + facts[Fact::kWeightBytes],
                  facts[Fact::kUniqueWeightBytes]);
}

TEST(Candidates, AreTheSameEveryTimeAndHaveNamesOfTheirOwn) {
  const std::vector<Candidate> once = candidates({.max_threads = 4});
  const std::vector<Candidate> again = candidates({.max_threads = 4});
  ASSERT_EQ(once.size(), again.size());
  std::set<std::string> names;
  for (std::size_t i = 0; i < once.size(); ++i) {
    EXPECT_EQ(once[i].workload.name, again[i].workload.name);
    EXPECT_EQ(once[i].held_out, again[i].held_out);
    EXPECT_TRUE(names.insert(once[i].workload.name).second) << once[i].workload.name;
  }
}

TEST(Candidates, OneThreadAsksForOneThread) {
  for (const Candidate& candidate : candidates({.max_threads = 1})) EXPECT_EQ(candidate.workload.threads, 1);
}

// Every key can be fitted and validated, on both sides of the cache where it streams.
TEST(Candidates, EveryKeyHasShapesToFitAndShapesToHoldOut) {
  const CandidateOptions options{.last_level_bytes = 4U << 20U, .memory_bytes = 2U << 30U, .max_threads = 6};
  std::map<Key, std::pair<int, int>> counts;
  for (const Candidate& candidate : candidates(options)) {
    auto& [fitted, held_out] = counts[key_of(candidate.workload)];
    ++(candidate.held_out ? held_out : fitted);
  }
  EXPECT_GE(counts.size(), 50U);
  for (const auto& [key, count] : counts) {
    EXPECT_GE(count.first, 5) << name_of(std::get<0>(key));
    EXPECT_GE(count.second, 1) << name_of(std::get<0>(key));
  }
}

TEST(Candidates, FootprintsStayClearOfTheSizeOfTheCacheAndWithinMemory) {
  const CandidateOptions options{.last_level_bytes = 4U << 20U, .memory_bytes = 128U << 20U, .max_threads = 1};
  int above = 0;
  for (const Candidate& candidate : candidates(options)) {
    const std::uint64_t bytes = footprint(candidate.workload);
    EXPECT_TRUE(bytes <= options.last_level_bytes / 2 || bytes >= options.last_level_bytes * 2)
        << candidate.workload.name;
    EXPECT_LE(bytes, options.memory_bytes / 2) << candidate.workload.name;
    above += bytes > options.last_level_bytes ? 1 : 0;
  }
  EXPECT_GE(above, 10);
}

}  // namespace
}  // namespace edgejoule::workloads
