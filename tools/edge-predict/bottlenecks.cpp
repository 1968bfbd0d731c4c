#include "bottlenecks.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <tuple>

#include "explain.h"
#include "text/columns.h"
#include "text/escape.h"
#include "text/quantity_text.h"

namespace edgejoule::predict {
namespace {

using text::Align;
using text::Style;

constexpr unsigned kTriedBatch = 8;
constexpr double kWorthSaying = 0.01;  // of the whole
constexpr std::size_t kShownUses = 2;
constexpr std::size_t kShownKinds = 8;

// Bytes of any tensor are divided by what the op itself reads and writes.
std::optional<Cause> cause_of(Feature feature) {
  switch (feature) {
    case Feature::kOne:
    case Feature::kGroups: return Cause::kLaunch;
    case Feature::kMacs:
    case Feature::kAluOps:
    case Feature::kSpecialOps:
    case Feature::kTransistorOps:
    case Feature::kTiledMacs:
    case Feature::kTiledOutputs:
    case Feature::kShrunkTiledMacs:
    case Feature::kPaddedElements:
    case Feature::kTransformInputs:
    case Feature::kTransformOutputs:
    case Feature::kTransformProducts:
    case Feature::kOwnMacs: return Cause::kArithmetic;
    case Feature::kWeightBytes:
    case Feature::kUniqueWeightBytes:
    case Feature::kScaleBytes:
    case Feature::kParameters:
    case Feature::kTransformWeights: return Cause::kWeights;
    case Feature::kInputBytes:
    case Feature::kOutputBytes:
    case Feature::kActivationBytes:
    case Feature::kInputElements:
    case Feature::kOutputElements:
    case Feature::kPatchBytes:
    case Feature::kSoftmaxBytes:
    case Feature::kAttentionBytes:
    case Feature::kOwnBytes: return Cause::kActivations;
    case Feature::kTensorBytes:
    case Feature::kDramBytes:
    case Feature::kWorkingSetBytes: return std::nullopt;
    case Feature::kTime:
    case Feature::kCounterEnergy:
    case Feature::kUtilisationTime: return Cause::kMeasured;
    default: return Cause::kShape;
  }
}

struct Portion {
  std::uint32_t node = 0;
  Cause cause = Cause::kArithmetic;
  CoefficientUse use;
};

double weight_share(const Facts& facts) {
  const auto weights = static_cast<double>(facts[Fact::kWeightBytes]) + static_cast<double>(facts[Fact::kScaleBytes]);
  const auto activations =
      static_cast<double>(facts[Fact::kInputBytes]) + static_cast<double>(facts[Fact::kOutputBytes]);
  return weights + activations > 0 ? weights / (weights + activations) : 0;
}

void add_node(const Prediction& prediction, std::uint32_t node, std::vector<Portion>& portions) {
  const double own = prediction.node(node).own.value();
  const std::uint32_t row_index = prediction.predictor().row_of(node);
  if (row_index == kNoRow) {
    if (own != 0) portions.push_back({node, Cause::kModules, {kNoRow, {}, own}});
    return;
  }
  const RowView row = prediction.table().row(row_index);
  if (row.form() == RowForm::kLog2) {
    portions.push_back({node, Cause::kWhole, {row_index, {}, own}});
    return;
  }
  const bool is_module = prediction.graph().is_module_node(node);
  double left = own;
  for (const TermShare& share : terms_of(prediction, node)) {
    const double joules = share.contribution;
    left -= joules;
    const std::optional<Cause> cause = cause_of(share.term.feature);
    if (is_module) {
      portions.push_back({node, Cause::kModules, {row_index, share.term, joules}});
    } else if (cause) {
      portions.push_back({node, *cause, {row_index, share.term, joules}});
    } else {
      const double weights = weight_share(prediction.graph().facts(node)) * joules;
      portions.push_back({node, Cause::kWeights, {row_index, share.term, weights}});
      portions.push_back({node, Cause::kActivations, {row_index, share.term, joules - weights}});
    }
  }
  // Of a module: what its row adds to its children.
  if (is_module) portions.push_back({node, Cause::kModules, {row_index, {}, left}});
}

// By coefficient, the largest first.
std::vector<CoefficientUse> summed(const std::vector<CoefficientUse>& uses) {
  std::map<std::tuple<std::uint32_t, Feature, std::uint16_t, std::uint16_t, std::uint16_t>, CoefficientUse> sums;
  for (const CoefficientUse& use : uses) {
    const Tile& tile = use.term.tile;
    CoefficientUse& sum = sums[{use.row, use.term.feature, tile.m, tile.n, tile.k}];
    const double before = sum.joules;
    sum = use;
    sum.joules += before;
  }
  std::vector<CoefficientUse> out;
  for (const auto& [key, use] : sums) {
    if (use.joules != 0) out.push_back(use);
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const CoefficientUse& a, const CoefficientUse& b) { return a.joules > b.joules; });
  return out;
}

// `kept` is the share of a portion that stays; 1 where the remedy does not touch it.
Remedy remedy(std::string what, std::string settings, const std::vector<Portion>& portions,
              const std::function<double(const Portion&)>& kept) {
  Remedy out;
  out.what = std::move(what);
  out.settings = std::move(settings);
  for (const Portion& portion : portions) {
    CoefficientUse use = portion.use;
    use.joules *= 1 - kept(portion);
    if (use.joules == 0) continue;
    out.saved += use.joules;
    out.through.push_back(use);
  }
  out.through = summed(out.through);
  return out;
}

double bytes_per_parameter(const Facts& facts) {
  const auto parameters = static_cast<double>(facts[Fact::kParameters]);
  const auto bytes = static_cast<double>(facts[Fact::kUniqueWeightBytes]);
  return parameters > 0 ? bytes / parameters : 0;
}

// Joules of one of `inferences` that the settings make one of; nothing where the model cannot be changed so.
std::optional<double> repriced(const Prediction& prediction, const std::string& settings, double inferences) {
  Request request = prediction.request();
  for (Setting& setting : parse_settings(settings)) {
    for (const Setting& given : request.settings) {
      if (given.key == setting.key) return std::nullopt;  // the person has chosen it
    }
    request.settings.push_back(std::move(setting));
  }
  try {
    return static_cast<double>(Prediction(request).node(0).dynamic.value()) / inferences;
  } catch (const std::exception&) {
    return std::nullopt;  // the zoo model or the file cannot be changed that way
  }
}

std::vector<Remedy> remedies_for(const Prediction& prediction, const std::vector<Portion>& portions, double whole) {
  const GraphView& graph = prediction.graph();
  std::vector<Remedy> all;
  const std::uint64_t batch = kTriedBatch * prediction.batch();
  all.push_back(remedy(fmt::format("batches of {}: weights are read and ops launched once for all", batch),
                       fmt::format("batch={}", batch), portions, [](const Portion& portion) {
                         const bool once = portion.cause == Cause::kWeights || portion.cause == Cause::kLaunch;
                         return once ? 1.0 / kTriedBatch : 1.0;
                       }));
  all.push_back(remedy("weights stored as 8-bit integers", "", portions, [&](const Portion& portion) {
    const double bytes = bytes_per_parameter(graph.facts(portion.node));
    return portion.cause == Cause::kWeights && bytes > 1 ? 1 / bytes : 1.0;
  }));
  all.push_back(remedy("8-bit integers throughout: a quarter of the bytes of float32, half of float16", "dtype=int8",
                       portions, [&](const Portion& portion) {
                         const DataType type = graph.data_type(portion.node);
                         const double bytes = type == DataType::kFloat32                                  ? 4
                                              : type == DataType::kFloat16 || type == DataType::kBfloat16 ? 2
                                                                                                          : 1;
                         const bool moved = portion.cause == Cause::kWeights || portion.cause == Cause::kActivations;
                         return moved ? 1 / bytes : 1.0;
                       }));
  all.push_back(remedy("element-wise ops and activations fused into the op before them", "", portions,
                       [&](const Portion& portion) {
                         const OpClass op_class = graph.op_class(portion.node);
                         const bool fused = op_class == OpClass::kElementwise || op_class == OpClass::kActivation;
                         const bool goes = portion.cause == Cause::kActivations || portion.cause == Cause::kLaunch;
                         return fused && goes ? 0.0 : 1.0;
                       }));
  all.push_back(remedy(
      "no transposes, concatenations, pads and other copies", "", portions,
      [&](const Portion& portion) { return graph.op_class(portion.node) == OpClass::kDataMovement ? 0.0 : 1.0; }));
  std::erase_if(all, [&](const Remedy& r) { return r.saved < kWorthSaying * whole; });
  for (Remedy& r : all) {
    if (r.settings.empty()) continue;
    r.repriced = repriced(prediction, r.settings, r.settings.starts_with("batch") ? double{kTriedBatch} : 1);
  }
  std::stable_sort(all.begin(), all.end(), [](const Remedy& a, const Remedy& b) { return a.saved > b.saved; });
  return all;
}

}  // namespace

