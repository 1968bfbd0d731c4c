#include "fit/fit_models.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "fit/model_sums.h"
#include "fit/nnls.h"

namespace edgejoule::fit {
namespace {

using Eigen::Index;
using measurements::Measurement;
using measurements::MeasurementError;
using measurements::MeasurementSet;
using measurements::NodeLevel;
using measurements::Part;
using Rows = std::vector<Index>;

constexpr std::size_t kFewestModels = 8;  // of a device

// "round|system|data type" without its last part: data types of one system share a table.
std::string system_of(const std::string& device) {
  return device.substr(0, device.rfind('|'));
}

Rows rows_of(const ModelPool& pool, auto is_wanted) {
  Rows rows;
  for (Index i = 0; i < pool.data.size(); ++i) {
    if (is_wanted(pool.data.devices[static_cast<std::size_t>(i)])) rows.push_back(i);
  }
  return rows;
}

// Bytes, MACs or transistor operations, and a constant per op: for ops of any type that no
// model of the set holds.
class ModelRoofline {
 public:
  ModelRoofline(const PoolData& data, const Rows& rows, bool transistors) : transistors_(transistors) {
    RelativeFitOptions options;
    options.ridge = 1e-4;
    const Eigen::VectorXd ones = Eigen::VectorXd::Ones(static_cast<Index>(rows.size()));
    coefficients_ = fit_relative(columns(data, rows), data.energies(rows), ones, options);
  }

  [[nodiscard]] Eigen::VectorXd log_residuals(const PoolData& data, const Rows& rows) const {
    const Eigen::VectorXd predicted = (columns(data, rows) * coefficients_).cwiseMax(1e-12);
    return (data.energies(rows).array() / predicted.array()).log();
  }

  [[nodiscard]] FittedRow table_row() const {
    FittedRow row;
    const auto add = [&](Feature feature, double joules) {
      if (joules > 0) row.terms.push_back({{feature, {}}, joules, 0, std::numeric_limits<double>::infinity()});
    };
    add(Feature::kOne, coefficients_[0]);
    add(Feature::kTensorBytes, coefficients_[1] * 1e-6);
    add(transistors_ ? Feature::kTransistorOps : Feature::kMacs, coefficients_[2] * (transistors_ ? 1e-12 : 1e-6));
    return row;
  }

 private:
  [[nodiscard]] Eigen::MatrixXd columns(const PoolData& data, const Rows& rows) const {
    Eigen::MatrixXd result(rows.size(), 3);
    const auto& t = data.terms;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Index at = rows[i];
      const double macs = t(at, kPointwiseColumn) + t(at, kOtherColumn) + t(at, kDepthwiseColumn) + t(at, kDenseColumn);
      result.row(static_cast<Index>(i)) << t(at, kOpsColumn), t(at, kWeightsColumn) + t(at, kActivationsColumn),
          transistors_ ? t(at, kTransistorsColumn) : macs;
    }
    return result;
  }

  bool transistors_;
  Eigen::VectorXd coefficients_;
};

// Transistor operations say what data types have to do with each other: they are tested
// by leaving each type out, and take the place of MACs where they err less.
FittedRow roofline_row(const MeasurementSet& set, const PoolData& data, const Rows& rows) {
  std::map<int, Rows> by_type;
  for (const Index row : rows) by_type[data.kinds[static_cast<std::size_t>(row)]].push_back(row);
  const auto left_out = [&](bool transistors) {
    HeldOut held_out;
    for (const auto& [type, out] : by_type) {
      Rows in;
      for (const Index row : rows) {
        if (data.kinds[static_cast<std::size_t>(row)] != type) in.push_back(row);
      }
      const Eigen::VectorXd residuals = ModelRoofline(data, in, transistors).log_residuals(data, out);
      for (const double residual : residuals) {
        held_out.log_residuals.push_back(residual);
        held_out.groups.emplace_back(name_of(set.measurements[static_cast<std::size_t>(out.front())].data_type));
      }
    }
    return held_out;
  };
  if (by_type.size() < 2) {
    FittedRow row = ModelRoofline(data, rows, false).table_row();
    row.reason = "one data type was measured, so no other could be tested";
    return row;
  }
  const HeldOut with = left_out(true), without = left_out(false);
  const double error_with = error_percent(with.log_residuals).median,
               error_without = error_percent(without.log_residuals).median;
  const bool transistors = error_with < error_without;
  FittedRow row = ModelRoofline(data, rows, transistors).table_row();
  row.residual = summarise(transistors ? with : without);
  row.reason =
      fmt::format("over data types, each left out: median error {:.0f} % by transistor operations, {:.0f} % by MACs",
                  error_with, error_without);
  return row;
}

}  // namespace

bool is_of_whole_models(const MeasurementSet& set) {
  return !set.measurements.empty() &&
         std::all_of(set.measurements.begin(), set.measurements.end(), [](const Measurement& m) {
           return m.level != NodeLevel::kOp && m.parts != nullptr && m.children.empty();
         });
}

