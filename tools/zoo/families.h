// The families of the zoo: each declares its parameters and the names that stand for
// settings of them, and builds a graph from them. A new family is one file with one
// function here and one row in zoo.cpp.
#pragma once

#include <string>
#include <vector>

#include "zoo/options.h"
#include "zoo/zoo.h"

namespace edgejoule::zoo {

struct Preset {
  std::string name;
  std::string settings;  // KEY=VALUE,...
  std::string description;
};

struct Family {
  std::string name;  // itself a name, with the defaults
  std::string description;
  void (*declare)(Options&);
  files::FileBytes (*build)(const Options&);
  std::vector<Preset> presets;
};

[[nodiscard]] Family mobilenet_v1();
[[nodiscard]] Family mobilenet_v2();
[[nodiscard]] Family mobilenet_v3();
[[nodiscard]] Family efficientnet_lite();
[[nodiscard]] Family resnet();
[[nodiscard]] Family mlperf_tiny();
[[nodiscard]] Family bert();
[[nodiscard]] Family gpt();
[[nodiscard]] Family llama();
[[nodiscard]] Family vit();

}  // namespace edgejoule::zoo
