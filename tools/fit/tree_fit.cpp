#include "fit/tree_fit.h"

#include <algorithm>
#include <cmath>

namespace edgejoule::fit {
namespace {

using measurements::Measurement;
using measurements::NodeLevel;

bool has_weights(const Measurement& m) {
  return m.facts[Fact::kWeightBytes] > 0;
}

bool is_product(const Measurement& m) {
  return m.op_class == OpClass::kMatrix;
}

double octaves(std::uint64_t size) {
  return std::log2(std::max(static_cast<double>(size), 1.0));
}

TreeFit::OpRow fit_rows(const Observations& observations, std::vector<std::size_t> rows, OpTerms terms,
                        const std::vector<RowForm>& forms) {
  const RowData data = row_data(observations, rows, terms);
  return {std::move(rows), select_form(forms, data), std::move(terms)};
}

}  // namespace

Eigen::RowVectorXd TreeFit::module_terms(const Measurement& m, double children_joules) {
  Eigen::RowVectorXd terms = Eigen::RowVectorXd::Zero(kModuleTerms);
  const auto bytes = static_cast<double>(m.facts[Fact::kOwnBytes]);
  const auto softmax = static_cast<double>(m.facts[Fact::kSoftmaxBytes]);
  terms[0] = children_joules;
  // Attention is written out or fused by the library, other modules are not: the two
  // never share what a byte costs.
  if (softmax > 0) {
    terms[4] = 1;
    terms[5] = softmax;
    terms[6] = static_cast<double>(m.facts[Fact::kAttentionBytes]);
    terms[7] = bytes;
  } else {
    terms[1] = 1;
    terms[2] = bytes;
    terms[3] = static_cast<double>(m.facts[Fact::kOwnMacs]);
  }
  return terms;
}

std::vector<int> TreeFit::module_keys(const Measurement& m) {
  return {static_cast<int>(m.facts[Fact::kChildKinds]), static_cast<int>(m.facts[Fact::kChildClasses]),
          static_cast<int>(m.facts[Fact::kModuleShape]), 0};
}

TreeFit::TreeFit(const Observations& observations, const std::vector<bool>& training, const TreeFitOptions& options)
    : observations_(&observations) {
  std::map<OpKind, std::vector<std::size_t>> by_kind;
  std::map<OpKind, bool> wanted;
  std::vector<std::size_t> products, elements;
  for (std::size_t i = 0; i < observations.size(); ++i) {
    const Measurement& m = observations[i];
    if (m.level != NodeLevel::kOp) continue;
    wanted[m.kind] = wanted[m.kind] || is_product(m);
    if (!training[i]) continue;
    by_kind[m.kind].push_back(i);
    if (is_product(m)) {
      if (has_weights(m)) products.push_back(i);
    } else {
      elements.push_back(i);
    }
  }
  bool unseen_product = false;
  for (const auto& [kind, is_a_product] : wanted) unseen_product |= is_a_product && by_kind.count(kind) == 0;
  for (auto& [kind, rows] : by_kind) {
    const Measurement& first = observations[rows.front()];
    kinds_.emplace(kind, fit_rows(observations, std::move(rows), rich_terms(first.op_class, has_weights(first)),
                                  options.op_forms));
  }
  if (unseen_product && !products.empty()) {
    classes_.emplace(OpClass::kMatrix,
                     fit_rows(observations, std::move(products), rich_terms(OpClass::kMatrix, true), options.op_forms));
  }
  if (!elements.empty()) {
    RowForm robust;
    robust.name = "robust row";
    robust.linear.ridge = 1e-4;
    elements_ = fit_rows(observations, std::move(elements), element_terms(), {robust});
  }
  if (options.module_rows) fit_modules(training, options.ladder);
}

void TreeFit::fit_modules(const std::vector<bool>& training, const LadderOptions& options) {
  std::vector<std::size_t> modules, elements;
  for (std::size_t i = 0; i < observations_->size(); ++i) {
    const Measurement& m = (*observations_)[i];
    if (!training[i]) continue;
    if (m.level != NodeLevel::kOp && !m.children.empty()) modules.push_back(i);
    if (m.kind == OpKind::kLayerNorm || m.op_class == OpClass::kSoftmax) elements.push_back(i);
  }
  if (modules.empty()) return;
  const OpTerms places{{}, {Feature::kBatch, Feature::kSequence}};
  const auto table_of = [&](const std::vector<std::size_t>& rows, auto terms_of) {
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
  std::map<OpKind, std::vector<std::size_t>> by_kind;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].level == NodeLevel::kOp) by_kind[all[i].kind].push_back(i);
  }
  for (const auto& [kind, rows] : by_kind) {
    const OpRow* row = &elements_;
    int level = 2;
    if (const auto own = kinds_.find(kind); own != kinds_.end()) {
      row = &own->second, level = 0;
    } else if (const auto of_class = classes_.find(all[rows.front()].op_class); of_class != classes_.end()) {
      row = &of_class->second, level = 1;
    }
    const Eigen::VectorXd joules =
        row->selected.fitted.predict(all.columns(rows, row->terms.terms), places_of(all, rows, row->terms.sizes));
    for (std::size_t r = 0; r < rows.size(); ++r) {
      prices.joules[rows[r]] = joules[static_cast<Eigen::Index>(r)];
      prices.level[rows[r]] = level;
    }
  }
  if (!op_joules.empty()) {
    for (const auto& [kind, rows] : by_kind) {
      for (const std::size_t row : rows) prices.joules[row] = op_joules[row];
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

}  // namespace edgejoule::fit
