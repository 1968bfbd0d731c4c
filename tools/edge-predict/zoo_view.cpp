#include "zoo_view.h"

#include <fmt/format.h>

#include "zoo/zoo.h"

namespace edgejoule::predict {
namespace {

constexpr std::string_view kExamples = R"(
examples
  zoo:mobilenet_v2-1.0-224:dtype=int8,batch=4
  zoo:bert-base:seq=384
  zoo:llama-3.2-1b-q4:seq=512               a prompt of 512 tokens is read
  zoo:llama-3.2-1b-q4:seq=1,context=2048    one token is written after 2047 others
)";

std::string parameters_text(const zoo::ZooEntry& defaults) {
  std::string out;
  for (const zoo::ZooParameter& parameter : defaults.parameters) {
    out += fmt::format("    {:<22} {}\n", fmt::format("{}={}", parameter.key, parameter.value), parameter.meaning);
  }
  return out;
}

}  // namespace

std::string zoo_text() {
  std::string out;
  std::string parameters;  // of the family whose names are being listed
  std::string family;
  for (const zoo::ZooEntry& entry : zoo::list()) {
    if (entry.family != family) {
      out += parameters;
      family = entry.family;
      out += fmt::format("{}{}\n", out.empty() ? "" : "\n", family);
    }
    out += fmt::format("  zoo:{:<28} {}\n", entry.name, entry.description);
    if (entry.name == family) parameters = "  parameters, with their defaults\n" + parameters_text(entry);
  }
  return out + parameters + std::string(kExamples);
}

}  // namespace edgejoule::predict
