#include "fit/common_costs.h"

#include <algorithm>
#include <map>
#include <utility>

#include "measurements/median.h"

namespace edgejoule::fit {
namespace {

constexpr Eigen::Index kFewestOnASide = 2;  // measurements of a kind below and beyond the cache
constexpr std::size_t kFewestKinds = 3;
constexpr double kAgreement = 0.8;          // of kinds, that bytes beyond the cache cost more
constexpr double kMuchOfTheSmallest = 0.2;  // what launching must be of a kind's smallest op to be known from it

using Rows = std::vector<std::size_t>;

double median_of_kinds(std::vector<double> values) {
  return values.size() < kFewestKinds ? 0 : measurements::median(std::move(values));
}

}  // namespace

CommonCosts::CommonCosts(const Observations& observations, const Rows& rows, const Eigen::VectorXd& values) {
  const std::vector<TermSpec> terms = {{Feature::kOne, {}},         {Feature::kMacs, {}},
                                       {Feature::kInputBytes, {}},  {Feature::kOutputBytes, {}},
                                       {Feature::kWeightBytes, {}}, {Feature::kDramBytes, {}}};
  const auto traffic = static_cast<Eigen::Index>(terms.size()) - 1;
  std::map<std::pair<OpKind, DataType>, std::vector<Eigen::Index>> kinds;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const measurements::Measurement& m = observations[rows[i]];
    if (m.parts == nullptr) kinds[{m.kind, m.data_type}].push_back(static_cast<Eigen::Index>(i));
  }
  std::vector<double> launches, per_byte;
  for (const auto& [kind, members] : kinds) {
    Rows of_kind;
    for (const Eigen::Index member : members) of_kind.push_back(rows[static_cast<std::size_t>(member)]);
    const Eigen::MatrixXd columns = observations.columns(of_kind, terms);
    const Eigen::Index beyond = (columns.col(traffic).array() > 0).count();
    if (beyond < kFewestOnASide || columns.rows() - beyond < kFewestOnASide) continue;
    RelativeFitOptions options;
    options.ridge = 1e-4;
    const Eigen::VectorXd of_members = values(members);
    const Eigen::VectorXd costs = fit_relative(columns, of_members, Eigen::VectorXd::Ones(columns.rows()), options);
    per_byte.push_back(costs[traffic]);
    if (costs[0] > kMuchOfTheSmallest * of_members.minCoeff()) launches.push_back(costs[0]);
    most_bytes_ = std::max(most_bytes_, columns.col(traffic).maxCoeff());
  }
  // Nothing below zero is found: half of the kinds say "more" where there is no difference.
  const auto agree = std::count_if(per_byte.begin(), per_byte.end(), [](double cost) { return cost > 0; });
  if (static_cast<double>(agree) >= kAgreement * static_cast<double>(per_byte.size())) {
    per_byte_ = median_of_kinds(std::move(per_byte));
  }
  launch_ = median_of_kinds(std::move(launches));
}

OpTerms CommonCosts::with_traffic(OpTerms terms) const {
  if (!knows_traffic()) return terms;
  terms.terms.insert(terms.terms.begin() + static_cast<std::ptrdiff_t>(terms.plain), {Feature::kDramBytes, {}});
  ++terms.plain;
  if (terms.terms.size() > kMaxTermsPerRow) terms.terms.resize(kMaxTermsPerRow);
  return terms;
}

void CommonCosts::hold(const std::vector<TermSpec>& terms, RelativeFitOptions& options) const {
  if (launch_ <= 0 && !knows_traffic()) return;
  const auto size = static_cast<Eigen::Index>(terms.size());
  options.prior = Eigen::VectorXd::Zero(size);
  options.penalty = Eigen::VectorXd::Ones(size);
  const auto near = [&](Feature feature, double cost) {
    const auto place = std::find(terms.begin(), terms.end(), TermSpec{feature, {}});
    if (cost <= 0 || place == terms.end()) return;
    options.prior[place - terms.begin()] = cost;
    options.penalty[place - terms.begin()] = 1 / options.ridge;
  };
  near(Feature::kOne, launch_);
  near(Feature::kDramBytes, per_byte_);
}

void CommonCosts::widen(std::vector<FittedTerm>& terms) const {
  for (FittedTerm& term : terms) {
    if (knows_traffic() && term.spec.feature == Feature::kDramBytes) {
      term.min = 0;
      term.max = std::max(term.max, most_bytes_);
    }
  }
}

}  // namespace edgejoule::fit
