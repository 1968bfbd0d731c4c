#include "many.h"

#include <fmt/format.h>

#include <algorithm>

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

bool knows_time(const PricedModel& model) {
  return model.error.empty() && model.whole.time.value() >= 0;
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
  const bool timed = std::any_of(models.begin(), models.end(), [](const PricedModel& m) { return knows_time(m); });
  std::vector<std::string> titles{"energy", interval_title(base.confidence)};
  std::vector<Align> sides{Align::kRight, Align::kLeft};
  if (timed) {
    titles.insert(titles.end(), {"time", "power", "energy x delay"});
    sides.insert(sides.end(), {Align::kRight, Align::kRight, Align::kRight});
  }
  titles.insert(titles.end(), {"MACs", "weights", "ops", "fallback", "model"});
  sides.insert(sides.end(), {Align::kRight, Align::kRight, Align::kRight, Align::kRight, Align::kLeft});
  text::Columns columns(titles, sides);
  for (const PricedModel& model : models) {
    const std::string name = text::printable(model.model);
    std::vector<text::Cell> row;
    if (!model.error.empty()) {
      row.resize(titles.size());
      row.front() = {"-"};
      row.back() = {name + ": not priced", Style::kRed};
      columns.add(std::move(row));
      continue;
    }
    row = {{text::si(model.whole.dynamic), Style::kBold},
           {interval_text(model.whole.interval, model.whole.flags), Style::kDim}};
    if (timed) {
      const std::optional<Pace> pace = pace_of(model.whole);
      row.push_back({knows_time(model) ? text::si(model.whole.time) : "-"});
      row.push_back({pace ? text::si(pace->average_power) : "-"});
      row.push_back({pace ? text::si(pace->energy_delay, "J s") : "-"});
    }
    row.insert(row.end(),
               {{macs_text(model.macs)},
                {text::bytes(model.weight_bytes)},
                {fmt::format("{}", model.ops)},
                {text::percent(model.fallback_share), model.fallback_share > 0.5 ? Style::kYellow : Style::kPlain},
                {name}});
    columns.add(std::move(row));
  }
  return columns.render(options.colour, options.width, titles.size() - 1);
}

std::string models_csv(const std::vector<PricedModel>& models) {
  std::string out =
      "model,dynamic_j,lower_j,upper_j,ops,macs,weight_bytes,fallback_share,flags,time_s,average_w,energy_delay_js,"
      "error\n";
  for (const PricedModel& model : models) {
    if (!model.error.empty()) {
      out += fmt::format("{},,,,,,,,,,,,{}\n", text::csv_name(model.model), text::csv_name(model.error));
      continue;
    }
    const std::optional<Pace> pace = pace_of(model.whole);
    out += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},\n", text::csv_name(model.model),
                       text::exact(model.whole.dynamic.value()), text::exact(model.whole.interval.lower.value()),
                       text::exact(model.whole.interval.upper.value()), model.ops, model.macs, model.weight_bytes,
                       text::exact(static_cast<float>(model.fallback_share)), text::flag_names(model.whole.flags, " "),
                       knows_time(model) ? text::exact(model.whole.time.value()) : std::string(),
                       pace ? text::exact(pace->average_power.value()) : std::string(),
                       pace ? text::exact(pace->energy_delay) : std::string());
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
      const std::optional<Pace> pace = pace_of(model.whole);
      out += fmt::format(
          "\"dynamic_joules\": {}, \"lower_joules\": {}, \"upper_joules\": {}, \"ops\": {}, \"macs\": {}, "
          "\"weight_bytes\": {}, \"fallback_share\": {}, \"flags\": {}, \"time_seconds\": {}, \"average_watts\": {}, "
          "\"energy_delay_joule_seconds\": {} }}",
          json_number(model.whole.dynamic.value()), json_number(model.whole.interval.lower.value()),
          json_number(model.whole.interval.upper.value()), model.ops, model.macs, model.weight_bytes,
          json_number(static_cast<float>(model.fallback_share)),
          text::json_string(text::flag_names(model.whole.flags, " ")),
          knows_time(model) ? json_number(model.whole.time.value()) : "null",
          pace ? json_number(pace->average_power.value()) : "null", pace ? json_number(pace->energy_delay) : "null");
    } else {
      out += fmt::format("\"error\": {} }}", text::json_string(model.error));
    }
    out += i + 1 < models.size() ? ",\n" : "\n";
  }
  return out + "  ]\n}\n";
}

}  // namespace edgejoule::predict
