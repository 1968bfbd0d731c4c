// The benchmark's data sets, one function each. Each takes its path, prints its tables
// and appends its held-out intervals.
#pragma once

#include <string>
#include <vector>

#include "report.h"

namespace edgejoule::accuracy {

struct Settings {
  bool thorough = false;  // every nesting at full depth
};

void run_irene(const std::string& folder, const Settings& settings, Report& report,
               std::vector<IntervalRows>& intervals);
void run_jetson(const std::string& file, const Settings& settings, Report& report,
                std::vector<IntervalRows>& intervals);
void run_mlperf_edge(const std::string& file, const Settings& settings, Report& report,
                     std::vector<IntervalRows>& intervals);

}  // namespace edgejoule::accuracy
