// The date a table says it was measured on.
#pragma once

#include <string>

namespace edgejoule::calibrate {

inline constexpr const char* kDateHelp = "date of the measurements (default: SOURCE_DATE_EPOCH, or today)";

// As given; else SOURCE_DATE_EPOCH (for builds that must repeat to the byte), or today.
// Errors: std::runtime_error where SOURCE_DATE_EPOCH is no number.
[[nodiscard]] std::string table_date(const std::string& given);

}  // namespace edgejoule::calibrate
