#include "capture/findings.h"

#include <fmt/format.h>

namespace edgejoule::capture {

std::string to_text(const Findings& findings) {
  std::string text;
  for (const Severity severity : {Severity::kProblem, Severity::kNote}) {
    for (const Finding& finding : findings) {
      if (finding.severity != severity) continue;
      text += fmt::format("{}: {}\n", severity == Severity::kProblem ? "problem" : "note", finding.text);
      if (!finding.command.empty()) text += fmt::format("    run: {}\n", finding.command);
    }
  }
  return text;
}

}  // namespace edgejoule::capture
