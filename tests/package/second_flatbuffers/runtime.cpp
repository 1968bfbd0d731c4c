// Stands for an inference runtime: builds, verifies and reads a file with its own FlatBuffers.
#include "runtime_generated.h"

namespace invented_runtime {

int total_width() {
  flatbuffers::FlatBufferBuilder builder;
  std::vector<flatbuffers::Offset<Layer>> layers;
  for (int width = 1; width <= 4; ++width) {
    layers.push_back(CreateLayerDirect(builder, "layer", width, nullptr));
  }
  builder.Finish(CreateModelDirect(builder, &layers));
  flatbuffers::Verifier verifier(builder.GetBufferPointer(), builder.GetSize());
  if (!VerifyModelBuffer(verifier)) {
    return -1;
  }
  int total = 0;
  for (const Layer* layer : *GetModel(builder.GetBufferPointer())->layers()) {
    total += layer->width();
  }
  return total;
}

}  // namespace invented_runtime