ModelPool pool_of(const MeasurementSet& set) {
  ModelPool pool;
  const auto n = static_cast<Index>(set.measurements.size());
  pool.data.terms.resize(n, kModelColumns);
  pool.data.energies.resize(n);
  std::map<const void*, Eigen::RowVectorXd> sums;
  std::map<std::string, int> devices, families;
  std::map<std::string, std::set<std::string>> models_of;
  const auto family_of = [](const Measurement& m) { return m.family.empty() ? m.model : m.family; };
  for (const Measurement& m : set.measurements) models_of[family_of(m)].insert(m.model);
  for (Index i = 0; i < n; ++i) {
    const Measurement& m = set.measurements[static_cast<std::size_t>(i)];
    auto known = sums.find(m.parts.get());
    if (known == sums.end()) known = sums.emplace(m.parts.get(), model_sums(*m.parts)).first;
    pool.data.terms.row(i) = known->second;
    pool.data.energies[i] = m.energy_joules;
    const auto [device, new_device] = devices.emplace(m.device, static_cast<int>(devices.size()));
    if (new_device) pool.devices.push_back(m.device);
    const auto [family, new_family] = families.emplace(family_of(m), static_cast<int>(families.size()));
    if (new_family) pool.families.push_back(family_of(m));
    constexpr std::size_t kFewestToLeaveOut = 3;
    pool.data.devices.push_back(device->second);
    pool.data.families.push_back(models_of[family_of(m)].size() < kFewestToLeaveOut ? -1 : family->second);
    pool.data.kinds.push_back(static_cast<int>(m.data_type));
  }
  return pool;
}

std::string find_device(const MeasurementSet& set, const std::string& device) {
  std::set<std::string> all, found;
  for (const Measurement& m : set.measurements) {
    all.insert(m.device);
    if (m.device == device) return device;
    if (m.device.find(device) != std::string::npos) found.insert(m.device);
  }
  if (found.size() == 1) return *found.begin();
  if (found.empty()) {
    throw MeasurementError(fmt::format("no device contains '{}'; there are: {}", device, fmt::join(all, ", ")));
  }
  throw MeasurementError(
      fmt::format("a table is of one device and data type, and {} match; name one of them with --device: {}",
                  found.size(), fmt::join(found, ", ")));
}

FittedTable fit_models(const MeasurementSet& set, const std::string& device) {
  const ModelPool pool = pool_of(set);
  const std::string name = find_device(set, device);
  const auto chosen =
      static_cast<int>(std::find(pool.devices.begin(), pool.devices.end(), name) - pool.devices.begin());
  const Rows rows = rows_of(pool, [&](int d) { return d == chosen; });
  if (rows.size() < kFewestModels) {
    throw MeasurementError(fmt::format("{} measurements of whole models on '{}': a table needs at least {}",
                                       rows.size(), name, kFewestModels));
  }
  const std::vector<PoolForm> forms = pool_forms();
  const PoolChoice choice = choose_forms(forms, pool.data, kAveragedForms);
  std::vector<SetPool> best;
  for (std::size_t i = 0; i < kAveragedForms; ++i) best.emplace_back(pool.data, forms[choice.order[i]]);
  const SetPool mean = SetPool::average(best);

  FittedTable table;
  HeldOut held_out;
  for (const Index row : rows) {
    if (!std::isfinite(choice.log_residuals[row])) continue;
    held_out.log_residuals.push_back(choice.log_residuals[row]);
    const Measurement& m = set.measurements[static_cast<std::size_t>(row)];
    held_out.groups.push_back(m.family.empty() ? m.model : m.family);
  }
  const std::string reason = fmt::format(
      "the mean of the best {} of {} rows over whole models, {} devices together; chosen by families left out",
      kAveragedForms, forms.size(), pool.devices.size());
  std::vector<Part> parts;
  std::set<const void*> seen;
  for (const Index row : rows) {
    const Measurement& m = set.measurements[static_cast<std::size_t>(row)];
    if (seen.insert(m.parts.get()).second) parts.insert(parts.end(), m.parts->begin(), m.parts->end());
  }
  table.rows = op_rows(mean.coefficients(chosen), parts);
  for (FittedRow& row : table.rows) row.reason = reason;
  table.rows.push_back(root_row(mean.coefficients(chosen)));
  // Other data types of the same system stand behind the roofline alone.
  table.rows.push_back(roofline_row(set, pool.data, rows_of(pool, [&](int d) {
                                      return system_of(pool.devices[static_cast<std::size_t>(d)]) == system_of(name);
                                    })));
  table.model_residual = summarise(held_out);
  table.models = {held_out.log_residuals.size(),
                  std::set<std::string>(held_out.groups.begin(), held_out.groups.end()).size(),
                  error_percent(held_out.log_residuals)};
  return table;
}

}  // namespace edgejoule::fit
