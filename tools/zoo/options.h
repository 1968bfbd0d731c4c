// The parameters of a zoo model: KEY=VALUE with defaults, checked when they are set.
//
// Errors: throws ZooError naming the key, what was given and what is accepted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "edgejoule/core/op_kinds.h"
#include "zoo/zoo.h"

namespace edgejoule::zoo {

class Options {
 public:
  explicit Options(std::string model_name) : model_name_(std::move(model_name)) {}

  void declare_count(std::string key, std::uint64_t value, std::uint64_t min, std::uint64_t max, std::string meaning);
  void declare_factor(std::string key, std::string value, double min, double max, std::string meaning);
  void declare_choice(std::string key, std::string value, std::vector<std::string> choices, std::string meaning);
  // Every model has batch= and dtype=.
  void declare_common();

  void set(std::string_view key, std::string_view value);
  // "KEY=VALUE,KEY=VALUE"
  void set_all(std::string_view text);

  [[nodiscard]] std::uint64_t count(std::string_view key) const;
  [[nodiscard]] double factor(std::string_view key) const;
  [[nodiscard]] const std::string& choice(std::string_view key) const;
  [[nodiscard]] DataType data_type() const;

  [[nodiscard]] const std::string& model_name() const { return model_name_; }
  [[nodiscard]] std::vector<ZooParameter> parameters() const;

 private:
  struct Entry {
    ZooParameter shown;
    double min = 0.0;
    double max = 0.0;
    bool whole = false;
    std::vector<std::string> choices;
  };
  [[nodiscard]] const Entry& find(std::string_view key) const;

  std::string model_name_;
  std::vector<Entry> entries_;
};

}  // namespace edgejoule::zoo
