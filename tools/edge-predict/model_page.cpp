#include "model_page.h"

#include <fmt/format.h>

#include "bottlenecks.h"
#include "report/chart.h"
#include "report/page.h"
#include "text/escape.h"
#include "text/flag_text.h"
#include "text/quantity_text.h"
#include "text_view.h"

namespace edgejoule::predict {
namespace {

constexpr std::size_t kShownOps = 15;
constexpr std::size_t kUsesOnPage = 3;

// Colours tell classes of op apart; modules have none.
int colour_of(OpClass op_class) {
  switch (op_class) {
    case OpClass::kConvolution:
    case OpClass::kTransposedConvolution: return 0;
    case OpClass::kMatrix:
    case OpClass::kRecurrent:
    case OpClass::kAttention: return 1;
    case OpClass::kElementwise:
    case OpClass::kActivation: return 2;
    case OpClass::kSoftmax:
    case OpClass::kNormalisation:
    case OpClass::kReduction:
    case OpClass::kPooling: return 3;
    case OpClass::kLookup:
    case OpClass::kDataMovement: return 4;
    case OpClass::kModule: return -1;
    default: return 6;
  }
}

report::Icicle icicle_of(const Prediction& prediction, const std::string& interval) {
  report::Icicle icicle{{"joules"}, {}, "", ""};
  icicle.nodes.reserve(prediction.size());
  for (std::uint32_t i = 0; i < prediction.size(); ++i) {
    const NodeEstimate& node = prediction.node(i);
    report::IcicleNode& out = icicle.nodes.emplace_back();
    out.parent = i == 0 ? report::kNoIcicleParent : prediction.graph().parent(i);
    out.name = prediction.name(i);
    out.sizes = {prediction.share(i)};
    out.colour = colour_of(prediction.graph().op_class(i));
    out.details = {
        {"kind", fmt::format("{} {}", name_of(prediction.graph().kind(i)),
                             prediction.graph().is_module_node(i) ? std::string_view()
                                                                  : name_of(prediction.graph().data_type(i)))},
        {"energy", text::si(node.dynamic)},
        {"share", text::percent(prediction.share(i))},
        {interval, interval_text(node.interval, node.flags)},
        {"MACs", macs_text(prediction.macs(i))},
        {"priced by", std::string(text::level_text(node.level))}};
    if (const std::string flags = text::flag_names(node.flags, ", "); !flags.empty()) {
      out.details.emplace_back("flags", flags);
    }
  }
  return icicle;
}

void add_bottlenecks(const Prediction& prediction, report::Page& page) {
  const Bottlenecks found = bottlenecks_of(prediction);
  const auto share = [&](double joules) { return text::percent(found.whole > 0 ? joules / found.whole : 0); };
  page.heading("Where the energy goes");
  std::vector<report::Bar> bars;
  std::vector<std::vector<std::string>> causes;
  for (const CauseSum& sum : found.causes) {
    if (sum.joules > 0) bars.push_back({name_of(sum.cause), sum.joules, text::si(sum.joules, "J")});
    causes.push_back(
        {name_of(sum.cause), text::si(sum.joules, "J"), share(sum.joules),
         sum.cause == Cause::kStatic ? "static power x time" : uses_text(prediction, sum.through, kUsesOnPage)});
  }
  page.chart("By cause, as the terms of the rows say", report::bar_chart(bars));
  page.table({{"cause", false}, {"energy", true}, {"share", true}, {"through", false}}, causes);
  page.heading("What would help");
  std::vector<std::vector<std::string>> remedies;
  for (const Remedy& r : found.remedies) {
    remedies.push_back({r.what, "-" + share(r.saved), text::si(r.saved, "J"),
                        r.repriced ? fmt::format("{} with {}", text::si(*r.repriced, "J"), r.settings) : "-",
                        uses_text(prediction, r.through, kUsesOnPage)});
  }
  page.paragraph(remedies.empty() ? "Nothing that edgejoule knows of saves a hundredth."
                                  : "Saved at unchanged coefficients; where the table can price the changed model, "
                                    "that price stands beside it.");
  if (remedies.empty()) return;
  page.table({{"what", false}, {"saves", true}, {"joules", true}, {"priced again", true}, {"through", false}},
             remedies);
}

}  // namespace

std::string model_html(const Prediction& prediction) {
  const NodeEstimate& whole = prediction.node(0);
  const CoefficientTable& table = prediction.table();
  const std::string interval = interval_title(prediction.request().confidence);
  report::Page page(text::printable(prediction.graph().model_name()),
                    fmt::format("priced by {}, on {}. A joule: {}.", text::printable(table.name()),
                                text::printable(table.board()), boundary_text(table)));
  std::vector<report::Figure> figures{
      {text::si(whole.dynamic), "per inference, dynamic", interval_text(whole.interval, whole.flags)}};
  if (whole.static_part.value() > 0) {
    figures.push_back({text::si(whole.static_part), "static, beside it", "drawn in that time, busy or not"});
  }
  if (const std::optional<Pace> pace = pace_of(whole)) {
    figures.push_back({text::si(whole.time), "latency",
                       whole.flags.has(Flag::kTimePredicted) ? "predicted, one op after the other" : "as given"});
    figures.push_back(
        {text::si(pace->average_power), "average power", pace->with_static ? "static power with it" : ""});
    figures.push_back({text::si(pace->energy_delay, "J s"), "energy-delay product", ""});
  }
  if (const Joules wake = prediction.wake(); wake.value() > 0) {
    figures.push_back({text::si(wake), "more the first time", "waking the engine after idling"});
  }
  page.figures(figures);
  page.figures({{macs_text(prediction.macs(0)), "MACs", ""},
                {text::bytes(prediction.graph().unique_weight_bytes()), "weights", ""},
                {fmt::format("{}", prediction.ops_by_energy().size()), "ops", ""}});
  for (const text::FlagText& row : text::flag_texts()) {
    if (whole.flags.has(row.flag)) page.warning(fmt::format("{}: {}", row.short_name, row.meaning));
  }
  page.heading("The model");
  page.icicle(
      "Click a bar to look inside, the trail above or Escape to come out again. Widths are shares of the energy; "
      "colours tell convolutions, matrix products, element-wise ops, reductions and data movement apart.",
      icicle_of(prediction, interval));
  add_bottlenecks(prediction, page);
  page.heading("Ops, the costliest first");
  std::vector<std::vector<std::string>> rows;
  for (const std::uint32_t i : prediction.ops_by_energy()) {
    const NodeEstimate& node = prediction.node(i);
    rows.push_back({prediction.path(i), text::si(node.dynamic), text::percent(prediction.share(i)),
                    interval_text(node.interval, node.flags), macs_text(prediction.macs(i)),
                    std::string(text::level_text(node.level))});
  }
  page.table({{"op", false}, {"energy", true}, {"share", true}, {interval, true}, {"MACs", true}, {"by", false}}, rows,
             kShownOps);
  return page.render();
}

}  // namespace edgejoule::predict
