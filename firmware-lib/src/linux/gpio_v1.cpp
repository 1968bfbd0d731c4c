// GPIO through libgpiod 1.x.
#include <errno.h>
#include <gpiod.h>
#include <poll.h>
#include <sys/utsname.h>

#include "edgejoule/linux/gpio.h"
#include "edgejoule/linux/monotonic.h"
#include "edgejoule/linux/os_error.h"
#include "gpio_line.h"

namespace edgejoule {
namespace {

constexpr std::size_t kKernelBuffer = 16;  // events; what comes on top is dropped without a trace

Result<gpiod_line*> find_line(const char* line) noexcept {
  const Result<GpioLineName> name = parse_gpio_line(line);
  if (!name) return name.error();
  errno = 0;
  gpiod_line* found = nullptr;
  if (name->by_offset) {
    gpiod_chip* const chip = ::gpiod_chip_open_by_name(name->chip);
    if (chip != nullptr) found = ::gpiod_chip_get_line(chip, name->offset);
  } else {
    found = ::gpiod_line_find(line);
  }
  if (found != nullptr) return found;
  if (errno == EINVAL) return Error::kNotFound;  // an offset beyond the chip's lines
  return errno == 0 ? Error::kNotFound : error_from_errno(errno);
}

// Event stamps are CLOCK_REALTIME before Linux 5.7, and nothing in the interface says so.
bool stamps_are_wall_clock() noexcept {
  utsname name{};
  if (::uname(&name) != 0) return false;
  unsigned version[2] = {};
  const char* at = name.release;
  for (unsigned& part : version) {
    while (*at >= '0' && *at <= '9') part = part * 10 + static_cast<unsigned>(*at++ - '0');
    if (*at == '.') ++at;
  }
  return version[0] < 5 || (version[0] == 5 && version[1] < 7);
}

}  // namespace

const char* gpiod_version() noexcept {
  return ::gpiod_version_string();
}

Status GpioOutput::open(const char* line, bool initial) noexcept {
  const Result<gpiod_line*> found = find_line(line);
  if (!found) return found.error();
  if (::gpiod_line_request_output(*found, kGpioConsumer, initial ? 1 : 0) != 0) return error_from_errno(errno);
  request_ = *found;
  offset_ = ::gpiod_line_offset(*found);
  return {};
}

Status GpioOutput::set(bool high) noexcept {
  if (request_ == nullptr) return Error::kInvalidArgument;
  if (::gpiod_line_set_value(static_cast<gpiod_line*>(request_), high ? 1 : 0) != 0) return error_from_errno(errno);
  return {};
}

Status GpioInput::open(const char* line, GpioEdges edges) noexcept {
  const Result<gpiod_line*> found = find_line(line);
  if (!found) return found.error();
  int failed = 0;
  switch (edges) {
    case GpioEdges::kRising: failed = ::gpiod_line_request_rising_edge_events(*found, kGpioConsumer); break;
    case GpioEdges::kFalling: failed = ::gpiod_line_request_falling_edge_events(*found, kGpioConsumer); break;
    case GpioEdges::kBoth: failed = ::gpiod_line_request_both_edges_events(*found, kGpioConsumer); break;
  }
  if (failed != 0) return error_from_errno(errno);
  request_ = *found;
  offset_ = ::gpiod_line_offset(*found);
  fd_ = ::gpiod_line_event_get_fd(*found);
  wall_clock_stamps_ = stamps_are_wall_clock();
  return {};
}

Result<GpioRead> GpioInput::read(Span<GpioEdge> out) noexcept {
  if (request_ == nullptr) return Error::kInvalidArgument;
  GpioRead read;
  const std::int64_t offset_ns = wall_clock_stamps_ ? wall_clock_offset_ns() : 0;
  while (read.edges < out.size()) {
    pollfd ready{fd_, POLLIN, 0};
    const int count = ::poll(&ready, 1, 0);
    if (count < 0 && errno != EINTR) return error_from_errno(errno);
    if (count <= 0) break;
    if ((ready.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) return Error::kGone;
    gpiod_line_event event{};
    if (::gpiod_line_event_read_fd(fd_, &event) != 0) return error_from_errno(errno);
    GpioEdge& edge = out[read.edges++];
    edge.t_mono_ns = std::int64_t{event.ts.tv_sec} * 1'000'000'000 + event.ts.tv_nsec - offset_ns;
    edge.rising = event.event_type == GPIOD_LINE_EVENT_RISING_EDGE;
    edge.sequence = ++sequence_;
  }
  read.maybe_lost = read.edges >= kKernelBuffer;
  return read;
}

Result<bool> GpioInput::level() noexcept {
  if (request_ == nullptr) return Error::kInvalidArgument;
  const int value = ::gpiod_line_get_value(static_cast<gpiod_line*>(request_));
  if (value < 0) return error_from_errno(errno);
  return value != 0;
}

}  // namespace edgejoule
