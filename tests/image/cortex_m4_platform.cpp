// The image on a bare Cortex-M4F (qemu's mps2-an386): vectors, start, semihosting.
// Source: ARMv7-M Architecture Reference Manual B1.5 (vectors), B3.2.20 (CPACR);
// "Semihosting for AArch32 and AArch64" 5.x (operations 0x04, 0x18).
#include "platform.h"

extern "C" {
extern std::uint32_t stack_top, bss_begin, bss_end, data_begin, data_end, data_in_flash;
int main();

static void semihosting(std::uint32_t operation, const void* argument) {
  register std::uint32_t r0 asm("r0") = operation;
  register const void* r1 asm("r1") = argument;
  asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

[[noreturn]] static void leave(bool passed) {
  constexpr std::uint32_t kExit = 0x18;
  constexpr std::uintptr_t kApplicationExit = 0x20026;  // the only reason that gives exit code 0
  constexpr std::uintptr_t kRunTimeError = 0x20023;
  semihosting(kExit, reinterpret_cast<const void*>(passed ? kApplicationExit : kRunTimeError));
  for (;;) {
  }
}

[[noreturn]] void fault_handler() {
  firmware::put("fault\n");
  leave(false);
}

[[noreturn]] void reset_handler() {
  *reinterpret_cast<volatile std::uint32_t*>(0xE000ED88) |= 0xFU << 20U;  // CPACR: the FPU on
  asm volatile("dsb\n isb");
  const std::uint32_t* source = &data_in_flash;
  for (std::uint32_t* word = &data_begin; word != &data_end; ++word) {
    *word = *source++;
  }
  for (std::uint32_t* word = &bss_begin; word != &bss_end; ++word) {
    *word = 0;
  }
  leave(main() == 0);
}

[[gnu::section(".vectors"), gnu::used]] const void* const vectors[] = {
    &stack_top,
    reinterpret_cast<const void*>(reset_handler),
    reinterpret_cast<const void*>(fault_handler),  // NMI
    reinterpret_cast<const void*>(fault_handler),  // HardFault
    reinterpret_cast<const void*>(fault_handler),  // MemManage
    reinterpret_cast<const void*>(fault_handler),  // BusFault
    reinterpret_cast<const void*>(fault_handler),  // UsageFault
};
}

namespace firmware {

void put(const char* text) {
  constexpr std::uint32_t kWrite0 = 0x04;
  semihosting(kWrite0, text);
}

// Paints the stack below, calls, and looks how far the paint is gone.
std::uint32_t stack_used_by(void (*call)()) {
  constexpr std::uint32_t kPaint = 0xA5A5A5A5;
  constexpr std::uintptr_t kPaintedBytes = 16384;
  std::uintptr_t here = 0;
  asm volatile("mov %0, sp" : "=r"(here));
  for (std::uintptr_t address = here - kPaintedBytes; address < here; address += sizeof kPaint) {
    *reinterpret_cast<volatile std::uint32_t*>(address) = kPaint;
  }
  call();
  std::uintptr_t deepest = here - kPaintedBytes;
  while (deepest < here && *reinterpret_cast<volatile std::uint32_t*>(deepest) == kPaint) {
    deepest += sizeof kPaint;
  }
  return static_cast<std::uint32_t>(here - deepest);
}

}  // namespace firmware
