#include "validation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <set>

#include "comparable.h"
#include "fit/coverage.h"
#include "pricing/set_pricer.h"
#include "text/escape.h"
#include "text/flag_text.h"
#include "text/quantity_text.h"

namespace edgejoule::calibrate {
namespace {

using measurements::Measurement;
using measurements::MeasurementSet;
using measurements::NodeLevel;
using Rows = std::vector<const ValidatedRow*>;

constexpr double kConfidence = 0.9;

std::string_view level_name(NodeLevel level) {
  switch (level) {
    case NodeLevel::kOp: return "op";
    case NodeLevel::kModule: return "module";
    case NodeLevel::kModel: return "model";
  }
  return "?";
}

ErrorSummary summary_of(std::string name, const Rows& rows) {
  ErrorSummary result;
  result.name = std::move(name);
  result.rows = rows.size();
  std::map<std::string, int> groups;
  std::vector<std::pair<double, double>> errors;
  std::vector<fit::Checked> checked;
  double weight = 0, logs = 0;
  for (const ValidatedRow* row : rows) {
    const int group = groups.emplace(row->group, static_cast<int>(groups.size())).first->second;
    const double error = std::abs(row->ratio() - 1);
    errors.emplace_back(error, row->weight);
    result.mean += row->weight * error;
    logs += row->weight * std::log(row->ratio());
    weight += row->weight;
    if (!row->has_interval) continue;
    checked.push_back({std::log(row->lower / row->predicted), std::log(row->upper / row->predicted),
                       -std::log(row->ratio()), row->weight, group});
  }
  result.groups = groups.size();
  if (!(weight > 0)) return result;
  result.mean /= weight;
  result.bias = std::exp(logs / weight) - 1;
  result.median = fit::weighted_quantile(errors, 0.5);
  result.p90 = fit::weighted_quantile(errors, 0.9);
  result.bounded = checked.size();
  if (!checked.empty()) {
    const fit::Coverage coverage = fit::coverage_of(checked, kConfidence);
    result.inside = coverage.share;
    result.inside_low = coverage.low;
    result.inside_high = coverage.high;
  }
  return result;
}

std::vector<ErrorSummary> summaries_by(const std::vector<ValidatedRow>& rows,
                                       const std::function<std::string(const ValidatedRow&)>& name_of_row) {
  std::map<std::string, Rows> parts;
  for (const ValidatedRow& row : rows) parts[name_of_row(row)].push_back(&row);
  std::vector<ErrorSummary> result;
  for (const auto& [name, part] : parts) result.push_back(summary_of(name, part));
  std::stable_sort(result.begin(), result.end(),
                   [](const ErrorSummary& a, const ErrorSummary& b) { return a.mean > b.mean; });
  return result;
}

// Refuses, or warns, where the comparison would not say what it seems to say.
void judge(const CoefficientTable& table, const MeasurementSet& set, bool anyway, Validation& validation) {
  Comparison comparison = compare_meaning(table, set);
  const ProvenanceView provenance = table.provenance();
  std::vector<std::string> reasons = std::move(comparison.contradictions);
  if (!set.sha256.empty() && provenance.measurements_sha256 == set.sha256) {
    reasons.push_back(
        "the table was fitted on these very measurements (equal SHA-256): its errors on them are not those it makes "
        "on others");
  } else if (!set.source.empty() && provenance.data_source == set.source) {
    comparison.remarks.push_back(
        fmt::format("The table was fitted on measurements of the same source ('{}'): make sure that they are others",
                    text::printable(set.source)));
  }
  if (!reasons.empty() && !anyway) {
    std::string all = reasons.front();
    for (std::size_t i = 1; i < reasons.size(); ++i) all += "; and " + reasons[i];
    throw NotComparable(all + ". Choose other measurements, or see the figures for what they are with --anyway");
  }
  for (std::string& reason : reasons) {
    reason.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(reason.front())));
    validation.warnings.push_back(std::move(reason));
  }
  for (std::string& remark : comparison.remarks) validation.warnings.push_back(std::move(remark));
}

