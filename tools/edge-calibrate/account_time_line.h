// A run's typical inference as a chart of a page.
#pragma once

#include <string>

#include "account/lines.h"
#include "report/page.h"

namespace edgejoule::calibrate {

// `prefix` stands before the caption: which run it is, where there are several.
void add_time_line(report::Page& page, const account::Account& account, const account::Model* model,
                   const std::string& prefix);

}  // namespace edgejoule::calibrate
