// Built where libgpiod was not found: every line says so.
#include "edgejoule/linux/gpio.h"

namespace edgejoule {

const char* gpiod_version() noexcept {
  return "none";
}

Status GpioOutput::open(const char*, bool) noexcept {
  return Error::kUnsupported;
}
Status GpioOutput::set(bool) noexcept {
  return Error::kUnsupported;
}
Status GpioInput::open(const char*, GpioEdges) noexcept {
  return Error::kUnsupported;
}
Result<GpioRead> GpioInput::read(Span<GpioEdge>) noexcept {
  return Error::kUnsupported;
}
Result<bool> GpioInput::level() noexcept {
  return Error::kUnsupported;
}

}  // namespace edgejoule
