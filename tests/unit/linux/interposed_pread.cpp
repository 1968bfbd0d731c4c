#include "unit/linux/interposed_pread.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <string_view>

namespace edgejoule::test {

PreadScript& pread_script() {
  static PreadScript script;
  return script;
}

void clear_pread_script() {
  pread_script() = PreadScript{};
}

}  // namespace edgejoule::test

extern "C" ssize_t pread(int fd, void* buffer, size_t size, off_t offset) {
  auto& script = edgejoule::test::pread_script();
  ++script.calls;
  if (script.delay_us > 0) ::usleep(static_cast<useconds_t>(script.delay_us));
  if (!script.errors.empty()) {
    std::array<char, 512> target{};
    const ssize_t length = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), target.data(), target.size());
    const std::string_view path(target.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
    for (const auto& [part, number] : script.errors) {
      if (path.find(part) != std::string_view::npos) {
        errno = number;
        return -1;
      }
    }
  }
  return static_cast<ssize_t>(::syscall(SYS_pread64, fd, buffer, size, offset));
}
