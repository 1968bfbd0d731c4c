#include "fit/tree_fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>

#include "graph/data_types.h"

namespace edgejoule::fit {
namespace {

using measurements::Measurement;
using measurements::NodeLevel;
using Rows = std::vector<std::size_t>;

constexpr std::size_t kFewestOfAKey = 5;  // below, a kind is left to its class
constexpr std::uint64_t kAttentionShape = 1;
constexpr double kLeastGain = 1.0 / 64;  // that core takes for a module's children

bool has_weights(const Measurement& m) {
  return m.facts[Fact::kWeightBytes] > 0;
}

bool is_known(const Measurement& m, Known known) {
  return m.time_seconds > 0 && (known == Known::kTime || (m.counter_joules >= 0 && m.utilisation >= 0));
}

bool has_macs(OpClass op_class) {
  return op_class == OpClass::kConvolution || op_class == OpClass::kTransposedConvolution ||
         op_class == OpClass::kMatrix || op_class == OpClass::kRecurrent || op_class == OpClass::kAttention;
}

bool is_attention(const Measurement& m) {
  return m.facts[Fact::kModuleShape] == kAttentionShape;
}

double octaves(std::uint64_t size) {
  return std::log2(std::max(static_cast<double>(size), 1.0));
}

std::size_t groups_among(const Observations& observations, const Rows& rows) {
  std::set<std::string> groups;
  for (const std::size_t row : rows) groups.insert(observations[row].group);
  return groups.size();
}

Eigen::VectorXd weights_of(const Observations& observations, const Rows& rows) {
  Eigen::VectorXd weights(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) weights[static_cast<Eigen::Index>(i)] = observations[rows[i]].weight;
  return weights;
}

// A row that came out without a run-time fact must still ask for it: for the time, or it
// would answer where nothing is known; for the counter beside it, or core, which prefers
// the row that asks for most, would prefer the row of the time alone.
void ask_for(Feature fact, FittedRow& row) {
  constexpr double kNothing = 1e-9;
  const auto asks = [&](const FittedTerm& term) { return term.spec.feature == fact; };
  if (std::none_of(row.terms.begin(), row.terms.end(), asks)) {
    row.terms.push_back({{fact, {}}, kNothing, 0, std::numeric_limits<double>::infinity()});
  }
}

// The terms of module rows, behind the children's joules: of modules with attention of
// their own, and of the others.
struct OwnTerm {
  Eigen::Index column;
  Feature feature;
};
constexpr std::array<OwnTerm, 3> kOwnTerms = {{{1, Feature::kOne}, {2, Feature::kOwnBytes}, {3, Feature::kOwnMacs}}};
constexpr std::array<OwnTerm, 4> kAttentionTerms = {
    {{4, Feature::kOne}, {5, Feature::kSoftmaxBytes}, {6, Feature::kAttentionBytes}, {7, Feature::kOwnBytes}}};

}  // namespace

Roofline::Roofline(const Observations& observations, Rows rows, Feature work)
    : terms_{{Feature::kOne, {}}, {Feature::kTensorBytes, {}}, {work, {}}}, rows_(std::move(rows)) {
  Rows elements;
  for (const std::size_t row : rows_) {
    if (!has_macs(observations[row].op_class)) elements.push_back(row);
  }
  const auto fit = [&](const Rows& from, std::size_t terms, const RelativeFitOptions& options) {
    return fit_relative(observations.columns(from, {terms_.data(), terms}), observations.energies(from),
                        weights_of(observations, from), options);
  };
  RelativeFitOptions options;
  options.ridge = 1e-4;
  if (elements.empty() || elements.size() == rows_.size()) {
    coefficients_ = Eigen::VectorXd::Zero(3);
    const auto terms = static_cast<Eigen::Index>(elements.empty() ? 3 : 2);
    coefficients_.head(terms) = fit(rows_, static_cast<std::size_t>(terms), options);
    return;
  }
  Rows products;
  for (const std::size_t row : rows_) {
    if (has_macs(observations[row].op_class)) products.push_back(row);
  }
  options.prior = Eigen::VectorXd::Zero(3);
  options.prior.head(2) = fit(elements, 2, options);
  options.penalty = Eigen::VectorXd::Constant(3, 1e10);  // what ops without MACs say stands
  options.penalty[2] = 1;
  coefficients_ = fit(products, 3, options);
}

Eigen::VectorXd Roofline::predict(const Observations& observations, const Rows& rows) const {
  constexpr double kSmallestJoules = 1e-12;
  return (observations.columns(rows, terms_) * coefficients_).cwiseMax(kSmallestJoules);
}

FittedRow Roofline::table_row(const Observations& observations) const {
  FittedRow row;
  row.level = Level::kRoofline;
  row.terms = fitted_terms(terms_, coefficients_, observations.columns(rows_, terms_));
  row.measurements = rows_;
  return row;
}

Feature roofline_work(const Observations& observations, const Rows& rows) {
  std::map<DataType, Rows> by_type;
  for (const std::size_t row : rows) by_type[observations[row].data_type].push_back(row);
  if (by_type.size() < 2) return Feature::kMacs;
  const auto error_with = [&](Feature work) {
    double sum = 0;
    for (const auto& [type, left_out] : by_type) {
      Rows train;
      for (const std::size_t row : rows) {
        if (observations[row].data_type != type) train.push_back(row);
      }
      const Eigen::VectorXd predicted = Roofline(observations, train, work).predict(observations, left_out);
      sum += (predicted.array() / observations.energies(left_out).array()).log().abs().mean();
    }
    return sum;
  };
  return error_with(Feature::kTransistorOps) < error_with(Feature::kMacs) ? Feature::kTransistorOps : Feature::kMacs;
}

OpRow class_row(const Observations& observations, OpClass op_class, Rows rows, const OpFitOptions& options) {
  OpFitOptions plain;
  plain.most_leaves = 1;
  plain.forms.resize(2);  // one row, and robust
  plain.forms.erase(plain.forms.begin());
  plain.common = options.common;
  if (!has_macs(op_class)) return {observations, std::move(rows), element_terms(), plain};
  Rows with_weights;
  for (const std::size_t row : rows) {
    if (has_weights(observations[row])) with_weights.push_back(row);
  }
  // Dense layers are one kernel under several names: what was learned of one holds for
  // the others, tiles and sizes included.
  if (op_class == OpClass::kMatrix && !with_weights.empty()) {
    OpFitOptions rows_alone = options;
    rows_alone.most_leaves = 1;
    return {observations, std::move(with_weights), rich_terms(op_class, true), rows_alone};
  }
  return {observations, std::move(rows), fallback_terms(), plain};
}

Eigen::RowVectorXd TreeFit::module_terms(const Measurement& m, double children_joules) {
  Eigen::RowVectorXd terms = Eigen::RowVectorXd::Zero(kModuleTerms);
  terms[0] = children_joules;
  const auto fact = [&](Feature feature) -> double {
    switch (feature) {
      case Feature::kOwnBytes: return static_cast<double>(m.facts[Fact::kOwnBytes]);
      case Feature::kOwnMacs: return static_cast<double>(m.facts[Fact::kOwnMacs]);
      case Feature::kSoftmaxBytes: return static_cast<double>(m.facts[Fact::kSoftmaxBytes]);
      case Feature::kAttentionBytes: return static_cast<double>(m.facts[Fact::kAttentionBytes]);
      default: return 1;
    }
  };
  // Attention is written out or fused by the library, other modules are not: the two
  // never share what a byte costs.
  if (is_attention(m)) {
    for (const OwnTerm& term : kAttentionTerms) terms[term.column] = fact(term.feature);
  } else {
    for (const OwnTerm& term : kOwnTerms) terms[term.column] = fact(term.feature);
  }
  return terms;
}

std::vector<int> TreeFit::module_keys(const Measurement& m) {
  return {static_cast<int>(m.facts[Fact::kChildKinds]), static_cast<int>(m.facts[Fact::kChildClasses]),
          static_cast<int>(m.facts[Fact::kModuleShape]), 0};
}

TreeFit::Key TreeFit::key_of(const Measurement& m) {
  return {m.kind, m.data_type, graph::is_float(m.data_type) && m.facts[Fact::kScaleBytes] > 0};
}

TreeFit::TreeFit(const Observations& observations, const std::vector<bool>& training, const TreeFitOptions& options)
    : observations_(&observations), training_(training) {
  std::map<Key, Rows> by_key;
  std::map<OpClass, Rows> by_class;
  Rows all;
  for (std::size_t i = 0; i < observations.size(); ++i) {
    const Measurement& m = observations[i];
    if (m.level != NodeLevel::kOp || !training[i]) continue;
    by_key[key_of(m)].push_back(i);
    by_class[m.op_class].push_back(i);
    all.push_back(i);
  }
  OpFitOptions ops = options.ops;
  ops.common = CommonCosts(observations, all, observations.energies(all));
  for (auto& [key, rows] : by_key) {
    if (key.kind == OpKind::kUnknown || rows.size() < kFewestOfAKey || groups_among(observations, rows) < 2) continue;
    const Measurement& first = observations[rows.front()];
    OpFitOptions of_key = ops;
    if (key.scaled_weights) of_key.most_leaves = 1;  // one condition of a row says that it is for such weights
    if (options.known_rows) fit_known(key, rows, of_key);
    kinds_.try_emplace(key, observations, std::move(rows), rich_terms(first.op_class, has_weights(first)), of_key);
  }
  for (auto& [op_class, rows] : by_class) {
    // A row for any kind of the class must not hang on as many measurements as it has terms.
    const std::size_t fewest = has_macs(op_class) ? 2 * fallback_terms().terms.size() : kFewestOfAKey;
    if (op_class == OpClass::kUnknown || rows.size() < fewest) continue;
    classes_.emplace(op_class, class_row(observations, op_class, std::move(rows), ops));
  }
  if (!all.empty()) {
    const Feature work = roofline_work(observations, all);
    roofline_.emplace(observations, std::move(all), work);
  }
  if (options.module_rows) fit_modules(options.ladder);
  if (options.module_rows && options.known_rows) fit_counted_modules();
}

void TreeFit::fit_known(const Key& key, const Rows& rows, const OpFitOptions& options) {
  for (const Known known : {Known::kTime, Known::kCounter}) {
    Rows measured;
    for (const std::size_t row : rows) {
      if (is_known((*observations_)[row], known)) measured.push_back(row);
    }
    if (measured.size() < kFewestOfAKey || groups_among(*observations_, measured) < 2) continue;
    const OpTerms terms =
        known == Known::kTime ? timed_terms((*observations_)[measured.front()].op_class) : counted_terms();
    OpFitOptions of_terms;
    of_terms.forms = measured_forms(terms.terms.size());
    of_terms.most_leaves = known == Known::kTime ? options.most_leaves : 1;
    of_terms.trees = 1;
    known_.try_emplace({key, known}, *observations_, std::move(measured), terms, of_terms);
  }
}

// With a counter at every node a module needs its children no more; core keeps a little.
void TreeFit::fit_counted_modules() {
  for (std::size_t i = 0; i < observations_->size(); ++i) {
    const Measurement& m = (*observations_)[i];
    if (training_[i] && m.level != NodeLevel::kOp && !m.children.empty() && is_known(m, Known::kCounter)) {
      counted_modules_.push_back(i);
    }
  }
  if (counted_modules_.size() < kFewestOfAKey) return;
  const std::array<TermSpec, 2> terms = {{{Feature::kCounterEnergy, {}}, {Feature::kTime, {}}}};
  Eigen::VectorXd beyond = observations_->energies(counted_modules_);
  for (std::size_t i = 0; i < counted_modules_.size(); ++i) {
    const Measurement& m = (*observations_)[counted_modules_[i]];
    for (const auto& child : m.children) {
      beyond[static_cast<Eigen::Index>(i)] -= kLeastGain * child.count * (*observations_)[child.index].energy_joules;
    }
  }
  if (beyond.minCoeff() <= 0) return;
  RelativeFitOptions options;
  options.robust_steps = 3;
  counted_module_ = fit_relative(observations_->columns(counted_modules_, terms), beyond,
                                 weights_of(*observations_, counted_modules_), options);
}

std::vector<double> TreeFit::price_known(Known known) const {
  const Observations& all = *observations_;
  std::vector<double> joules(all.size(), std::numeric_limits<double>::quiet_NaN());
  std::map<Key, Rows> by_key;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Measurement& m = all[i];
    if (m.level == NodeLevel::kOp && is_known(m, known)) by_key[key_of(m)].push_back(i);
  }
  for (const auto& [key, rows] : by_key) {
    const auto own = known_.find({key, known});
    if (own == known_.end()) continue;
    const Eigen::VectorXd priced = own->second.predict(all, rows);
    for (std::size_t r = 0; r < rows.size(); ++r) joules[rows[r]] = priced[static_cast<Eigen::Index>(r)];
  }
  if (known != Known::kCounter || counted_module_.size() == 0) return joules;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Measurement& m = all[i];
    if (m.level == NodeLevel::kOp || m.children.empty() || !is_known(m, known)) continue;
    double children = 0;
    for (const auto& child : m.children) children += child.count * joules[child.index];
    joules[i] = kLeastGain * children + counted_module_[0] * m.counter_joules + counted_module_[1] * m.time_seconds;
  }
  return joules;
}

