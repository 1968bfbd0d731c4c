#include "many.h"

#include <fmt/format.h>

#include "json_text.h"
#include "text/columns.h"
#include "text/escape.h"
#include "text/flag_text.h"
#include "text/quantity_text.h"

namespace edgejoule::predict {
namespace {

using text::Align;
using text::Style;

PricedModel priced(const Prediction& prediction) {
  PricedModel out;
  out.whole = prediction.node(0);
  out.macs = prediction.macs(0);
  out.weight_bytes = prediction.graph().unique_weight_bytes();
  for (const std::uint32_t op : prediction.ops_by_energy()) {
    ++out.ops;
    if (prediction.node(op).flags.has(Flag::kFallback)) out.fallback_share += prediction.share(op);
  }
  return out;
}

}  // namespace

std::vector<PricedModel> price_models(const Request& base, const std::vector<std::string>& models,
                                      const std::function<void(std::size_t)>& on_start) {
  std::vector<PricedModel> out;
  for (std::size_t i = 0; i < models.size(); ++i) {
    on_start(i);
    Request request = base;
    request.model = models[i];
    try {
      out.push_back(priced(Prediction(request)));
    } catch (const std::runtime_error& error) {
      out.emplace_back().error = error.what();
    }
    out.back().model = models[i];
  }
  return out;
}

std::string models_text(const std::vector<PricedModel>& models, const Request& base, const TextOptions& options) {
  text::Columns columns(
      {"energy", interval_title(base.confidence), "MACs", "weights", "ops", "fallback", "model"},
      {Align::kRight, Align::kLeft, Align::kRight, Align::kRight, Align::kRight, Align::kRight, Align::kLeft});
  for (const PricedModel& model : models) {
    const std::string name = text::printable(model.model);
    if (!model.error.empty()) {
      columns.add({{"-"}, {""}, {""}, {""}, {""}, {""}, {name + ": not priced", Style::kRed}});
      continue;
    }
    columns.add({{text::si(model.whole.dynamic), Style::kBold},
                 {interval_text(model.whole.interval, model.whole.flags), Style::kDim},
                 {macs_text(model.macs)},
                 {text::bytes(model.weight_bytes)},
                 {fmt::format("{}", model.ops)},
                 {text::percent(model.fallback_share), model.fallback_share > 0.5 ? Style::kYellow : Style::kPlain},
                 {name}});
  }
  return columns.render(options.colour, options.width, 6);
}

std::string models_csv(const std::vector<PricedModel>& models) {
  std::string out = "model,dynamic_j,lower_j,upper_j,ops,macs,weight_bytes,fallback_share,flags,error\n";
  for (const PricedModel& model : models) {
    if (!model.error.empty()) {
      out += fmt::format("{},,,,,,,,,{}\n", text::csv_name(model.model), text::csv_name(model.error));
      continue;
    }
    out += fmt::format("{},{},{},{},{},{},{},{},{},\n", text::csv_name(model.model),
                       text::exact(model.whole.dynamic.value()), text::exact(model.whole.interval.lower.value()),
                       text::exact(model.whole.interval.upper.value()), model.ops, model.macs, model.weight_bytes,
                       text::exact(static_cast<float>(model.fallback_share)), text::flag_names(model.whole.flags, " "));
  }
  return out;
}

std::string models_json(const std::vector<PricedModel>& models, const Request& base) {
  std::string out = fmt::format("{{\n  \"table\": {},\n  \"confidence\": {},\n  \"models\": [\n",
                                text::json_string(base.table), json_number(text::fraction_of(base.confidence)));
  for (std::size_t i = 0; i < models.size(); ++i) {
    const PricedModel& model = models[i];
    out += fmt::format("    {{ \"model\": {}, ", text::json_string(model.model));
    if (model.error.empty()) {
      out += fmt::format(
          "\"dynamic_joules\": {}, \"lower_joules\": {}, \"upper_joules\": {}, \"ops\": {}, \"macs\": {}, "
          "\"weight_bytes\": {}, \"fallback_share\": {}, \"flags\": {} }}",
          json_number(model.whole.dynamic.value()), json_number(model.whole.interval.lower.value()),
          json_number(model.whole.interval.upper.value()), model.ops, model.macs, model.weight_bytes,
          json_number(static_cast<float>(model.fallback_share)),
          text::json_string(text::flag_names(model.whole.flags, " ")));
    } else {
      out += fmt::format("\"error\": {} }}", text::json_string(model.error));
    }
    out += i + 1 < models.size() ? ",\n" : "\n";
  }
  return out + "  ]\n}\n";
}

}  // namespace edgejoule::predict
