#include "sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "text/escape.h"
#include "text/quantity_text.h"
#include "zoo/zoo.h"

namespace edgejoule::predict {
namespace {

constexpr std::uint64_t kLargestAsked = 1U << 20U;
constexpr std::string_view kBindPrefix = "bind:";

template <class Number>
bool parse_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

[[noreturn]] void refuse_spec(std::string_view text, std::string_view why) {
  throw SettingError(
      fmt::format("'{}': {}; write for example seq=64:512:64, dtype=fp32,fp16 or at", text::printable(text), why));
}

std::vector<std::string> values_of_range(std::string_view text, std::string_view range) {
  const std::size_t first = range.find(':');
  const std::size_t second = range.find(':', first + 1);
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::uint64_t step = 1;
  const bool whole =
      parse_number(range.substr(0, first), from) &&
      parse_number(range.substr(first + 1, second == std::string_view::npos ? second : second - first - 1), to) &&
      (second == std::string_view::npos || parse_number(range.substr(second + 1), step));
  if (!whole) refuse_spec(text, "FROM:TO:STEP are whole numbers");
  if (step == 0) refuse_spec(text, "a step of 0 never arrives");
  if (from > to) refuse_spec(text, "FROM is larger than TO");
  if ((to - from) / step >= kMaxSweepPoints) {
    refuse_spec(text, fmt::format("that is more than {} values; take a larger step", kMaxSweepPoints));
  }
  std::vector<std::string> values;
  for (std::uint64_t n = 0; n <= (to - from) / step; ++n) values.push_back(std::to_string(from + n * step));
  return values;
}

Request with(Request request, const std::string& key, const std::string& value) {
  if (key == "at") {
    request.operating_point = value;
  } else if (key == "engine") {
    request.engine = value;
  } else if (key.starts_with(kBindPrefix)) {
    std::int64_t size = 0;
    if (!parse_number(std::string_view(value), size) || size < 0) {
      throw SettingError(fmt::format("{}={} is no whole size", text::printable(key), text::printable(value)));
    }
    request.bindings[key.substr(kBindPrefix.size())] = size;
  } else {
    request.settings.push_back({key, value});
  }
  return request;
}

SweepPoint price(const Request& base, const std::string& key, const std::string& value) {
  const Prediction prediction(with(base, key, value));
  SweepPoint point;
  point.value = value;
  point.whole = prediction.node(0);
  point.macs = prediction.macs(0);
  point.weight_bytes = prediction.graph().unique_weight_bytes();
  point.inputs = prediction.batch();
  point.tokens = prediction.graph().facts(0)[Fact::kTokens];
  return point;
}

// What a limit is of: dynamic joules, or seconds that the table must know.
float held_against(const Limit& limit, const Request& base, const SweepPoint& point) {
  if (limit.kind == Limit::Kind::kEnergy) return point.whole.dynamic.value();
  if (point.whole.time.value() < 0) {
    throw SweepError(
        fmt::format("table {} does not know how long every op of this model takes, so nothing can be said about {}. "
                    "Give a limit in joules, or fit a table to measurements with times.",
                    text::printable(base.table), text::printable(limit.text)));
  }
  return point.whole.time.value();
}

std::string amount_text(const Limit& limit, const SweepPoint& point) {
  return limit.kind == Limit::Kind::kEnergy ? "costs " + text::si(point.whole.dynamic)
                                            : "takes " + text::si(point.whole.time);
}

std::vector<SweepPoint> price_values(const Request& base, const SweepSpec& spec) {
  if (spec.values.empty() && !is_of_table(spec.key)) {
    throw SettingError(fmt::format("which values of {}? Write for example {}=64:512:64", text::printable(spec.key),
                                   text::printable(spec.key)));
  }
  return price_sweep(base, spec);
}

[[noreturn]] void refuse_all(const Request& base, const SweepSpec& spec, const Limit& limit,
                             const std::vector<SweepPoint>& points) {
  const auto least = std::min_element(points.begin(), points.end(), [&](const SweepPoint& a, const SweepPoint& b) {
    return held_against(limit, base, a) < held_against(limit, base, b);
  });
  throw SweepError(fmt::format("no value of {} stays under {}: the {} {}", text::printable(spec.key),
                               text::printable(limit.text), limit.kind == Limit::Kind::kEnergy ? "cheapest" : "fastest",
                               amount_text(limit, *least)));
}

// Doubles and bisects over whole numbers; remembers what it priced.
class LargestSearch {
 public:
  LargestSearch(const Request& base, const std::string& key, const Limit& limit)
      : base_(base), key_(key), limit_(limit) {}