void TreeFit::fit_modules(const LadderOptions& options) {
  Rows modules, elements;
  for (std::size_t i = 0; i < observations_->size(); ++i) {
    const Measurement& m = (*observations_)[i];
    if (!training_[i]) continue;
    if (m.level != NodeLevel::kOp && !m.children.empty()) modules.push_back(i);
    if (m.kind == OpKind::kLayerNorm || m.op_class == OpClass::kSoftmax) elements.push_back(i);
  }
  if (modules.empty()) return;
  const OpTerms places{{}, {Feature::kBatch, Feature::kSequence}, 0};
  const auto table_of = [&](const Rows& rows, auto terms_of) {
    RowData data = row_data(*observations_, rows, places);
    data.terms.resize(data.size(), kModuleTerms);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      data.terms.row(static_cast<Eigen::Index>(r)) = terms_of((*observations_)[rows[r]]);
    }
    return data;
  };
  LadderData data;
  data.rows = table_of(modules, [&](const Measurement& m) {
    double children = 0;
    for (const auto& child : m.children) children += child.count * (*observations_)[child.index].energy_joules;
    return module_terms(m, children);
  });
  data.keys.resize(module_keys((*observations_)[modules.front()]).size());
  for (const std::size_t row : modules) {
    const std::vector<int> keys = module_keys((*observations_)[row]);
    for (std::size_t level = 0; level < keys.size(); ++level) data.keys[level].push_back(keys[level]);
  }
  const RowData alone = table_of(elements, [](const Measurement& m) {
    Eigen::RowVectorXd terms = Eigen::RowVectorXd::Zero(kModuleTerms);
    terms[1] = 1;
    terms[2] = static_cast<double>(m.facts[Fact::kInputBytes] + m.facts[Fact::kOutputBytes]);
    terms[3] = static_cast<double>(m.facts[Fact::kStatedAlu]) / 2;
    return terms;
  });
  ladder_ = ModuleLadder(data, alone, options);
  has_ladder_ = true;
}

