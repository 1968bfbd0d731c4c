// The dimensions that an ONNX model leaves open: bound by the caller, taken as 1 where they are a batch, refused else.
//
// Lifetime: keeps the file's name and the bindings by reference.
// Errors: throws ImportError, which names what is open and shows how to bind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "import/dims.h"
#include "import/import.h"
#include "import/onnx/file.h"

namespace edgejoule::import {

class OnnxOpenDims {
 public:
  OnnxOpenDims(std::string_view file, const Bindings& bindings) : file_(file), bindings_(bindings) {}

  [[nodiscard]] std::int64_t of_input(const OnnxValueInfo& info, std::size_t axis);
  // What the file states of a value, open dimensions bound; nothing where one stays open.
  [[nodiscard]] std::optional<Dims> stated(const OnnxValueInfo& info);

  // Once all inputs are asked for.
  void refuse_unbound() const;
  // Once all values are.
  void refuse_unused_bindings() const;

  [[nodiscard]] const std::map<std::string, std::int64_t>& assumed() const { return assumed_; }
  [[nodiscard]] const std::map<std::string, std::int64_t>& bound() const { return bound_; }

 private:
  // A name, or a sum of bound names and numbers ("past_length + 1"), as exporters write it.
  std::optional<std::int64_t> bound_value(const std::string& name);

  std::string_view file_;
  const Bindings& bindings_;
  std::map<std::string, std::int64_t> assumed_;
  std::map<std::string, std::int64_t> bound_;
  std::set<std::string> unbound_;
  std::set<std::string> used_bindings_;
};

}  // namespace edgejoule::import
