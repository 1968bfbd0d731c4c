// Well-known models built in code, so that nobody has to download one to see what
// it would cost: build("mobilenet_v2-1.0-224:dtype=int8,batch=4").
//
// Shape: NAME or NAME:KEY=VALUE,KEY=VALUE; a leading "zoo:" is allowed. Networks stand
// in the form in which they are deployed: batch normalisation folded into the
// convolution before it, activations fused. The result is an EJG1 graph.
// Errors: ZooError; an unknown name is answered with the closest ones and an example.
// Source: MACs and parameters are checked against the published figures
// (tests/unit/zoo); each family's file names its paper.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "files/file_bytes.h"

namespace edgejoule::zoo {

struct ZooError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct ZooParameter {
  std::string key;
  std::string value;  // where the name says nothing else
  std::string meaning;
};

struct ZooEntry {
  std::string name;
  std::string family;  // itself a name, with the defaults of its parameters
  std::string description;
  std::vector<ZooParameter> parameters;  // with the values this name stands for
};

// In the order in which a person would look for them.
[[nodiscard]] std::vector<ZooEntry> list();

[[nodiscard]] files::FileBytes build(std::string_view name);

}  // namespace edgejoule::zoo
