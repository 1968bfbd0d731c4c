#include "calibration/engine_regression.h"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "fit/nnls.h"
#include "text/escape.h"

namespace edgejoule::calibration {
namespace {

double quantity(Feature feature, const graph::OpNode& op) {
  const Result<OpQuantities> quantities = measure_op(op.op_class, op.facts);
  if (!quantities) throw RuntimeError(fmt::format("op '{}': {}", op.name, error_text(quantities.error())));
  return static_cast<double>(feature_value(feature, *quantities, Tile{}, CacheState{}));
}

std::vector<RegressedRow>::const_iterator row_of(const std::vector<RegressedRow>& rows, const graph::OpNode& op) {
  return std::find_if(rows.begin(), rows.end(),
                      [&op](const RegressedRow& r) { return r.kind == op.kind && r.data_type == op.data_type; });
}

std::vector<RegressedRow> empty_rows(std::span<const MeasuredEngine> engines) {
  std::vector<RegressedRow> rows;
  for (const MeasuredEngine& measured : engines) {
    for (const EnginePart& part : measured.engine.parts) {
      if (row_of(rows, part.op) != rows.end()) continue;
      RegressedRow row{.kind = part.op.kind, .data_type = part.op.data_type, .coefficients = {}};
      row.coefficients.push_back({.feature = Feature::kOne});
      if (quantity(Feature::kMacs, part.op) > 0) row.coefficients.push_back({.feature = Feature::kMacs});
      row.coefficients.push_back({.feature = Feature::kTensorBytes});
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace

std::vector<RegressedRow> regress(std::span<const MeasuredEngine> engines) {
  std::vector<RegressedRow> rows = empty_rows(engines);
  std::vector<RegressedCoefficient*> columns;
  for (RegressedRow& row : rows) {
    for (RegressedCoefficient& coefficient : row.coefficients) columns.push_back(&coefficient);
  }
  const auto count = static_cast<Eigen::Index>(engines.size());
  const auto width = static_cast<Eigen::Index>(columns.size());
  if (count <= width) {
    throw RuntimeError(
        fmt::format("{} engines cannot tell {} coefficients apart; measure more experiments", count, width));
  }
  Eigen::MatrixXd terms = Eigen::MatrixXd::Zero(count, width);
  Eigen::VectorXd energies(count);
  for (Eigen::Index i = 0; i < count; ++i) {
    const MeasuredEngine& measured = engines[static_cast<std::size_t>(i)];
    energies(i) = measured.energy.joules;
    if (!(energies(i) > 0)) {
      throw RuntimeError(fmt::format("experiment '{}': {} J per inference; measure it again with more iterations",
                                     text::printable(measured.engine.name), energies(i)));
    }
    for (const EnginePart& part : measured.engine.parts) {
      Eigen::Index column = 0;
      for (const RegressedRow& row : rows) {
        const bool is_this = row.kind == part.op.kind && row.data_type == part.op.data_type;
        for (const RegressedCoefficient& coefficient : row.coefficients) {
          if (is_this) terms(i, column) += quantity(coefficient.feature, part.op);
          ++column;
        }
      }
    }
  }
  fit::RelativeFitOptions options;
  options.ridge = 1e-9;
  const Eigen::VectorXd found = fit::fit_relative(terms, energies, Eigen::VectorXd::Ones(count), options);

  // Standard errors: of the relative residuals, through the inverse of the information.
  const Eigen::MatrixXd relative = energies.cwiseInverse().asDiagonal() * terms;
  const Eigen::VectorXd size = relative.colwise().norm().cwiseMax(1e-300);
  const Eigen::MatrixXd scaled = relative * size.cwiseInverse().asDiagonal();
  const double variance =
      (relative * found - Eigen::VectorXd::Ones(count)).squaredNorm() / static_cast<double>(count - width);
  const Eigen::MatrixXd information = scaled.transpose() * scaled + 1e-12 * Eigen::MatrixXd::Identity(width, width);
  const Eigen::VectorXd errors = (variance * information.inverse().diagonal()).cwiseMax(0).cwiseSqrt();
  for (Eigen::Index i = 0; i < width; ++i) {
    columns[static_cast<std::size_t>(i)]->joules = found(i);
    columns[static_cast<std::size_t>(i)]->relative_error = found(i) > 0 ? errors(i) / size(i) / found(i) : 1;
  }
  return rows;
}

double predict(std::span<const RegressedRow> rows, const Engine& engine) {
  const std::vector<RegressedRow> known(rows.begin(), rows.end());
  double joules = 0;
  for (const EnginePart& part : engine.parts) {
    const auto row = row_of(known, part.op);
    if (row == known.end()) {
      throw RuntimeError(fmt::format("experiment '{}': nothing was measured of {}", text::printable(engine.name),
                                     name_of(part.op.kind)));
    }
    for (const RegressedCoefficient& coefficient : row->coefficients) {
      joules += coefficient.joules * quantity(coefficient.feature, part.op);
    }
  }
  return joules;
}

}  // namespace edgejoule::calibration