const char* name_of(Cause cause) {
  switch (cause) {
    case Cause::kArithmetic: return "arithmetic";
    case Cause::kWeights: return "weight traffic";
    case Cause::kActivations: return "activation traffic";
    case Cause::kLaunch: return "launch";
    case Cause::kShape: return "shape";
    case Cause::kModules: return "between ops";
    case Cause::kMeasured: return "measured";
    case Cause::kWhole: return "not split";
    case Cause::kStatic: return "static";
  }
  return "";
}

std::string use_text(const Prediction& prediction, const CoefficientUse& use) {
  if (use.row == kNoRow) return "modules without a row";
  const RowView row = prediction.table().row(use.row);
  const std::string of_row = fmt::format("row {}, {}", use.row, row_text(row));
  if (use.term.coefficient == 0) return of_row;
  return fmt::format("{}: {:.4g} {} x {}", of_row, use.term.coefficient, symbol_of(use.term.unit),
                     feature_text(use.term));
}

std::string uses_text(const Prediction& prediction, const std::vector<CoefficientUse>& uses, std::size_t shown) {
  std::string out;
  for (std::size_t i = 0; i < std::min(shown, uses.size()); ++i) {
    out += (i == 0 ? "" : "; ") + use_text(prediction, uses[i]);
  }
  return uses.size() > shown ? out + fmt::format("; and {} more", uses.size() - shown) : out;
}