ValidatedRow row_of(const Measurement& m, const pricing::Priced& priced) {
  ValidatedRow row;
  row.origin = m.origin;
  row.group = m.group;
  row.model = m.model;
  row.device = m.device;
  row.level = level_name(m.level);
  row.kind = name_of(m.kind);
  if (m.data_type != DataType::kUnknown) row.kind += fmt::format(" {}", name_of(m.data_type));
  row.measured = m.energy_joules;
  row.predicted = priced.joules;
  row.lower = priced.lower;
  row.upper = priced.upper;
  row.has_interval = !priced.flags.has(Flag::kIntervalUnknown) && priced.lower > 0;
  row.weight = m.weight;
  row.tensor_bytes = priced.tensor_bytes;
  row.rung = priced.level;
  row.flags = priced.flags;
  return row;
}

}  // namespace

Validation validate(const files::FileBytes& table, const MeasurementSet& set, const ValidationOptions& options) {
  Validation validation;
  pricing::SetPricer pricer(
      set, table, {.operating_point = options.operating_point, .use_runtime_facts = options.use_runtime_facts});
  judge(pricer.table(), set, options.anyway, validation);
  for (std::size_t i = 0; i < set.measurements.size(); ++i) {
    const pricing::Priced priced = pricer.price(i);
    if (!priced.problem.empty()) {
      validation.not_priced.push_back({set.measurements[i].origin, priced.problem});
      continue;
    }
    validation.rows.push_back(row_of(set.measurements[i], priced));
  }
  Rows all;
  for (const ValidatedRow& row : validation.rows) all.push_back(&row);
  validation.all = summary_of("all", all);
  validation.by_level = summaries_by(validation.rows, [](const ValidatedRow& row) { return row.level; });
  validation.by_kind = summaries_by(validation.rows, [](const ValidatedRow& row) { return row.kind; });
  const auto has_several = [](const std::vector<ErrorSummary>& list) { return list.size() > 1; };
  auto by_device = summaries_by(validation.rows, [](const ValidatedRow& row) { return row.device; });
  if (has_several(by_device)) validation.by_device = std::move(by_device);
  auto by_group = summaries_by(validation.rows, [](const ValidatedRow& row) { return row.group; });
  if (has_several(by_group) && by_group.size() < validation.rows.size()) validation.by_group = std::move(by_group);
  validation.worst.resize(validation.rows.size());
  std::iota(validation.worst.begin(), validation.worst.end(), std::size_t{0});
  std::stable_sort(validation.worst.begin(), validation.worst.end(), [&](std::size_t a, std::size_t b) {
    return std::abs(std::log(validation.rows[a].ratio())) > std::abs(std::log(validation.rows[b].ratio()));
  });
  return validation;
}

std::string to_csv(const Validation& validation) {
  std::string out =
      "origin,level,kind,model,group,device,measured_j,predicted_j,lower_j,upper_j,error,inside,by,tensor_bytes,"
      "flags\n";
  for (const ValidatedRow& row : validation.rows) {
    const bool inside = row.measured >= row.lower && row.measured <= row.upper;
    out += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", text::csv_name(row.origin), row.level,
                       text::csv_name(row.kind), text::csv_name(row.model), text::csv_name(row.group),
                       text::csv_name(row.device), text::exact(row.measured), text::exact(row.predicted),
                       row.has_interval ? text::exact(row.lower) : "", row.has_interval ? text::exact(row.upper) : "",
                       text::exact(row.ratio() - 1), row.has_interval ? (inside ? "1" : "0") : "",
                       text::level_text(row.rung), text::exact(row.tensor_bytes), text::flag_names(row.flags, " "));
  }
  return out;
}

}  // namespace edgejoule::calibrate