  SweepAnswer run() {
    if (!fits(1)) {
      const Tried& first = tried_.at(1);
      if (!first.point) give_values(first.refusal);
      throw SweepError(fmt::format("already {}=1 {}, more than {}", text::printable(key_),
                                   amount_text(limit_, *first.point), text::printable(limit_.text)));
    }
    std::uint64_t low = 1;
    std::uint64_t high = 2;
    while (high <= kLargestAsked && fits(high)) {
      low = high;
      high *= 2;
    }
    if (high <= kLargestAsked) {
      while (high - low > 1) {
        const std::uint64_t middle = low + (high - low) / 2;
        const bool high_built = tried_.at(high).point.has_value();
        (fits(middle) ? low : high) = middle;
        if (high_built && !tried_.at(middle).point) give_values(tried_.at(middle).refusal);
      }
    }
    SweepAnswer answer;
    const SweepPoint* before = nullptr;
    for (const auto& [value, tried] : tried_) {
      if (!tried.point) continue;
      if (before != nullptr && held(*tried.point) < held(*before)) {
        give_values(fmt::format("{} not rise with it: {} {}, {} {}", is_energy() ? "joules do" : "time does",
                                before->value, amount_text(limit_, *before), tried.point->value,
                                amount_text(limit_, *tried.point)));
      }
      before = &*tried.point;
      if (value == low) answer.best = answer.points.size();
      answer.points.push_back(*tried.point);
    }
    answer.talk = fmt::format("{} values priced; {} with {} over all of them", answer.points.size(),
                              is_energy() ? "joules rise" : "time rises", text::printable(key_));
    if (high > kLargestAsked) {
      answer.talk += fmt::format("; larger ones than {} were not asked", low);
    } else if (!tried_.at(high).point) {
      answer.talk += fmt::format("; {} cannot be built: {}", high, tried_.at(high).refusal);
    }
    return answer;
  }

 private:
  struct Tried {
    std::optional<SweepPoint> point;
    std::string refusal;
  };

  bool fits(std::uint64_t value) {
    const auto [place, is_new] = tried_.try_emplace(value);
    if (is_new) {
      try {
        place->second.point = price(base_, key_, std::to_string(value));
      } catch (const zoo::ZooError& error) {
        place->second.refusal = error.what();
      } catch (const SettingError& error) {
        place->second.refusal = error.what();
      }
    }
    return place->second.point && held(*place->second.point) <= limit_.value;
  }

  [[nodiscard]] bool is_energy() const { return limit_.kind == Limit::Kind::kEnergy; }
  [[nodiscard]] float held(const SweepPoint& point) const { return held_against(limit_, base_, point); }

  [[noreturn]] void give_values(const std::string& why) const {
    throw SweepError(fmt::format("{} cannot be searched by itself: {}. Give the values: {}=FROM:TO:STEP prices each.",
                                 text::printable(key_), text::printable(why), text::printable(key_)));
  }

