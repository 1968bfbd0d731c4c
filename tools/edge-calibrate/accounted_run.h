// A run as files say it: trace, timeline, the model that ran and the table that prices it, accounted.
//
// Errors: BadFile where a file cannot be read, AccountError where the run cannot be accounted; both name the file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "account/lines.h"
#include "files/file_bytes.h"

namespace edgejoule::calibrate {

struct RunFiles {
  std::string trace, timeline;
  std::string model, table, operating_point;  // "": not given
  std::vector<std::string> rails;             // empty: the board's total
  std::optional<std::int64_t> offset_ns;
};

// What is worth a person's attention but no reason to stop goes to standard error.
class AccountedRun {
 public:
  explicit AccountedRun(const RunFiles& files);
  AccountedRun(const AccountedRun&) = delete;
  AccountedRun& operator=(const AccountedRun&) = delete;

  [[nodiscard]] const RunFiles& files() const { return files_; }
  [[nodiscard]] const account::Account& account() const { return account_; }
  // Null where none was given.
  [[nodiscard]] const account::Model* model() const { return model_ ? &*model_ : nullptr; }

 private:
  void load_model();
  void load_table();
  void require_table_of_these_rails() const;
  void say_unmatched() const;

  RunFiles files_;
  files::FileBytes graph_bytes_;  // the model looks into it
  files::FileBytes table_bytes_;
  std::optional<account::Model> model_;
  account::Account account_;
};

// What --by says: op, kind, module, tree or inference. CLI::ValidationError where modules are asked for without a
// model.
[[nodiscard]] account::By by_of(const std::string& name, bool has_model);

}  // namespace edgejoule::calibrate
