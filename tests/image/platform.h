// What the image needs of the machine below it: Linux, or a bare Cortex-M4F.
#pragma once

#include <cstdint>

namespace firmware {

void put(const char* text);

// Bytes of stack that the call used, deepest point against here; 0 where nobody measures.
std::uint32_t stack_used_by(void (*call)());

}  // namespace firmware
