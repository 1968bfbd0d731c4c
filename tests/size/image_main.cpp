// The image whose size is measured: the main path of a firmware and nothing else. Built with
// EDGEJOULE_EMPTY_IMAGE it is the same image without the library: it holds the output, and
// uses the C library's memory functions as every firmware does.
#include <cstring>

#include "platform.h"
#include "predict_model.h"

namespace {
firmware::Prediction prediction;
}

int main() {
#ifdef EDGEJOULE_EMPTY_IMAGE
  const auto table = firmware::table_in_flash();
  const auto graph = firmware::graph_in_flash();
  std::memset(&prediction.node_count, 0, graph.size() % 4);
  std::memcpy(&prediction.node_count, table.data(), graph.size() % 4);
  const bool done = std::memcmp(table.data(), graph.data(), graph.size()) != 0 && prediction.node_count != 0;
#else
  const bool done = firmware::predict_model(firmware::table_in_flash(), firmware::graph_in_flash(), prediction).ok();
#endif
  firmware::put(done ? "done\n" : "failed\n");
  return done ? 0 : 1;
}
