// edge-predict run as a person runs it, with a small sound table at hand.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "files/json.h"
#include "support/program.h"
#include "support/table_fixture.h"
#include "support/temporary_folder.h"

namespace edgejoule {

class EdgePredict : public testing::Test {
 protected:
  EdgePredict() { files::save(table_, test::pack(test::sound_table()).span(), files::FileKind::kTable); }

  static test::Outcome run(const std::string& arguments) {
    std::string command = EDGE_PREDICT " ";
    command += arguments;  // GCC 12 warns about the sum of temporaries
    return test::run_program(command);
  }

  test::TemporaryFolder folder_;
  std::string table_ = folder_.file("t.ejt");
};

}  // namespace edgejoule
