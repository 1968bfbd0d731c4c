#include "import/onnx/open_dims.h"

#include <fmt/format.h>

#include "import/onnx/complaints.h"

namespace edgejoule::import {
namespace {

bool is_batch_name(std::string_view name) {
  std::string text;
  for (const char c : name) text += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return text == "n" || text == "b" || text == "bs" || text == "batchsize" || text.find("batch") != std::string::npos;
}

}  // namespace

std::int64_t OnnxOpenDims::of_input(const OnnxValueInfo& info, std::size_t axis) {
  const OnnxDim& dim = (*info.dims)[axis];
  if (dim.value >= 0 && dim.name.empty()) return dim.value;
  const std::string name = dim.name.empty() ? fmt::format("{}:{}", short_name(info.name), axis) : std::string(dim.name);
  if (const auto bound = bound_value(name)) {
    if (*bound < 0) {
      throw ImportError(fmt::format("{}: dimension '{}'", file_, name), fmt::format("it is bound to {}", *bound),
                        "bind it to 0 or more");
    }
    bound_[name] = *bound;
    return *bound;
  }
  const bool batch = dim.name.empty() ? axis == 0 : is_batch_name(dim.name);
  if (batch) {
    assumed_[name] = 1;
    return 1;
  }
  unbound_.insert(name);
  return 1;
}

std::optional<std::int64_t> OnnxOpenDims::bound_value(const std::string& name) {
  if (const auto found = bindings_.find(name); found != bindings_.end()) {
    used_bindings_.insert(name);
    return found->second;
  }
  const std::size_t plus = name.rfind('+');
  if (plus == std::string::npos) return std::nullopt;
  const auto trim = [](std::string text) {
    const std::size_t begin = text.find_first_not_of(' ');
    const std::size_t end = text.find_last_not_of(' ');
    return begin == std::string::npos ? std::string() : text.substr(begin, end - begin + 1);
  };
  const auto left = bound_value(trim(name.substr(0, plus)));
  const std::string last = trim(name.substr(plus + 1));
  const bool digits = !last.empty() && last.size() < 10 && last.find_first_not_of("0123456789") == std::string::npos;
  const auto right = digits ? std::optional<std::int64_t>(std::stoll(last)) : bound_value(last);
  std::int64_t sum = 0;
  if (!left || !right || __builtin_add_overflow(*left, *right, &sum)) return std::nullopt;
  return sum;
}

void OnnxOpenDims::refuse_unbound() const {
  if (unbound_.empty()) return;
  std::string list;
  std::string example;
  for (const std::string& name : unbound_) {
    list += fmt::format("{}'{}'", list.empty() ? "" : ", ", short_name(name));
    example += fmt::format(" --bind '{}=128'", short_name(name));
  }
  throw ImportError(file_,
                    fmt::format("{} dimension{} of its inputs {} open: {}", unbound_.size(),
                                unbound_.size() == 1 ? "" : "s", unbound_.size() == 1 ? "is" : "are", list),
                    fmt::format("say what to predict for, for example{}", example));
}

void OnnxOpenDims::refuse_unused_bindings() const {
  for (const auto& [name, value] : bindings_) {
    if (used_bindings_.count(name) != 0) continue;
    std::string known;
    for (const auto& [open, assumed] : assumed_) known += fmt::format("{}'{}'", known.empty() ? "" : ", ", open);
    for (const auto& [open, bound] : bound_) known += fmt::format("{}'{}'", known.empty() ? "" : ", ", open);
    throw ImportError(
        file_, fmt::format("no input has an open dimension called '{}'", name),
        known.empty() ? "its inputs have fixed dimensions: leave out --bind" : fmt::format("it has: {}", known));
  }
}

std::optional<Dims> OnnxOpenDims::stated(const OnnxValueInfo& info) {
  if (!info.dims) return std::nullopt;
  Dims out;
  for (const OnnxDim& dim : *info.dims) {
    if (dim.value >= 0 && dim.name.empty()) {
      out.push_back(dim.value);
      continue;
    }
    const std::string name(dim.name);
    const auto assumed = assumed_.find(name);
    const auto bound = assumed != assumed_.end() ? std::optional(assumed->second)
                       : name.empty()            ? std::nullopt
                                                 : bound_value(name);
    if (!bound || *bound < 0) return std::nullopt;
    out.push_back(*bound);
  }
  return out;
}

}  // namespace edgejoule::import
