#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>

#include "data_sets.h"

// Scores the fitting engine on measured data, with nested selection throughout.
int main(int argc, char** argv) {
  using namespace edgejoule::accuracy;
  CLI::App app{
      "Scores edgejoule's fit on measured data: every table of the accuracy protocols, beside gates, goals and\n"
      "baselines. Data folders default to those below $EDGEJOULE_SHARED_DIR/data; absent ones are skipped.",
      "edgejoule_accuracy"};
  const char* shared = std::getenv("EDGEJOULE_SHARED_DIR");
  const std::string root =
      std::string(shared != nullptr && *shared != 0 ? shared : EDGEJOULE_DEFAULT_SHARED_DIR) + "/data";
  std::string irene = root + "/irene_device_1", jetson = root + "/jetson_conv2d/conv2d.txt",
              mlperf = root + "/mlperf_edge/runs.csv", csv, readme;
  Settings settings;
  app.add_option("--irene", irene, "folder of IrEne's *_level_features.csv")->capture_default_str();
  app.add_option("--jetson", jetson, "NeurstrucEnergy's conv2d.txt")->capture_default_str();
  app.add_option("--mlperf", mlperf, "runs.csv of MLPerf edge power runs")->capture_default_str();
  app.add_option("--csv", csv, "also write every line to this file");
  app.add_option("--readme", readme, "also replace the tables between the accuracy marks of this file");
  app.add_flag("--thorough", settings.thorough,
               "IrEne's recursion trained five times longer, single families left out");
  app.footer(
      "Example: edgejoule_accuracy --jetson my_convolutions.txt --irene '' --mlperf '' --csv scores.csv\n"
      "Exit: 0 ran, 1 nothing to score, 2 usage, 3 a file cannot be used");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  Report report;
  std::vector<IntervalRows> intervals;
  const auto begin = std::chrono::steady_clock::now();
  int ran = 0;
  try {
    const auto run = [&](const std::string& path, auto function) {
      if (path.empty()) return;
      if (!std::filesystem::exists(path)) {
        fmt::print(stderr, "edgejoule_accuracy: skipped, not there: {}\n", path);
        return;
      }
      function(path, settings, report, intervals);
      ++ran;
    };
    run(irene, run_irene);
    run(jetson, run_jetson);
    run(mlperf, run_mlperf_edge);
    if (!intervals.empty()) report_intervals(intervals, report);
    if (!csv.empty()) write_csv(report, csv);
    if (!readme.empty()) write_readme(report, readme);
  } catch (const std::exception& error) {
    fmt::print(stderr, "edgejoule_accuracy: {}\n", error.what());
    return 3;
  }
  if (ran == 0) {
    fmt::print(stderr, "edgejoule_accuracy: no data; set EDGEJOULE_SHARED_DIR or name the files\n");
    return 1;
  }
  fmt::print("\nran {:.0f} s\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  return 0;
}
