// Where the energy of a prediction goes, by cause, and what would lower it by how much.
//
// Shape: every joule is a term of the row that priced a node, or static; a term's feature says its cause. What a
// remedy saves is computed from those terms at unchanged coefficients, and names the largest of them; a remedy that
// the table can price as a model of its own (batch, data type) is priced again, too.
// Errors: as terms_of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "prediction.h"
#include "text_view.h"

namespace edgejoule::predict {

enum class Cause : std::uint8_t {
  kArithmetic,   // MACs and other operations
  kWeights,      // reading parameters and scales
  kActivations,  // reading and writing what ops hand on
  kLaunch,       // once per op or per group, whatever its size
  kShape,        // terms of sizes that are neither work nor bytes
  kModules,      // of modules beside their children
  kMeasured,     // known while running: time, a counter
  kWhole,        // rows that are a product: no sum to split
  kStatic,       // static power times time
};
inline constexpr std::size_t kCauses = 9;
[[nodiscard]] const char* name_of(Cause cause);

// One coefficient of the table, and what goes through it.
struct CoefficientUse {
  std::uint32_t row = 0;
  Term term;
  double joules = 0;
};

struct CauseSum {
  Cause cause = Cause::kArithmetic;
  double joules = 0;
  std::vector<CoefficientUse> through;  // the largest first
};

struct KindCauses {
  OpKind kind = OpKind::kUnknown;
  double joules = 0;
  double by_cause[kCauses] = {};
};

struct Remedy {
  std::string what;  // "read weights as 8-bit integers"
  double saved = 0;  // joules of one inference, at unchanged coefficients
  std::vector<CoefficientUse> through;
  std::string settings;            // "batch=8": what it is priced again by; "" where it cannot be
  std::optional<double> repriced;  // dynamic joules of one inference
};

struct Bottlenecks {
  double whole = 0;               // dynamic, and static where time is known
  std::vector<CauseSum> causes;   // the largest first, none at zero
  std::vector<KindCauses> kinds;  // the largest first
  std::vector<Remedy> remedies;   // those that save at least a hundredth, the largest first
};

[[nodiscard]] Bottlenecks bottlenecks_of(const Prediction& prediction);
[[nodiscard]] std::string bottlenecks_text(const Prediction& prediction, const TextOptions& options);

// "row 3, conv_2d float32: 5.1 pJ x macs"
[[nodiscard]] std::string use_text(const Prediction& prediction, const CoefficientUse& use);
// The first `shown` of them, and how many more there are.
[[nodiscard]] std::string uses_text(const Prediction& prediction, const std::vector<CoefficientUse>& uses,
                                    std::size_t shown);

}  // namespace edgejoule::predict
