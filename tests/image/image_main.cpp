// emu_image: predicts the small model and prints the result to the bit.
// Usage: emu_image; exit code 0 unless a step failed.
#include "platform.h"
#include "print_prediction.h"

namespace {

firmware::Prediction prediction;
edgejoule::Estimate hook;
edgejoule::Status status;

void predict() {
  status = firmware::predict_model(firmware::table_in_flash(), firmware::graph_in_flash(), prediction);
  if (status) {
    status = firmware::price_op(firmware::table_in_flash(), hook);
  }
}

void put_decimal(std::uint32_t value) {
  char text[11];
  char* digit = text + sizeof text - 1;
  *digit = '\0';
  do {
    *--digit = static_cast<char>('0' + value % 10U);
    value /= 10U;
  } while (value != 0);
  firmware::put(digit);
}

}  // namespace

int main() {
  const std::uint32_t stack_bytes = firmware::stack_used_by(predict);
  if (!status) {
    firmware::put("failed: ");
    firmware::put(edgejoule::error_text(status.error()));
    firmware::put("\n");
    return 1;
  }
  firmware::print(prediction, hook);
  if (stack_bytes != 0) {
    firmware::put("stack ");
    put_decimal(stack_bytes);
    firmware::put(" bytes\n");
  }
  return 0;
}