TreeFit::Prices TreeFit::price(const std::vector<double>& op_joules) const {
  const Observations& all = *observations_;
  Prices prices{std::vector<double>(all.size(), 0.0), std::vector<int>(all.size(), 0)};
  std::map<std::pair<Key, OpClass>, Rows> by_key;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Measurement& m = all[i];
    if (m.level == NodeLevel::kOp) by_key[{key_of(m), m.op_class}].push_back(i);
  }
  for (const auto& [key, rows] : by_key) {
    Eigen::VectorXd joules = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(rows.size()));
    int level = 2;
    if (const auto own = kinds_.find(key.first); own != kinds_.end()) {
      joules = own->second.predict(all, rows), level = 0;
    } else if (const auto of_class = classes_.find(key.second); of_class != classes_.end()) {
      joules = of_class->second.predict(all, rows), level = 1;
    } else if (roofline_) {
      joules = roofline_->predict(all, rows);
    }
    for (std::size_t r = 0; r < rows.size(); ++r) {
      prices.joules[rows[r]] = op_joules.empty() ? joules[static_cast<Eigen::Index>(r)] : op_joules[rows[r]];
      prices.level[rows[r]] = level;
    }
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Measurement& m = all[i];
    if (m.level == NodeLevel::kOp) continue;
    double children = 0;
    for (const auto& child : m.children) children += child.count * prices.joules[child.index];
    prices.joules[i] = children;
    if (!has_ladder_) continue;
    Eigen::RowVectorXd place(2);
    place << octaves(m.facts[Fact::kBatch]), octaves(m.facts[Fact::kSequence]);
    const ModuleLadder::Priced priced = ladder_.price(module_terms(m, children), place, module_keys(m));
    prices.joules[i] = priced.joules;
    prices.level[i] = static_cast<int>(priced.level);
  }
  return prices;
}

