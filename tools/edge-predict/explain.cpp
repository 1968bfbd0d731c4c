#include "explain.h"

#include <fmt/format.h>

#include <cmath>

#include "text/columns.h"
#include "text/escape.h"
#include "text/flag_text.h"
#include "text/quantity_text.h"
#include "text_view.h"

namespace edgejoule::predict {
namespace {

using text::Align;
using text::Columns;
using text::Style;

std::string condition_text(const Condition& condition) {
  std::string out;
  if (std::isfinite(condition.min)) out += fmt::format("{} <= ", condition.min);
  out += name_of(condition.feature);
  if (std::isfinite(condition.max)) out += fmt::format(" < {}", condition.max);
  return out;
}

std::string range_text(const TermShare& share) {
  if (share.inside) return {};
  return fmt::format("outside the fitted {} .. {}", share.term.min, share.term.max);
}

// "" of a term that takes no time.
std::string seconds_text(const TermShare& share) {
  if (share.term.time_coefficient == 0) return {};
  return fmt::format("{} = {:.4g} {} each", text::si(share.seconds, "s"), share.term.time_coefficient,
                     symbol_of(share.term.time_unit));
}

std::string op_text(const Prediction& prediction, std::uint32_t node, const TextOptions& options) {
  const NodeEstimate& estimate = prediction.node(node);
  const std::uint32_t row_index = prediction.predictor().row_of(node);
  const RowView row = prediction.table().row(row_index);
  std::string out = fmt::format("{}  {} {}  {}  ({} of the model)\n",
                                text::styled(prediction.path(node), Style::kBold, options.colour),
                                name_of(prediction.graph().kind(node)), name_of(prediction.graph().data_type(node)),
                                text::styled(text::si(estimate.own), Style::kBold, options.colour),
                                text::percent(prediction.share(estimate.own)));
  if (estimate.time.value() >= 0 && !estimate.flags.has(Flag::kTimePredicted)) {
    out += text::styled(fmt::format("  time {}, measured\n", text::si(estimate.time)), Style::kDim, options.colour);
  }
  out += text::styled(fmt::format("  row {}, {}: {}{}\n", row_index, text::level_text(row.level()), row_text(row),
                                  row.reason().empty() ? "" : "; " + text::printable(row.reason())),
                      Style::kDim, options.colour);
  Columns columns({"", "", "", "", ""}, {Align::kRight, Align::kLeft, Align::kLeft, Align::kLeft, Align::kLeft});
  const bool product = row.form() == RowForm::kLog2;
  if (product) columns.add({{fmt::format("  2^{:.4g} J", row.intercept())}, {""}, {""}, {""}, {""}});
  for (const TermShare& share : terms_of(prediction, node)) {
    const std::string coefficient = fmt::format("{:.4g} {}", share.term.coefficient, symbol_of(share.term.unit));
    if (product) {
      columns.add({{fmt::format("x {:.4g}", share.contribution)},
                   {fmt::format("= {} ^ {:.4g}", fmt::format("{:.6g}", share.value), share.term.coefficient)},
                   {feature_text(share.term)},
                   {seconds_text(share)},
                   {range_text(share), Style::kYellow}});
    } else {
      columns.add({{"  " + text::si(Joules(share.contribution))},
                   {fmt::format("= {} x {:.6g}", coefficient, share.value)},
                   {feature_text(share.term)},
                   {seconds_text(share)},
                   {range_text(share), Style::kYellow}});
    }
  }
  return out + columns.render(options.colour) + "\n";
}

}  // namespace

std::vector<TermShare> terms_of(const Prediction& prediction, std::uint32_t node) {
  std::array<TermShare, kMaxTermsPerRow> terms;
  const Result<std::uint32_t> count = prediction.predictor().explain(node, prediction.inputs(), terms);
  if (!count.ok()) throw PredictionError(fmt::format("{}: {}.", prediction.name(node), error_text(count.error())));
  return {terms.begin(), terms.begin() + *count};
}

std::string row_text(const RowView& row) {
  std::string out;
  switch (row.level()) {
    case Level::kRoofline: out = "any op"; break;
    case Level::kClass: out = fmt::format("any {} op", name_of(row.op_class())); break;
    default: out = name_of(row.kind()); break;
  }
  if (row.data_type() != DataType::kUnknown) out += fmt::format(" {}", name_of(row.data_type()));
  for (std::uint32_t i = 0; i < row.condition_count(); ++i) out += ", " + condition_text(row.condition(i));
  return out;
}

std::string feature_text(const Term& term) {
  std::string out(name_of(term.feature));
  if (term.tile.m == 0 && term.tile.n == 0 && term.tile.k == 0) return out;
  const auto side = [](std::uint16_t tile) { return tile == 0 ? std::string("-") : fmt::format("{}", tile); };
  return out + fmt::format(" in tiles of {}x{}x{}", side(term.tile.m), side(term.tile.n), side(term.tile.k));
}

std::string explain_text(const Prediction& prediction, const std::string& pattern, const TextOptions& options) {
  std::string out;
  std::size_t shown = 0;
  for (std::uint32_t i = 0; i < prediction.size(); ++i) {
    if (prediction.path(i).find(pattern) == std::string::npos) continue;
    // A module without a row of its own is the sum of its children: nothing to explain.
    if (prediction.predictor().row_of(i) == kNoRow) continue;
    out += op_text(prediction, i, options);
    ++shown;
  }
  if (shown == 0) {
    throw PredictionError(
        fmt::format("no op's path contains \"{}\": --by op lists the names", text::printable(pattern)));
  }
  return out;
}

}  // namespace edgejoule::predict
