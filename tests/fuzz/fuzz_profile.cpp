// Any file as a runtime's profile: a timeline that can be summed up, or refused with a reason.
#include <cstddef>
#include <cstdint>

#include "timeline/profiles.h"
#include "timeline/summary.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace edgejoule::timeline;
  try {
    static_cast<void>(summarise(read_timeline({reinterpret_cast<const char*>(data), size}, "fuzz", {"run*", ""})));
  } catch (const TimelineError&) {
  }
  return 0;
}
