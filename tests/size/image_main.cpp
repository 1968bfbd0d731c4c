// The image whose size is measured: the main path of a firmware and nothing else. Built with
// EDGEJOULE_EMPTY_IMAGE it is the same image without the library.
#include "platform.h"
#include "predict_model.h"

int main() {
#ifdef EDGEJOULE_EMPTY_IMAGE
  const bool done = firmware::table_in_flash().size() < firmware::graph_in_flash().size();
#else
  static firmware::Prediction prediction;
  const bool done = firmware::predict_model(firmware::table_in_flash(), firmware::graph_in_flash(), prediction).ok();
#endif
  firmware::put(done ? "done\n" : "failed\n");
  return done ? 0 : 1;
}
