// write_onnx_seeds FOLDER: the models of tests/support as seeds for fuzz_onnx.
// Exit codes: 0 written, 1 a file could not be written, 2 usage.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "support/onnx_models.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: write_onnx_seeds FOLDER\n", stderr);
    return 2;
  }
  for (const edgejoule::test::OnnxModel& model : edgejoule::test::onnx_models()) {
    const std::filesystem::path path = std::filesystem::path(argv[1]) / (model.name + ".onnx");
    std::ofstream out(path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(model.bytes.data()), static_cast<std::streamsize>(model.bytes.size()));
    if (!out.flush()) {
      std::fprintf(stderr, "cannot write %s: check that the folder exists and is writable\n", path.c_str());
      return 1;
    }
  }
  return 0;
}