  const Request& base_;
  const std::string& key_;
  const Limit& limit_;
  std::map<std::uint64_t, Tried> tried_;
};

}  // namespace

SweepSpec parse_sweep(std::string_view text) {
  const std::size_t equals = std::min(text.find('='), text.size());
  SweepSpec spec{std::string(text.substr(0, equals)), {}};
  if (spec.key.empty()) refuse_spec(text, "there is no key");
  if (equals == text.size()) return spec;
  std::string_view values = text.substr(equals + 1);
  if (values.empty()) refuse_spec(text, "there are no values");
  if (values.find(':') != std::string_view::npos && spec.key != "at") {
    spec.values = values_of_range(text, values);
    return spec;
  }
  for (bool more = true; more;) {
    const std::size_t comma = values.find(',');
    more = comma != std::string_view::npos;
    spec.values.emplace_back(values.substr(0, comma));
    if (spec.values.back().empty()) refuse_spec(text, "a value is empty");
    if (spec.values.size() > kMaxSweepPoints) {
      refuse_spec(text.substr(0, 64), fmt::format("more than {} values", kMaxSweepPoints));
    }
    if (more) values.remove_prefix(comma + 1);
  }
  return spec;
}

bool is_of_table(std::string_view key) {
  return key == "at" || key == "engine";
}

std::vector<SweepPoint> price_sweep(const Request& base, const SweepSpec& spec) {
  std::vector<std::string> values = spec.values;
  if (values.empty()) {
    const Prediction any(base);
    const bool points = spec.key == "at";
    values = points ? operating_point_names(any.table()) : engine_names(any.table());
    if (values.empty()) {
      throw SweepError(fmt::format("table {} has no {} to compare", text::printable(base.table),
                                   points ? "operating points" : "engines"));
    }
  }
  std::vector<SweepPoint> points;
  for (const std::string& value : values) points.push_back(price(base, spec.key, value));
  return points;
}

Limit parse_limit(std::string_view text) {
  struct UnitText {
    std::string_view text;
    Limit::Kind kind;
    double scale;
  };
  constexpr UnitText kUnits[] = {{"kJ", Limit::Kind::kEnergy, 1e3},  {"J", Limit::Kind::kEnergy, 1},
                                 {"mJ", Limit::Kind::kEnergy, 1e-3}, {"uJ", Limit::Kind::kEnergy, 1e-6},
                                 {"µJ", Limit::Kind::kEnergy, 1e-6}, {"nJ", Limit::Kind::kEnergy, 1e-9},
                                 {"s", Limit::Kind::kTime, 1},       {"ms", Limit::Kind::kTime, 1e-3},
                                 {"us", Limit::Kind::kTime, 1e-6},   {"µs", Limit::Kind::kTime, 1e-6}};
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  for (const UnitText& known : kUnits) {
    if (error != std::errc() || unit != known.text || !std::isfinite(number) || !(number > 0)) continue;
    return {known.kind, static_cast<float>(number * known.scale), std::string(text)};
  }
  throw SettingError(fmt::format("'{}' is no limit; write for example 2J, 500mJ or 50ms", text::printable(text)));
}

SweepAnswer find_largest(const Request& base, const SweepSpec& spec, const Limit& limit) {
  if (spec.values.empty() && !is_of_table(spec.key) && spec.key != "dtype")
    return LargestSearch(base, spec.key, limit).run();
  for (const std::string& value : spec.values) {
    double number = 0;
    if (!parse_number(value, number)) {
      throw SettingError(fmt::format("{}={} is no number, so none is largest; ask for --cheapest {}",
                                     text::printable(spec.key), text::printable(value), text::printable(spec.key)));
    }
  }
  if (spec.values.empty()) {
    throw SettingError(fmt::format("values of {} are no numbers, so none is largest; ask for --cheapest", spec.key));
  }
  SweepAnswer answer;
  answer.points = price_values(base, spec);
  const auto number = [](const SweepPoint& point) {
    double value = 0;
    parse_number(point.value, value);
    return value;
  };
  std::stable_sort(answer.points.begin(), answer.points.end(),
                   [&](const SweepPoint& a, const SweepPoint& b) { return number(a) < number(b); });
  std::optional<std::size_t> best;
  std::size_t dearer_before = 0;
  for (std::size_t i = 0; i < answer.points.size(); ++i) {
    if (held_against(limit, base, answer.points[i]) <= limit.value) best = i;
  }
  if (!best) refuse_all(base, spec, limit, answer.points);
  for (std::size_t i = 0; i < *best; ++i) {
    dearer_before += held_against(limit, base, answer.points[i]) > limit.value ? 1 : 0;
  }
  if (dearer_before > 0) {
    answer.talk =
        fmt::format("{} smaller value{} of {} {}{} more than {}", dearer_before, dearer_before == 1 ? "" : "s",
                    text::printable(spec.key), limit.kind == Limit::Kind::kEnergy ? "cost" : "take",
                    dearer_before == 1 ? "s" : "", text::printable(limit.text));
  }
  answer.best = *best;
  return answer;
}

SweepAnswer find_cheapest(const Request& base, const SweepSpec& spec, const Limit* limit) {
  SweepAnswer answer;
  answer.points = price_values(base, spec);
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < answer.points.size(); ++i) {
    const SweepPoint& point = answer.points[i];
    if (limit != nullptr && held_against(*limit, base, point) > limit->value) continue;
    if (!best || point.whole.dynamic < answer.points[*best].whole.dynamic) best = i;
  }
  if (!best) refuse_all(base, spec, *limit, answer.points);
  answer.best = *best;
  return answer;
}

}  // namespace edgejoule::predict
