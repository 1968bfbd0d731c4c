// Settings of a model that a person changes to see what it would cost then.
//
// Shape: zoo models are built anew, with any parameter of theirs; files are rewritten
// where that is exact (batch, dtype: graph_change.h).
// Errors: ZooError (a parameter the zoo does not have), ChangeError (a file that cannot
// be changed that way), SettingError (a value that makes no sense).
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "files/file_bytes.h"
#include "import/import.h"

namespace edgejoule::predict {

struct SettingError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Setting {
  std::string key;  // batch, seq, resolution, dtype, any parameter of a zoo model
  std::string value;
};

// "KEY=VALUE,KEY=VALUE"
[[nodiscard]] std::vector<Setting> parse_settings(std::string_view text);

// "seq=128, dtype=int8"
[[nodiscard]] std::string settings_text(const std::vector<Setting>& settings);

// The graph of a file, its open dimensions bound, or of zoo:NAME; with the settings, of
// which later ones count.
[[nodiscard]] files::FileBytes load_model(const std::string& model, const import::Bindings& bindings = {},
                                          const std::vector<Setting>& settings = {});

}  // namespace edgejoule::predict
