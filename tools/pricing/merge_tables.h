// Several tables of one board as one: an operating point or an engine each.
//
// Shape: engines and operating points are told by name. Rows of a table with one engine or
// one operating point are restricted to it; the first table's roofline also stays as the
// one for anything. Idle power is of all rails, whichever engine a table is of: at each point it is that of the first
// table, and engines of later ones add nothing to it. Residuals of levels are the widest; notes say what came from
// where.
// Errors: MergeError, naming the table: another boundary, baseline or board; rows for the
// same engine at the same operating point twice; more than a table can hold.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "files/file_bytes.h"

namespace edgejoule::pricing {

struct MergeError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct NamedTable {
  std::string file;  // for messages and notes
  files::FileBytes bytes;
};

[[nodiscard]] files::FileBytes merge(const std::vector<NamedTable>& tables);

}  // namespace edgejoule::pricing
