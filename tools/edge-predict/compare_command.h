// "edge-predict compare": its options and what it prints.
#pragma once

#include <CLI/CLI.hpp>

#include <optional>
#include <string>

#include "compare_view.h"

namespace edgejoule::predict {

class CompareCommand {
 public:
  explicit CompareCommand(CLI::App& app);

  [[nodiscard]] bool wanted() const { return command_->parsed(); }
  // Errors: as the libraries throw them; SettingError for options that make no sense.
  [[nodiscard]] std::string run() const;

 private:
  CLI::App* command_;
  std::string model_a_, model_b_;
  std::string table_, table_a_, table_b_;
  std::string set_a_, set_b_;
  CompareBy by_ = CompareBy::kModule;
  std::optional<unsigned> top_, depth_;
  std::string html_;
  int confidence_ = 90;
  bool csv_ = false;
  bool json_ = false;
};

}  // namespace edgejoule::predict
