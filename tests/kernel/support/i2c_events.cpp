#include "support/i2c_events.h"

#include <cstdio>
#include <sstream>
#include <stdexcept>

#include "support/files.h"

namespace edgejoule::kernel_tier {
namespace {

constexpr const char* kTracing = "/sys/kernel/tracing/";

void write_or_throw(const std::string& path, const std::string& text) {
  if (const int error = write_file(path, text); error != 0) {
    throw std::runtime_error(path + ": errno " + std::to_string(error));
  }
}

}  // namespace

I2cEvents::I2cEvents(int adapter) : adapter_(adapter) {
  write_or_throw(std::string(kTracing) + "events/i2c/enable", "1");
  write_or_throw(std::string(kTracing) + "trace", "\n");
}

I2cEvents::~I2cEvents() {
  (void)write_file(std::string(kTracing) + "events/i2c/enable", "0");
}

// Lines like
//   test-97 [001] ..... 8.123456: i2c_write: i2c-0 #0 a=040 f=0000 l=1 [ff]
//   test-97 [001] ..... 8.123460: i2c_read: i2c-0 #1 a=040 f=0001 l=2
//   test-97 [001] ..... 8.124000: i2c_reply: i2c-0 #1 a=040 f=0001 l=2 [32-20]
//   test-97 [001] ..... 8.124001: i2c_result: i2c-0 n=2 ret=2
std::vector<I2cEvent> I2cEvents::take() {
  std::istringstream trace(read_file(std::string(kTracing) + "trace").text);
  (void)write_file(std::string(kTracing) + "trace", "\n");
  std::vector<I2cEvent> events;
  for (std::string line; std::getline(trace, line);) {
    const std::size_t at = line.find(": i2c_");
    if (line.empty() || line[0] == '#' || at == std::string::npos) {
      continue;
    }
    I2cEvent event;
    std::istringstream words(line.substr(at + 6));
    std::getline(words, event.kind, ':');
    std::string rest;
    std::getline(words, rest);
    unsigned address = 0;
    int parsed = 0;
    if (event.kind == "result") {
      parsed = std::sscanf(rest.c_str(), " i2c-%d n=%d ret=%d", &event.adapter, &event.message, &event.length);
    } else {
      parsed = std::sscanf(rest.c_str(), " i2c-%d #%d a=%x f=%*x l=%d", &event.adapter, &event.message, &address,
                           &event.length);
      event.address = static_cast<std::uint16_t>(address);
      if (const std::size_t open = rest.find('['); open != std::string::npos) {
        event.bytes = rest.substr(open + 1, rest.find(']') - open - 1);
      }
    }
    if (parsed >= 3 && event.adapter == adapter_) {
      events.push_back(event);
    }
  }
  return events;
}

}  // namespace edgejoule::kernel_tier