void TreeFit::add_rows_of(const Key& key, const OpRow& row, Known known, std::vector<FittedRow>& rows) const {
  for (FittedRow& added : row.table_rows(*observations_)) {
    added.level = key.data_type == DataType::kUnknown ? Level::kOp : Level::kOpAndType;
    added.kind = key.kind;
    added.data_type = key.data_type;
    added.scaled_weights = key.scaled_weights;
    added.op_class = (*observations_)[row.rows().front()].op_class;
    if (key.scaled_weights) {
      added.conditions.push_back({Feature::kScaleBytes, 1, std::numeric_limits<float>::infinity()});
    }
    added.known = known;
    if (known != Known::kNothing) ask_for(Feature::kTime, added);
    if (known == Known::kCounter) ask_for(Feature::kCounterEnergy, added);
    rows.push_back(std::move(added));
  }
}

std::vector<FittedRow> TreeFit::table_rows() const {
  std::vector<FittedRow> result;
  for (const auto& [key, row] : kinds_) add_rows_of(key, row, Known::kNothing, result);
  for (const auto& [asked, row] : known_) add_rows_of(asked.first, row, asked.second, result);
  // Core takes the first that holds: those for scaled weights say so, the others do not.
  std::stable_partition(result.begin(), result.end(), [](const FittedRow& row) { return row.scaled_weights; });
  if (has_ladder_) add_module_rows(result);
  if (counted_module_.size() != 0 && counted_module_[0] > 0) {
    FittedRow row;
    row.level = Level::kClass;
    row.op_class = OpClass::kModule;
    row.known = Known::kCounter;
    row.children_gain = kLeastGain;
    const std::vector<TermSpec> terms = {{Feature::kCounterEnergy, {}}, {Feature::kTime, {}}};
    row.terms = fitted_terms(terms, counted_module_, observations_->columns(counted_modules_, terms));
    ask_for(Feature::kTime, row);
    row.measurements = counted_modules_;
    row.reason = "any module: what a counter of the board says of it, and its time";
    result.push_back(std::move(row));
  }
  for (const auto& [op_class, row] : classes_) {
    for (FittedRow& added : row.table_rows(*observations_)) {
      added.level = Level::kClass;
      added.op_class = op_class;
      result.push_back(std::move(added));
    }
  }
  if (roofline_) result.push_back(roofline_->table_row(*observations_));
  return result;
}

