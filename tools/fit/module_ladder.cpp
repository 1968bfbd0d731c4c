#include "fit/module_ladder.h"

#include <fmt/format.h>

#include <utility>

namespace edgejoule::fit {
namespace {

constexpr double kShareOfElements = 0.1;

std::vector<FormSpec> forms_toward(const Eigen::VectorXd& prior, bool with_prototypes, const LadderOptions& options) {
  std::vector<FormSpec> forms;
  for (const double ridge : options.ridges) {
    FormSpec form;
    form.linear.ridge = 0;
    form.linear.ridge_share = ridge;
    form.linear.prior = prior;
    form.linear.penalty = Eigen::VectorXd::Ones(prior.size());
    form.linear.penalty[0] = options.gain_penalty;
    form.linear.robust_steps = 3;
    form.name = fmt::format("row pulled by {} toward the coarser one", ridge);
    forms.push_back(form);
    if (!with_prototypes) continue;
    for (const double length : options.lengths) {
      for (const double noise : options.noises) {
        FormSpec corrected = form;
        corrected.name = fmt::format("{}, prototypes of {} octaves, noise {}", form.name, length, noise);
        corrected.prototypes = PrototypeOptions{.length_octaves = length, .noise = noise};
        forms.push_back(std::move(corrected));
      }
    }
  }
  return forms;
}

RowData joined(const RowData& a, const RowData& b) {
  const Eigen::Index n = a.size() + b.size();
  RowData all;
  all.terms.resize(n, a.terms.cols());
  all.terms << a.terms, b.terms;
  all.places.resize(n, a.places.cols());
  all.places << a.places, b.places;
  all.energies.resize(n);
  all.energies << a.energies, b.energies;
  all.weights.resize(n);
  all.weights << a.weights,
      Eigen::VectorXd::Constant(b.size(), kShareOfElements * a.weights.sum() / static_cast<double>(b.size()));
  if (a.work.size() == a.size() && b.work.size() == b.size()) {
    all.work.resize(n);
    all.work << a.work, b.work;
  }
  all.groups = a.groups;
  all.groups.insert(all.groups.end(), b.groups.begin(), b.groups.end());
  return all;
}

}  // namespace

ModuleLadder::ModuleLadder(const LadderData& data, const RowData& elements, const LadderOptions& options)
    : levels_(data.keys.size()) {
  for (std::size_t level = data.keys.size(); level-- > 0;) {
    std::map<int, std::vector<Eigen::Index>> rows_of;
    for (std::size_t i = 0; i < data.keys[level].size(); ++i) {
      rows_of[data.keys[level][i]].push_back(static_cast<Eigen::Index>(i));
    }
    const bool coarsest = level + 1 == data.keys.size();
    for (const auto& [key, rows] : rows_of) {
      RowData part = data.rows.subset(rows);
      if (coarsest && elements.size() > 0) part = joined(part, elements);
      Eigen::VectorXd prior = Eigen::VectorXd::Zero(part.terms.cols());
      prior[0] = 1;
      if (!coarsest) {
        const int coarser = data.keys[level + 1][static_cast<std::size_t>(rows.front())];
        prior = levels_[level + 1].at(coarser).fitted.coefficients();
      }
      levels_[level].emplace(key,
                             select_form(forms_toward(prior, level < options.levels_with_prototypes, options), part));
    }
  }
}

ModuleLadder::Priced ModuleLadder::price(const Eigen::RowVectorXd& terms, const Eigen::RowVectorXd& place,
                                         const std::vector<int>& keys) const {
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    if (const Selected* selected = row(level, keys[level])) return {selected->fitted.predict(terms, place)[0], level};
  }
  return {terms[0], levels_.size()};
}

const Selected* ModuleLadder::row(std::size_t level, int key) const {
  const auto found = levels_[level].find(key);
  return found == levels_[level].end() ? nullptr : &found->second;
}

}  // namespace edgejoule::fit