Bottlenecks bottlenecks_of(const Prediction& prediction) {
  std::vector<Portion> portions;
  for (std::uint32_t i = 0; i < prediction.size(); ++i) add_node(prediction, i, portions);
  if (const NodeEstimate& root = prediction.node(0); !root.flags.has(Flag::kStaticUnknown)) {
    portions.push_back({0, Cause::kStatic, {kNoRow, {}, root.static_part.value()}});
  }
  Bottlenecks out;
  std::map<Cause, std::vector<CoefficientUse>> uses;
  std::map<OpKind, KindCauses> kinds;
  for (const Portion& portion : portions) {
    out.whole += portion.use.joules;
    uses[portion.cause].push_back(portion.use);
    if (prediction.graph().is_module_node(portion.node)) continue;
    KindCauses& kind = kinds[prediction.graph().kind(portion.node)];
    kind.kind = prediction.graph().kind(portion.node);
    kind.joules += portion.use.joules;
    kind.by_cause[static_cast<std::size_t>(portion.cause)] += portion.use.joules;
  }
  for (const auto& [cause, all] : uses) {
    CauseSum sum{cause, 0, summed(all)};
    for (const CoefficientUse& use : all) sum.joules += use.joules;
    if (sum.joules != 0) out.causes.push_back(std::move(sum));
  }
  std::stable_sort(out.causes.begin(), out.causes.end(),
                   [](const CauseSum& a, const CauseSum& b) { return a.joules > b.joules; });
  for (const auto& [kind, sum] : kinds) out.kinds.push_back(sum);
  std::stable_sort(out.kinds.begin(), out.kinds.end(),
                   [](const KindCauses& a, const KindCauses& b) { return a.joules > b.joules; });
  out.remedies = remedies_for(prediction, portions, out.whole);
  return out;
}

std::string bottlenecks_text(const Prediction& prediction, const TextOptions& options) {
  const Bottlenecks found = bottlenecks_of(prediction);
  const auto share = [&](double joules) { return text::percent(found.whole > 0 ? joules / found.whole : 0); };
  text::Columns causes({"energy", "share", "goes into", "through"},
                       {Align::kRight, Align::kRight, Align::kLeft, Align::kLeft});
  for (const CauseSum& sum : found.causes) {
    causes.add({{text::si(sum.joules, "J"), Style::kBold},
                {share(sum.joules)},
                {name_of(sum.cause)},
                {sum.cause == Cause::kStatic ? "static power x time" : uses_text(prediction, sum.through, kShownUses),
                 Style::kDim}});
  }
  std::string out = causes.render(options.colour, options.width, 3) + "\n";

  std::vector<std::string> header{"energy", "share", "kind"};
  std::vector<Align> align{Align::kRight, Align::kRight, Align::kLeft};
  for (const CauseSum& sum : found.causes) {
    if (sum.cause == Cause::kStatic || sum.cause == Cause::kModules) continue;
    header.emplace_back(name_of(sum.cause));
    align.push_back(Align::kRight);
  }
  text::Columns kinds(header, align);
  const std::size_t shown = std::min<std::size_t>(found.kinds.size(), options.top.value_or(kShownKinds));
  for (std::size_t i = 0; i < shown; ++i) {
    const KindCauses& kind = found.kinds[i];
    std::vector<text::Cell> row{
        {text::si(kind.joules, "J")}, {share(kind.joules)}, {std::string(edgejoule::name_of(kind.kind))}};
    for (const CauseSum& sum : found.causes) {
      if (sum.cause == Cause::kStatic || sum.cause == Cause::kModules) continue;
      const double part = kind.by_cause[static_cast<std::size_t>(sum.cause)];
      row.push_back({part == 0 ? "-" : text::percent(kind.joules > 0 ? part / kind.joules : 0)});
    }
    kinds.add(std::move(row));
  }
  out += kinds.render(options.colour, options.width, 2);
  if (shown < found.kinds.size()) out += fmt::format("... and {} more kinds\n", found.kinds.size() - shown);

  out += "\nwhat would help, at unchanged coefficients:\n";
  if (found.remedies.empty()) out += "  nothing that edgejoule knows of saves a hundredth\n";
  for (const Remedy& r : found.remedies) {
    out += fmt::format("  {:>7}  {:>8}  {}\n", "-" + share(r.saved), text::si(r.saved, "J"),
                       text::styled(r.what, Style::kBold, options.colour));
    out += text::styled(fmt::format("{:21}through {}\n", "", uses_text(prediction, r.through, kShownUses)), Style::kDim,
                        options.colour);
    if (r.repriced) {
      out += fmt::format("{:21}priced again with {}: {} instead of {}\n", "", r.settings, text::si(*r.repriced, "J"),
                         text::si(prediction.node(0).dynamic));
    }
  }
  return out;
}

}  // namespace edgejoule::predict