// Core asks rows of a class in the order of the file, those without conditions last: the
// finest level comes first.
void TreeFit::add_module_rows(std::vector<FittedRow>& rows) const {
  constexpr std::array<Feature, 3> kKeys = {Feature::kChildKinds, Feature::kChildClasses, Feature::kModuleShape};
  constexpr std::array<const char*, 4> kNames = {"children of exactly these kinds", "children of these classes",
                                                 "modules of this shape", "any module"};
  const std::vector<Feature> axes = {Feature::kBatch, Feature::kSequence};
  const auto levels = ladder_.levels().size();
  for (std::size_t level = 0; level < levels; ++level) {
    const bool coarsest = level + 1 == levels;
    for (const auto& entry : ladder_.levels()[level]) {  // clang 14 does not capture structured bindings
      const int key = entry.first;
      const Selected& selected = entry.second;
      Rows members;
      bool attention = false;
      for (std::size_t i = 0; i < observations_->size(); ++i) {
        const Measurement& m = (*observations_)[i];
        if (!training_[i] || m.level == NodeLevel::kOp || m.children.empty() || module_keys(m)[level] != key) continue;
        members.push_back(i);
        attention |= is_attention(m);
      }
      const auto add = [&](bool of_attention, const std::vector<Condition>& conditions) {
        FittedRow row;
        row.level = Level::kClass;
        row.op_class = OpClass::kModule;
        row.conditions = conditions;
        const FittedForm& fitted = selected.fitted;
        row.children_gain = std::max(fitted.coefficients()[0], kLeastGain);
        std::vector<TermSpec> specs;
        std::vector<Eigen::Index> columns;
        const auto use = [&](const OwnTerm& term) {
          specs.push_back({term.feature, {}});
          columns.push_back(term.column);
        };
        if (of_attention) {
          for (const OwnTerm& term : kAttentionTerms) use(term);
        } else {
          for (const OwnTerm& term : kOwnTerms) use(term);
        }
        Eigen::MatrixXd terms(members.size(), kModuleTerms);
        for (std::size_t i = 0; i < members.size(); ++i) {
          terms.row(static_cast<Eigen::Index>(i)) = module_terms((*observations_)[members[i]], 0);
        }
        row.terms = fitted_terms(specs, fitted.coefficients()(columns), terms(Eigen::all, columns));
        row.correction = fitted_correction(fitted.prototypes(), axes);
        row.measurements = members;
        row.reason = fmt::format("{}; {}", kNames[level], selected.reason);
        rows.push_back(std::move(row));
      };
      if (!coarsest) {
        const auto value = static_cast<float>(key);
        add(attention, {{kKeys[level], value, value + 1}});
        continue;
      }
      const auto shape = static_cast<float>(kAttentionShape);
      if (ladder_.row(level - 1, static_cast<int>(kAttentionShape)) == nullptr) {
        add(true, {{Feature::kModuleShape, shape, shape + 1}});
      }
      add(false, {});
    }
  }
}

}  // namespace edgejoule::fit
