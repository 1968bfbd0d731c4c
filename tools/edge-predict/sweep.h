// One setting taken through many values, and questions about them: what is the largest
// that stays under a limit, which is the cheapest.
//
// Shape: "KEY=FROM:TO:STEP", "KEY=VALUE,VALUE" or "KEY" alone; a key of what_if.h,
// "bind:NAME" for a dimension that an ONNX file leaves open, "at" for operating points and
// "engine" for engines of the table (either alone: all it has).
// Errors: SettingError (a specification or limit that makes no sense), SweepError (no
// value answers the question, or the table cannot).
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "prediction.h"
#include "what_if.h"

namespace edgejoule::predict {

inline constexpr std::size_t kMaxSweepPoints = 1000;

struct SweepError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct SweepSpec {
  std::string key;
  std::vector<std::string> values;  // empty: the key alone was given
};
[[nodiscard]] SweepSpec parse_sweep(std::string_view text);

// What one value costs: the whole model.
struct SweepPoint {
  std::string value;
  NodeEstimate whole;
  std::uint64_t macs = 0;
  std::uint64_t weight_bytes = 0;
  std::uint64_t inputs = 1;  // batch
  std::uint64_t tokens = 0;  // of all inputs; 0: the model has none
};

// Keys whose values the table knows: "at" and "engine".
[[nodiscard]] bool is_of_table(std::string_view key);

// `base` with the key set to each value. Precondition: the specification has values, or is of the table.
[[nodiscard]] std::vector<SweepPoint> price_sweep(const Request& base, const SweepSpec& spec);

struct Limit {
  enum class Kind { kEnergy, kTime } kind = Kind::kEnergy;
  float value = 0.0F;  // joules or seconds
  std::string text;
};
// "2J", "500 mJ", "50ms"
[[nodiscard]] Limit parse_limit(std::string_view text);

struct SweepAnswer {
  std::vector<SweepPoint> points;  // all that were priced, in the order of their values
  std::size_t best = 0;
  std::string talk;  // how it was found, where that is worth saying
};

// The largest value whose dynamic joules, or seconds, stay under the limit. With values: each is
// priced. With a key alone: whole numbers from 1 up, by doubling and bisection; what was
// priced must rise with the value, or the question is refused; so is a limit in seconds
// where the table does not know the model's time.
[[nodiscard]] SweepAnswer find_largest(const Request& base, const SweepSpec& spec, const Limit& limit);

// The value with the fewest dynamic joules, among those under the limit where one is
// given (nullptr: none).
[[nodiscard]] SweepAnswer find_cheapest(const Request& base, const SweepSpec& spec, const Limit* limit);

}  // namespace edgejoule::predict
