#include "support/hil_device.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>
#include <thread>

#include "module/hil_i2c.h"

namespace edgejoule::kernel_tier {
namespace {

using emulated_board::BusStatus;
using emulated_board::Message;
using emulated_board::TransferResult;

constexpr std::size_t kSmbusBlockMax = 32;

}  // namespace

HilDevice::HilDevice(const std::string& path)
    : device_(FileDescriptor::open(path, O_RDWR | O_NONBLOCK)), request_(HIL_I2C_MAX_BYTES) {}

int HilDevice::adapter() const {
  return ::ioctl(device_.get(), HIL_I2C_ADAPTER);
}

void HilDevice::serve(const Chips& chips) {
  const ssize_t size = ::read(device_.get(), request_.data(), request_.size());
  if (size < 0) {
    if (errno == EAGAIN || errno == EINTR) {
      return;  // the transfer was given up before it could be read
    }
    throw std::system_error(errno, std::generic_category(), "reading a transfer");
  }
  hil_i2c_request head{};
  std::memcpy(&head, request_.data(), sizeof(head));
  std::vector<hil_i2c_message> raw(head.message_count);
  std::memcpy(raw.data(), request_.data() + sizeof(head), raw.size() * sizeof(hil_i2c_message));
  std::uint8_t* written = request_.data() + sizeof(head) + raw.size() * sizeof(hil_i2c_message);

  std::vector<std::vector<std::uint8_t>> room(raw.size());
  std::vector<Message> messages;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const bool is_read = (raw[i].flags & HIL_I2C_READ) != 0;
    if (is_read) {
      room[i].resize(raw[i].length + ((raw[i].flags & HIL_I2C_RECV_LEN) != 0 ? kSmbusBlockMax : 0));
      messages.push_back({raw[i].address, true, room[i]});
    } else {
      messages.push_back({raw[i].address, false, {written, raw[i].length}});
      written += raw[i].length;
    }
  }

  const TransferResult result = chips(messages, static_cast<std::int64_t>(head.start_mono_ns));
  if (result.stall_ns > 0) {
    std::this_thread::sleep_for(std::chrono::nanoseconds(result.stall_ns));
  }
  if (result.status == BusStatus::kTimeout) {
    return;  // the adapter finds out by itself
  }
  const bool ok = result.status == BusStatus::kOk;
  const hil_i2c_answer answer{head.sequence,
                              ok ? static_cast<__s32>(result.completed) : -emulated_board::to_errno(result.status)};
  reply_.assign(sizeof(answer), 0);
  std::memcpy(reply_.data(), &answer, sizeof(answer));
  for (std::size_t i = 0; ok && i < result.completed; ++i) {
    if ((raw[i].flags & HIL_I2C_RECV_LEN) != 0 && !room[i].empty()) {
      room[i].resize(std::min<std::size_t>(room[i].size(), raw[i].length + room[i][0]));
    }
    reply_.insert(reply_.end(), room[i].begin(), room[i].end());
  }
  if (::write(device_.get(), reply_.data(), reply_.size()) < 0 && errno != ESTALE) {
    throw std::system_error(errno, std::generic_category(), "answering a transfer");
  }
}

}  // namespace edgejoule::kernel_tier
