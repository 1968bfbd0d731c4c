// Measurements and tables for the tests of edge-calibrate.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "files/io.h"
#include "support/program.h"
#include "support/temporary_folder.h"

namespace edgejoule::test {

inline Outcome edge_calibrate(const std::string& arguments) {
  return run_program(std::string(EDGE_CALIBRATE) + " " + arguments);
}

struct DenseOps {
  int count = 60;
  int first = 1;
  double scale = 1;  // of all joules
  std::string header = "# boundary: wall\n# baseline: total\n# board: Desk Board\n";
};

// Dense ops of scale * (0.1 mJ + 10 pJ per MAC), as a CSV.
inline std::string dense_ops(const DenseOps& options = {}) {
  std::string csv = options.header + "kind,data_type,energy_j,rows_m,cols_n,depth_k\n";
  for (int i = options.first; i < options.first + options.count; ++i) {
    const int n = 16 * i, k = 32 + 8 * (i % 7);
    csv += "dense,float32," + std::to_string(options.scale * (1e-4 + 1e-11 * 64 * n * k)) + ",64," + std::to_string(n) +
           ',' + std::to_string(k) + '\n';
  }
  return csv;
}

// A folder of files for one test.
class FilesTest : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) const {
    files::write_file(folder_.file(name), text);
    return folder_.file(name);
  }
  // A table of dense_ops(), which lie beside it as ops.csv.
  void fit_dense_ops(const std::string& table) const {
    const Outcome fitted =
        edge_calibrate("fit " + write("ops.csv", dense_ops()) + " -o " + table + " --date 2026-01-31");
    EXPECT_EQ(fitted.code, 0) << fitted.err;
  }

  TemporaryFolder folder_;
};

}  // namespace edgejoule::test
