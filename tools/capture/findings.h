// Something worth telling about a machine's sensors, and the command that mends it.
#pragma once

#include <string>
#include <vector>

namespace edgejoule::capture {

enum class Severity { kNote, kProblem };

struct Finding {
  Severity severity = Severity::kNote;
  std::string text;
  std::string command;  // what to type; empty where no command helps
};

using Findings = std::vector<Finding>;

// Lines for a person: "problem: ...", and "  run: ..." below it.
[[nodiscard]] std::string to_text(const Findings& findings);

}  // namespace edgejoule::capture
