#include "zoo/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace edgejoule::zoo {
namespace {

template <class Number>
bool parse_whole_text(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

void Options::declare_count(std::string key, std::uint64_t value, std::uint64_t min, std::uint64_t max,
                            std::string meaning) {
  entries_.push_back({.shown = {std::move(key), std::to_string(value), std::move(meaning)},
                      .min = static_cast<double>(min),
                      .max = static_cast<double>(max),
                      .whole = true,
                      .choices = {}});
}

void Options::declare_factor(std::string key, std::string value, double min, double max, std::string meaning) {
  entries_.push_back({.shown = {std::move(key), std::move(value), std::move(meaning)},
                      .min = min,
                      .max = max,
                      .whole = false,
                      .choices = {}});
}

void Options::declare_choice(std::string key, std::string value, std::vector<std::string> choices,
                             std::string meaning) {
  entries_.push_back({.shown = {std::move(key), std::move(value), std::move(meaning)},
                      .min = 0.0,
                      .max = 0.0,
                      .whole = false,
                      .choices = std::move(choices)});
}

void Options::declare_common() {
  declare_count("batch", 1, 1, 65536, "inputs per inference");
  declare_choice("dtype", "fp32", {"fp32", "fp16", "bf16", "int8", "uint8"},
                 "of weights and activations (int8: one scale per channel; uint8: one per tensor)");
}

void Options::set(std::string_view key, std::string_view value) {
  const auto place =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.shown.key == key; });
  if (place == entries_.end()) {
    std::vector<std::string_view> keys;
    for (const Entry& entry : entries_) {
      keys.push_back(entry.shown.key);
    }
    throw ZooError(
        fmt::format("zoo model '{}' has no parameter '{}'; it has {}", model_name_, key, fmt::join(keys, ", ")));
  }
  if (!place->choices.empty()) {
    if (std::find(place->choices.begin(), place->choices.end(), value) == place->choices.end()) {
      throw ZooError(fmt::format("zoo model '{}': {}={} is not one of {}", model_name_, key, value,
                                 fmt::join(place->choices, ", ")));
    }
  } else {
    double number = 0.0;
    std::uint64_t whole = 0;
    const bool parsed = place->whole ? parse_whole_text(value, whole) : parse_whole_text(value, number);
    if (place->whole) {
      number = static_cast<double>(whole);
    }
    if (!parsed || !(number >= place->min && number <= place->max)) {
      throw ZooError(fmt::format("zoo model '{}': {}={} is not a {} from {} to {}", model_name_, key, value,
                                 place->whole ? "whole number" : "number", place->min, place->max));
    }
  }
  place->shown.value = std::string(value);
}

void Options::set_all(std::string_view text) {
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view pair = text.substr(0, comma);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) {
      throw ZooError(fmt::format("zoo model '{}': '{}' is not KEY=VALUE; write for example {}:batch=4,dtype=int8",
                                 model_name_, pair, model_name_));
    }
    set(pair.substr(0, equals), pair.substr(equals + 1));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
}

const Options::Entry& Options::find(std::string_view key) const {
  const auto place =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.shown.key == key; });
  if (place == entries_.end()) {
    throw std::logic_error(fmt::format("zoo family asks for '{}', which it never declared", key));
  }
  return *place;
}

std::uint64_t Options::count(std::string_view key) const {
  std::uint64_t value = 0;
  parse_whole_text(find(key).shown.value, value);
  return value;
}

double Options::factor(std::string_view key) const {
  double value = 0.0;
  parse_whole_text(find(key).shown.value, value);
  return value;
}

const std::string& Options::choice(std::string_view key) const {
  return find(key).shown.value;
}

DataType Options::data_type() const {
  const std::string& name = choice("dtype");
  if (name == "fp16") return DataType::kFloat16;
  if (name == "bf16") return DataType::kBfloat16;
  if (name == "int8") return DataType::kInt8;
  if (name == "uint8") return DataType::kUint8;
  return DataType::kFloat32;
}

std::vector<ZooParameter> Options::parameters() const {
  std::vector<ZooParameter> shown;
  for (const Entry& entry : entries_) {
    shown.push_back(entry.shown);
  }
  return shown;
}

}  // namespace edgejoule::zoo
