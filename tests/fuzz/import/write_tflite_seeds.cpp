// write_tflite_seeds FOLDER: seeds for fuzz_tflite.
#include "support/tflite_models.h"
#include "write_seeds.h"

int main(int argc, char** argv) {
  return edgejoule::test::write_seeds(argc, argv, edgejoule::test::tflite_models(), ".tflite");
}
