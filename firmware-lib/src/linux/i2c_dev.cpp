#include "edgejoule/linux/i2c_dev.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <cstring>

#include "edgejoule/linux/os_error.h"
#include "edgejoule/linux/rail.h"
#include "file_text.h"

namespace edgejoule {
namespace {

constexpr std::size_t kMaxWrite = 8;

int file_of(void* context) noexcept {
  return *static_cast<const int*>(context);
}

// All messages between one START and one STOP.
Status transfer(int fd, i2c_msg* messages, std::size_t count) noexcept {
  i2c_rdwr_ioctl_data data{};
  data.msgs = messages;
  data.nmsgs = static_cast<std::uint32_t>(count);
  const int done = ::ioctl(fd, I2C_RDWR, &data);
  if (done < 0) return bus_error_from_errno(errno);
  return static_cast<std::size_t>(done) == count ? Status() : Status(Error::kBusShortTransfer);
}

void point_and_read(i2c_msg (&messages)[2], std::uint8_t address, std::uint8_t& reg,
                    Span<std::uint8_t> bytes) noexcept {
  messages[0] = i2c_msg{address, 0, 1, &reg};
  messages[1] = i2c_msg{address, I2C_M_RD, static_cast<std::uint16_t>(bytes.size()), bytes.data()};
}

Status read(void* context, std::uint8_t address, std::uint8_t reg, Span<std::uint8_t> bytes) {
  i2c_msg messages[2];
  point_and_read(messages, address, reg, bytes);
  return transfer(file_of(context), messages, 2);
}

Status write(void* context, std::uint8_t address, std::uint8_t reg, Span<const std::uint8_t> bytes) {
  std::uint8_t buffer[1 + kMaxWrite] = {reg};
  if (bytes.size() > kMaxWrite) return Error::kInvalidArgument;
  std::memcpy(buffer + 1, bytes.data(), bytes.size());
  i2c_msg message{address, 0, static_cast<std::uint16_t>(1 + bytes.size()), buffer};
  return transfer(file_of(context), &message, 1);
}

Status read_batch(void* context, std::uint8_t address, Span<const RegisterRead> reads) {
  if (reads.size() > I2cDev::kMaxBatch) return Error::kInvalidArgument;
  i2c_msg messages[2 * I2cDev::kMaxBatch];
  std::uint8_t registers[I2cDev::kMaxBatch];
  for (std::size_t i = 0; i < reads.size(); ++i) {
    registers[i] = reads[i].reg;
    messages[2 * i] = i2c_msg{address, 0, 1, &registers[i]};
    messages[2 * i + 1] =
        i2c_msg{address, I2C_M_RD, static_cast<std::uint16_t>(reads[i].bytes.size()), reads[i].bytes.data()};
  }
  return transfer(file_of(context), messages, 2 * reads.size());
}

void delay_us(void*, std::uint32_t microseconds) {
  timespec wait{};
  wait.tv_sec = microseconds / 1'000'000;
  wait.tv_nsec = static_cast<long>(microseconds % 1'000'000) * 1000;
  while (::clock_nanosleep(CLOCK_MONOTONIC, 0, &wait, &wait) == EINTR) {
  }
}

}  // namespace

I2cDev::~I2cDev() {
  close();
}

void I2cDev::close() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Status I2cDev::open(const char* root, int bus_number) noexcept {
  close();
  if (bus_number < 0) return Error::kInvalidArgument;
  char storage[kPathSize];
  Path path{Span<char>(storage)};
  path.add(root).add("/dev/i2c-").add_number(static_cast<std::uint64_t>(bus_number));
  if (!path.ok()) return Error::kTooLarge;
  fd_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd_ < 0) return error_from_errno(errno);
  unsigned long functions = 0;
  if (::ioctl(fd_, I2C_FUNCS, &functions) < 0 || (functions & I2C_FUNC_I2C) == 0) {
    close();
    return Error::kUnsupported;
  }
  return {};
}

RegisterBus I2cDev::bus() noexcept {
  RegisterBus table;
  table.context = &fd_;
  table.read = read;
  table.write = write;
  table.read_batch = read_batch;
  table.delay_us = delay_us;
  return table;
}

Status bound_driver(const char* root, int bus_number, std::uint8_t address, Span<char> name) noexcept {
  if (bus_number < 0) return Error::kInvalidArgument;
  char storage[kPathSize];
  Path path{Span<char>(storage)};
  path.add(root)
      .add("/sys/bus/i2c/devices/")
      .add_number(static_cast<std::uint64_t>(bus_number))
      .add("-")
      .add_number(address, 16, 4)
      .add("/driver");
  if (!path.ok()) return Error::kTooLarge;
  char target[kPathSize];
  const ssize_t got = ::readlink(path.c_str(), target, sizeof(target) - 1);
  if (got < 0) return error_from_errno(errno);
  target[got] = '\0';
  const char* const slash = std::strrchr(target, '/');
  copy_text(slash != nullptr ? slash + 1 : target, name);
  return {};
}

}  // namespace edgejoule
