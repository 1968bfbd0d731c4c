// How an account's figures read, wherever they stand.
#pragma once

#include <string>

#include "account/account.h"
#include "account/lines.h"

namespace edgejoule::calibrate {

// "1.20 mJ ± 3.00 µJ", "not resolved"
[[nodiscard]] std::string with_interval(const account::Energy& energy, bool is_resolved = true);
// "VDD_IN + VDD_CPU"
[[nodiscard]] std::string rails_text(const account::Account& account);
// "an inference", "the run"
[[nodiscard]] std::string unit_of(const account::Account& account);
[[nodiscard]] std::string json_energy(const account::Energy& energy);
// Dynamic energy where idle is known, else the total.
[[nodiscard]] const account::Energy& shown(const account::Account& account, const account::Line& line);

}  // namespace edgejoule::calibrate
