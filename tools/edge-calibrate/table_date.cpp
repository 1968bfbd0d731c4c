#include "table_date.h"

#include <fmt/chrono.h>

#include <cstdlib>
#include <ctime>
#include <stdexcept>

#include "measurements/csv.h"

namespace edgejoule::calibrate {

std::string table_date(const std::string& given) {
  if (!given.empty()) return given;
  std::time_t now = std::time(nullptr);
  if (const char* epoch = std::getenv("SOURCE_DATE_EPOCH")) {
    const auto seconds = measurements::finite_number(epoch);
    if (!seconds) throw std::runtime_error("SOURCE_DATE_EPOCH is not a number of seconds: correct or unset it");
    now = static_cast<std::time_t>(*seconds);
  }
  return fmt::format("{:%Y-%m-%d}", fmt::gmtime(now));
}

}  // namespace edgejoule::calibrate
