// Prints a prediction to the bit, so that one file of expected output serves every target.
#include "print_prediction.h"

#include <cstring>

#include "platform.h"

namespace firmware {
namespace {

void put_hex(std::uint32_t value) {
  char text[10] = {' '};
  for (int digit = 0; digit < 8; ++digit) {
    text[1 + digit] = "0123456789abcdef"[value >> (28 - 4 * digit) & 15U];
  }
  text[9] = '\0';
  put(text);
}

template <class Quantity>
void put_bits(Quantity quantity) {
  const float value = quantity.value();
  std::uint32_t bits = 0;
  static_assert(sizeof bits == sizeof value);
  std::memcpy(&bits, &value, sizeof bits);
  put_hex(bits);
}

}  // namespace

void print(const Prediction& prediction, const edgejoule::Estimate& hook) {
  put("dynamic own static lower upper level flags, as bits\n");
  for (std::uint32_t i = 0; i < prediction.node_count; ++i) {
    const edgejoule::NodeEstimate& node = prediction.nodes[i];
    put("node");
    put_bits(node.dynamic);
    put_bits(node.own);
    put_bits(node.static_part);
    put_bits(node.interval.lower);
    put_bits(node.interval.upper);
    put_hex(static_cast<std::uint32_t>(node.level));
    put_hex(node.flags.bits());
    put("\n");
  }
  put("hook");
  put_bits(hook.dynamic);
  put_bits(hook.static_part);
  put_bits(hook.interval.lower);
  put_bits(hook.interval.upper);
  put_hex(static_cast<std::uint32_t>(hook.level));
  put_hex(hook.flags.bits());
  put("\n");
}

}  // namespace firmware
