// An option of a few names: --help shows them, and who gives another is told them. For programs that have CLI11.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <utility>
#include <vector>

#include "text/escape.h"

namespace edgejoule::command_line {

// `option` was added for a variable of type Value, an enumeration.
template <class Value>
CLI::Option* choose(CLI::Option* option, std::vector<std::pair<std::string, Value>> choices) {
  std::string shown, listed;
  for (const auto& [name, value] : choices) {
    shown += (shown.empty() ? "" : "|") + name;
    listed += (listed.empty() ? "" : ", ") + name;
  }
  option->type_name(shown);
  return option->transform(CLI::Validator(
      [choices = std::move(choices), listed](std::string& given) {
        for (const auto& [name, value] : choices) {
          if (given != name) continue;
          given = std::to_string(static_cast<int>(value));
          return std::string();
        }
        return "'" + text::printable(given) + "' is none of " + listed;
      },
      ""));
}

}  // namespace edgejoule::command_line
