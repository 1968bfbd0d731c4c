// write_onnx_seeds FOLDER: seeds for fuzz_onnx.
#include "support/onnx_models.h"
#include "write_seeds.h"

int main(int argc, char** argv) {
  return edgejoule::test::write_seeds(argc, argv, edgejoule::test::onnx_models(), ".onnx");
}
