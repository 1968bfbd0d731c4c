#include "fit/adapt_table.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <tuple>

#include "fit/adapt.h"
#include "pricing/set_pricer.h"
#include "pricing/table_objects.h"
#include "text/escape.h"

namespace edgejoule::fit {
namespace {

using measurements::Measurement;
using measurements::MeasurementSet;
using measurements::NodeLevel;
using pricing::Contribution;

// A number of the table that adaptation may move.
struct Handle {
  std::uint32_t row = 0;  // of a committee the first
  std::uint32_t term = Contribution::kWholeRow;
  friend bool operator<(const Handle& a, const Handle& b) { return std::tie(a.row, a.term) < std::tie(b.row, b.term); }
};

auto key_of(const wire::RowT& row) {
  return std::tuple(row.level, row.kind, row.op_class, row.data_type, row.engine, row.operating_point);
}

// For each row the first of its committee, or itself.
std::vector<std::uint32_t> leaders_of(const wire::CoefficientTableT& table) {
  std::map<decltype(key_of(*table.rows.front())), std::uint32_t> first;
  std::vector<std::uint32_t> leaders;
  for (std::uint32_t i = 0; i < table.rows.size(); ++i) {
    const wire::RowT& row = *table.rows[i];
    leaders.push_back(row.member == 0 ? i : first.emplace(key_of(row), i).first->second);
  }
  return leaders;
}

struct Design {
  AdaptData data;  // the donor is all ones: terms are joules as the donor has them
  std::vector<Handle> handles;
  std::vector<std::size_t> rows;  // of the set
  std::vector<std::string> not_priced;
};

Design design_of(const files::FileBytes& donor, const wire::CoefficientTableT& table, const MeasurementSet& set,
                 const std::string& operating_point) {
  Design design;
  const std::vector<std::uint32_t> leaders = leaders_of(table);
  pricing::SetPricer pricer(set, donor, {.operating_point = operating_point});
  std::map<Handle, Eigen::Index> columns;
  std::vector<std::map<Eigen::Index, double>> sparse;
  for (std::size_t i = 0; i < set.measurements.size(); ++i) {
    const pricing::Priced priced = pricer.price(i);
    if (!priced.problem.empty()) {
      design.not_priced.push_back(fmt::format("{}: {}", set.measurements[i].origin, priced.problem));
      continue;
    }
    std::map<Eigen::Index, double>& row = sparse.emplace_back();
    for (const Contribution& part : pricer.contributions(i)) {
      const bool moves_whole = table.rows[part.row]->member != 0;
      const Handle handle{leaders[part.row], moves_whole ? Contribution::kWholeRow : part.term};
      const auto [column, is_new] = columns.emplace(handle, static_cast<Eigen::Index>(columns.size()));
      if (is_new) design.handles.push_back(handle);
      row[column->second] += part.joules;
    }
    design.rows.push_back(i);
  }
  const auto n = static_cast<Eigen::Index>(design.rows.size());
  AdaptData& data = design.data;
  data.terms = Eigen::MatrixXd::Zero(n, static_cast<Eigen::Index>(columns.size()));
  data.donor = Eigen::VectorXd::Ones(data.terms.cols());
  data.energies.resize(n);
  data.weights.resize(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const Measurement& m = set.measurements[design.rows[static_cast<std::size_t>(i)]];
    for (const auto& [column, joules] : sparse[static_cast<std::size_t>(i)]) data.terms(i, column) = joules;
    data.energies[i] = m.energy_joules;
    data.weights[i] = m.weight;
    data.groups.push_back(m.group);
  }
  return design;
}

void scale(wire::TermT& term, double factor) {
  const auto unit = static_cast<Unit>(term.unit);
  if (unit > Unit::kJoule) {  // watts and ratios
    term.coefficient = static_cast<float>(term.coefficient * factor);
    return;
  }
  const ReadableCoefficient scaled = readable(static_cast<double>(term.coefficient) * scale_of(unit) * factor);
  term.coefficient = scaled.value;
  term.unit = static_cast<wire::Unit>(scaled.unit);
}

// Rows of which no term would be left cost nothing, which no op does: they keep the
// donor's proportions.
void scale_rows(wire::CoefficientTableT& table, const std::vector<Handle>& handles, const AdaptedRow& adapted) {
  std::map<Handle, double> factors;
  for (std::size_t h = 0; h < handles.size(); ++h) {
    factors[handles[h]] = adapted.coefficients[static_cast<Eigen::Index>(h)];
  }
  const auto factor_of = [&](std::uint32_t row, std::uint32_t term) {
    const auto found = factors.find({row, term});
    return found == factors.end() ? adapted.factor : found->second;
  };
  const std::vector<std::uint32_t> leaders = leaders_of(table);
  for (std::uint32_t i = 0; i < table.rows.size(); ++i) {
    wire::RowT& row = *table.rows[i];
    double whole = factor_of(leaders[i], Contribution::kWholeRow);
    if (!(whole > 0)) whole = adapted.factor;
    if (row.form == wire::RowForm::log2) {
      row.intercept += static_cast<float>(std::log2(whole));
      continue;
    }
    std::vector<double> of_terms;
    double sum = 0;
    for (std::uint32_t t = 0; t < row.terms.size(); ++t) {
      of_terms.push_back(row.member != 0 ? whole : factor_of(i, t));
      sum += of_terms.back();
    }
    for (std::size_t t = row.terms.size(); t-- > 0;) {
      if (sum > 0 && of_terms[t] <= 0) {
        row.terms.erase(row.terms.begin() + static_cast<std::ptrdiff_t>(t));
      } else {
        scale(*row.terms[t], sum > 0 ? of_terms[t] : adapted.factor);
      }
    }
  }
}

// The donor's spread is of another board: it is kept, and counts as one group, so that
// nobody promises anything with it.
void distrust(std::unique_ptr<wire::ResidualT>& residual) {
  if (residual != nullptr) residual->groups = 1;
}

void set_residuals(wire::CoefficientTableT& table, const MeasurementSet& set, const Design& design,
                   const AdaptTest& test) {
  for (auto& row : table.rows) distrust(row->residual);
  std::unique_ptr<wire::ResidualT>* const of_level[] = {&table.op_residual, &table.module_residual,
                                                        &table.model_residual};
  for (std::size_t level = 0; level < 3; ++level) {
    HeldOut held_out;
    for (std::size_t i = 0; i < test.adapted.size(); ++i) {
      const Measurement& m = set.measurements[design.rows[i]];
      if (m.level != static_cast<NodeLevel>(level)) continue;
      held_out.log_residuals.push_back(test.adapted[i]);
      held_out.groups.push_back(m.group);
    }
    const Residual residual = summarise(held_out);
    distrust(*of_level[level]);
    if (residual.groups < 2) continue;
    *of_level[level] = residual_of(residual);
    // Ops were measured here: their rows answer with what was seen here.
    if (level == 0) {
      for (auto& row : table.rows) row->residual = nullptr;
    }
  }
}

// How long work takes elsewhere says nothing about this board.
void forget_times(wire::CoefficientTableT& table) {
  for (auto& row : table.rows) {
    for (auto& term : row->terms) term->time_coefficient = 0;
    row->time_residual = nullptr;
  }
  for (auto* residual : {&table.op_time_residual, &table.module_time_residual, &table.model_time_residual}) {
    residual->reset();
  }
}

void describe(wire::CoefficientTableT& table, const MeasurementSet& set, const AdaptedTable& result,
              const TableInfo& info) {
  const std::string donor_name = table.name;
  const std::string donor_digest = table.provenance == nullptr ? "" : table.provenance->measurements_sha256;
  table.name = text::valid_utf8(info.name);
  table.boundary->rails.clear();
  for (const std::string& rail : set.rails) table.boundary->rails.push_back(text::valid_utf8(rail));
  table.boundary->description = text::valid_utf8(set.boundary_description);
  table.baseline->idle_state = text::valid_utf8(set.idle_state);
  table.board = std::make_unique<wire::BoardT>();
  table.board->name = text::valid_utf8(set.board);
  table.board->compatible = text::valid_utf8(set.board_compatible);
  table.board->os_release = text::valid_utf8(set.os_release);
  table.runtime = text::valid_utf8(set.runtime);
  table.backend = text::valid_utf8(set.backend);
  table.sensors.clear();
  // Idle and wake energies are the board's own: the donor's say nothing about this one.
  table.statics.clear();
  for (auto& engine : table.engines) engine->wake_microjoules = 0;
  if (!table.engines.empty() && set.baseline == BaselineKind::kAboveIdle && set.idle_watts >= 0) {
    table.statics.emplace_back(0, kAnyOperatingPoint, wire::EngineState::idle,
                               static_cast<float>(set.idle_watts * 1e3));
  }
  auto provenance = std::make_unique<wire::ProvenanceT>();
  provenance->date = info.date;
  provenance->tool_version = info.tool_version;
  provenance->measurements_sha256 = set.sha256;
  provenance->data_source = text::valid_utf8(set.source);
  provenance->licence = text::valid_utf8(set.licence);
  provenance->protocol = text::valid_utf8(set.protocol);
  provenance->notes.push_back(fmt::format("adapted from the table '{}'{} with {} measurements in {} groups", donor_name,
                                          donor_digest.empty() ? "" : " (measurements " + donor_digest + ")",
                                          result.measurements, result.groups));
  provenance->notes.push_back(
      fmt::format("the donor times {:.4g}; {} coefficients moved further, {}; all others by the factor alone",
                  result.factor, std::isinf(result.ridge) ? 0 : result.coefficients,
                  std::isinf(result.ridge) ? "for that did not pay" : fmt::format("pull {:.3g}", result.ridge)));
  provenance->notes.push_back(
      result.is_tested
          ? fmt::format("groups left out: median {:.1f} %, mean {:.1f} %, 90th percentile {:.1f} %; the donor as it "
                        "was: {:.1f}, {:.1f} and {:.1f} %",
                        result.adapted.median, result.adapted.mean, result.adapted.p90, result.donor.median,
                        result.donor.mean, result.donor.p90)
          : "one group was measured: nothing was left to test on");
  table.provenance = std::move(provenance);
}

double mean_size(const std::vector<double>& residuals) {
  double sum = 0;
  for (const double residual : residuals) sum += std::abs(residual);
  return sum / static_cast<double>(residuals.size());
}

}  // namespace

AdaptedTable adapt_table(const files::FileBytes& donor, const MeasurementSet& set, const std::string& operating_point,
                         const TableInfo& info) {
  std::unique_ptr<wire::CoefficientTableT> table(wire::GetCoefficientTable(donor.span().data())->UnPack());
  Design design = design_of(donor, *table, set, operating_point);
  if (design.rows.empty()) {
    throw measurements::MeasurementError(
        fmt::format("none of the {} measurements can be priced by the donor, the first because: {}",
                    set.measurements.size(), design.not_priced.empty() ? "" : design.not_priced.front()));
  }
  const AdaptTest test = leave_groups_out(design.data);
  const AdaptedRow adapted = adapt_row(design.data);
  AdaptedTable result;
  result.factor = adapted.factor;
  result.ridge = adapted.ridge;
  result.measurements = design.rows.size();
  result.groups = std::set<std::string>(design.data.groups.begin(), design.data.groups.end()).size();
  result.coefficients = design.handles.size();
  result.not_priced = design.not_priced;
  if (!test.adapted.empty()) {
    result.is_tested = true;
    result.donor = error_percent(test.donor);
    result.scaled = error_percent(test.scaled);
    result.adapted = error_percent(test.adapted);
    result.is_worse = mean_size(test.adapted) > mean_size(test.donor);
  }
  scale_rows(*table, design.handles, adapted);
  set_residuals(*table, set, design, test);
  forget_times(*table);
  describe(*table, set, result, info);
  result.bytes = pricing::pack_table<std::logic_error>(*table, "the adapted table is not valid");
  return result;
}

}  // namespace edgejoule::fit
