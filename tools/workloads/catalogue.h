// Collects candidates key by key: what one key is, which of its shapes are held out,
// which do not fit the machine.
#pragma once

#include <string>
#include <vector>

#include "workloads/workload.h"

namespace edgejoule::workloads {

class Catalogue {
 public:
  explicit Catalogue(const CandidateOptions& options) : options_(options) {}

  // With one thread and with all there are; left out where its tensors exceed the
  // memory, or are about as large as the cache: neither one thing nor the other.
  void add(graph::OpNode op, const std::string& name, std::uint64_t rows = 1);
  // Ends a key. Every fourth of its shapes is held out, never the first or last.
  void close_key(double importance);

  [[nodiscard]] std::uint64_t last_level_bytes() const { return options_.last_level_bytes; }
  [[nodiscard]] std::vector<Candidate> finish() { return std::move(out_); }

  // Element counts from a kilobyte up to several times the cache.
  [[nodiscard]] std::vector<std::uint64_t> stream_sizes(std::uint64_t bytes_per_element) const;

 private:
  CandidateOptions options_;
  std::vector<Candidate> pending_;  // of one key
  std::vector<Candidate> out_;
};

}  // namespace edgejoule::workloads
