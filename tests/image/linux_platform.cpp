// The image as a Linux program.
#include <cstdio>

#include "platform.h"

namespace firmware {

void put(const char* text) {
  std::fputs(text, stdout);
}

std::uint32_t stack_used_by(void (*call)()) {
  call();
  return 0;
}

}  // namespace firmware
