// GPIO through libgpiod 2.x.
#include <errno.h>
#include <gpiod.h>
#include <poll.h>

#include "edgejoule/linux/gpio.h"
#include "edgejoule/linux/os_error.h"
#include "edgejoule/linux/rail.h"
#include "gpio_line.h"

namespace edgejoule {
namespace {

constexpr std::size_t kKernelBuffer = 1024;  // events
constexpr std::size_t kReadAtOnce = 16;

struct FoundLine {
  gpiod_chip* chip;
  unsigned offset;
};

gpiod_chip* open_chip(const char* name) noexcept {
  char storage[kPathSize];
  Path path{Span<char>(storage)};
  path.add("/dev/").add(name);
  return path.ok() ? ::gpiod_chip_open(path.c_str()) : nullptr;
}

Result<FoundLine> find_line(const char* line) noexcept {
  const Result<GpioLineName> name = parse_gpio_line(line);
  if (!name) return name.error();
  if (name->by_offset) {
    gpiod_chip* const chip = open_chip(name->chip);
    if (chip == nullptr) return error_from_errno(errno);
    return FoundLine{chip, name->offset};
  }
  struct Search {
    const char* line;
    FoundLine found;
    bool denied;
  } search{line, {nullptr, 0}, false};
  const Status listed = for_each_name("/dev", "gpiochip", &search, [](void* context, const char* chip_name) {
    auto& s = *static_cast<Search*>(context);
    if (s.found.chip != nullptr) return;
    gpiod_chip* const chip = open_chip(chip_name);
    if (chip == nullptr) {
      s.denied = s.denied || errno == EACCES || errno == EPERM;
      return;
    }
    const int offset = ::gpiod_chip_get_line_offset_from_name(chip, s.line);
    if (offset < 0) {
      ::gpiod_chip_close(chip);
    } else {
      s.found = {chip, static_cast<unsigned>(offset)};
    }
  });
  if (!listed) return listed.error();
  if (search.found.chip != nullptr) return search.found;
  return search.denied ? Error::kPermission : Error::kNotFound;
}

// Takes the settings and the chip; only the request remains.
Result<gpiod_line_request*> request_line(const FoundLine& line, gpiod_line_settings* settings) noexcept {
  gpiod_line_config* const lines = ::gpiod_line_config_new();
  gpiod_request_config* const request = ::gpiod_request_config_new();
  gpiod_line_request* result = nullptr;
  int number = ENOMEM;
  if (settings != nullptr && lines != nullptr && request != nullptr) {
    ::gpiod_request_config_set_consumer(request, kGpioConsumer);
    ::gpiod_request_config_set_event_buffer_size(request, kKernelBuffer);
    if (::gpiod_line_config_add_line_settings(lines, &line.offset, 1, settings) == 0) {
      result = ::gpiod_chip_request_lines(line.chip, request, lines);
    }
    number = errno;
  }
  if (request != nullptr) ::gpiod_request_config_free(request);
  if (lines != nullptr) ::gpiod_line_config_free(lines);
  if (settings != nullptr) ::gpiod_line_settings_free(settings);
  ::gpiod_chip_close(line.chip);
  if (result != nullptr) return result;
  return number == EINVAL ? Error::kNotFound : error_from_errno(number);  // an offset beyond the chip's lines
}

}  // namespace

const char* gpiod_version() noexcept {
  return ::gpiod_api_version();
}

Status GpioOutput::open(const char* line, bool initial) noexcept {
  const Result<FoundLine> found = find_line(line);
  if (!found) return found.error();
  gpiod_line_settings* const settings = ::gpiod_line_settings_new();
  if (settings != nullptr) {
    ::gpiod_line_settings_set_direction(settings, GPIOD_LINE_DIRECTION_OUTPUT);
    ::gpiod_line_settings_set_output_value(settings, initial ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE);
  }
  const Result<gpiod_line_request*> request = request_line(*found, settings);
  if (!request) return request.error();
  request_ = *request;
  offset_ = found->offset;
  return {};
}

Status GpioOutput::set(bool high) noexcept {
  if (request_ == nullptr) return Error::kInvalidArgument;
  const gpiod_line_value value = high ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE;
  if (::gpiod_line_request_set_value(static_cast<gpiod_line_request*>(request_), offset_, value) != 0) {
    return error_from_errno(errno);
  }
  return {};
}

Status GpioInput::open(const char* line, GpioEdges edges) noexcept {
  const Result<FoundLine> found = find_line(line);
  if (!found) return found.error();
  gpiod_line_settings* const settings = ::gpiod_line_settings_new();
  if (settings != nullptr) {
    ::gpiod_line_settings_set_direction(settings, GPIOD_LINE_DIRECTION_INPUT);
    ::gpiod_line_settings_set_event_clock(settings, GPIOD_LINE_CLOCK_MONOTONIC);
    gpiod_line_edge kind = GPIOD_LINE_EDGE_BOTH;
    switch (edges) {
      case GpioEdges::kRising: kind = GPIOD_LINE_EDGE_RISING; break;
      case GpioEdges::kFalling: kind = GPIOD_LINE_EDGE_FALLING; break;
      case GpioEdges::kBoth: break;
    }
    ::gpiod_line_settings_set_edge_detection(settings, kind);
  }
  const Result<gpiod_line_request*> request = request_line(*found, settings);
  if (!request) return request.error();
  buffer_ = ::gpiod_edge_event_buffer_new(kReadAtOnce);
  if (buffer_ == nullptr) return Error::kSystem;
  request_ = *request;
  offset_ = found->offset;
  fd_ = ::gpiod_line_request_get_fd(*request);
  return {};
}

Result<GpioRead> GpioInput::read(Span<GpioEdge> out) noexcept {
  if (request_ == nullptr) return Error::kInvalidArgument;
  auto* const request = static_cast<gpiod_line_request*>(request_);
  auto* const buffer = static_cast<gpiod_edge_event_buffer*>(buffer_);
  GpioRead read;
  while (read.edges < out.size()) {
    pollfd ready{fd_, POLLIN, 0};
    const int count = ::poll(&ready, 1, 0);
    if (count < 0 && errno != EINTR) return error_from_errno(errno);
    if (count <= 0) break;
    if ((ready.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) return Error::kGone;
    const std::size_t room = out.size() - read.edges;
    const int got = ::gpiod_line_request_read_edge_events(request, buffer, room < kReadAtOnce ? room : kReadAtOnce);
    if (got < 0) return error_from_errno(errno);
    for (int i = 0; i < got; ++i) {
      gpiod_edge_event* const event = ::gpiod_edge_event_buffer_get_event(buffer, static_cast<unsigned long>(i));
      GpioEdge& edge = out[read.edges++];
      edge.t_mono_ns = static_cast<std::int64_t>(::gpiod_edge_event_get_timestamp_ns(event));
      edge.rising = ::gpiod_edge_event_get_event_type(event) == GPIOD_EDGE_EVENT_RISING_EDGE;
      edge.sequence = static_cast<std::uint32_t>(::gpiod_edge_event_get_line_seqno(event));
      // The kernel counts every edge and drops what finds no room: a jump is what is missing.
      read.lost += edge.sequence - sequence_ - 1;
      sequence_ = edge.sequence;
    }
  }
  return read;
}

Result<bool> GpioInput::level() noexcept {
  if (request_ == nullptr) return Error::kInvalidArgument;
  const gpiod_line_value value = ::gpiod_line_request_get_value(static_cast<gpiod_line_request*>(request_), offset_);
  if (value == GPIOD_LINE_VALUE_ERROR) return error_from_errno(errno);
  return value == GPIOD_LINE_VALUE_ACTIVE;
}

}  // namespace edgejoule
