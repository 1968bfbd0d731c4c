// The models of tests/support, written as seeds for a fuzzer.
#pragma once

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

namespace edgejoule::test {

// The whole of a program that takes a folder. Exit codes: 0 written, 1 a file could not be written, 2 usage.
template <class Models>
int write_seeds(int argc, char** argv, const Models& models, const std::string& extension) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  for (const auto& model : models) {
    const std::filesystem::path path = std::filesystem::path(argv[1]) / (model.name + extension);
    std::ofstream out(path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(model.bytes.data()), static_cast<std::streamsize>(model.bytes.size()));
    if (!out.flush()) {
      std::fprintf(stderr, "cannot write %s: check that the folder exists and is writable\n", path.c_str());
      return 1;
    }
  }
  return 0;
}

}  // namespace edgejoule::test
