#include "account_text.h"

#include <fmt/format.h>

#include "text/escape.h"
#include "text/quantity_text.h"

namespace edgejoule::calibrate {

using account::Account;
using account::Energy;
using text::exact;
using text::si;

std::string with_interval(const Energy& energy, bool is_resolved) {
  if (!is_resolved) return "not resolved";
  return fmt::format("{} \u00b1 {}", si(energy.joules, "J"), si(account::kInterval90 * energy.standard_error, "J"));
}

std::string rails_text(const Account& account) {
  std::string out;
  for (const std::string& rail : account.rails) out += (out.empty() ? "" : " + ") + text::printable(rail);
  return out;
}

std::string unit_of(const Account& account) {
  return account.run.inferences.empty() ? "the run" : "an inference";
}

std::string json_energy(const Energy& energy) {
  return fmt::format("{{\"joules\":{},\"standard_error\":{}}}", exact(energy.joules), exact(energy.standard_error));
}

const Energy& shown(const Account& account, const account::Line& line) {
  return account.has_idle ? line.dynamic : line.total;
}

}  // namespace edgejoule::calibrate
