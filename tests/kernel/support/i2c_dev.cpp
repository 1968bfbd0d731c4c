#include "support/i2c_dev.h"

#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <sys/ioctl.h>

#include <array>
#include <cerrno>
#include <string>

namespace edgejoule::kernel_tier {

I2cDev::I2cDev(int adapter) : file_(FileDescriptor::open("/dev/i2c-" + std::to_string(adapter), O_RDWR)) {}

I2cDev::WordRead I2cDev::read_word(std::uint16_t address, std::uint8_t reg) const {
  std::array<std::uint8_t, 2> data{};
  std::array<i2c_msg, 2> messages{i2c_msg{address, 0, 1, &reg}, i2c_msg{address, I2C_M_RD, 2, data.data()}};
  i2c_rdwr_ioctl_data transfer{messages.data(), messages.size()};
  WordRead result;
  result.completed = ::ioctl(file_.get(), I2C_RDWR, &transfer);
  result.error = result.completed < 0 ? errno : 0;
  result.value = static_cast<std::uint16_t>(data[0] << 8 | data[1]);
  return result;
}

int I2cDev::write_word(std::uint16_t address, std::uint8_t reg, std::uint16_t value) const {
  std::array<std::uint8_t, 3> data{reg, static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
  i2c_msg message{address, 0, data.size(), data.data()};
  i2c_rdwr_ioctl_data transfer{&message, 1};
  return ::ioctl(file_.get(), I2C_RDWR, &transfer) < 0 ? errno : 0;
}

std::vector<std::uint16_t> I2cDev::read_words(std::uint16_t address, std::span<const std::uint8_t> regs) const {
  std::vector<std::uint8_t> pointers(regs.begin(), regs.end());
  std::vector<std::array<std::uint8_t, 2>> data(regs.size());
  std::vector<i2c_msg> messages;
  for (std::size_t i = 0; i < regs.size(); ++i) {
    messages.push_back({address, 0, 1, &pointers[i]});
    messages.push_back({address, I2C_M_RD, 2, data[i].data()});
  }
  i2c_rdwr_ioctl_data transfer{messages.data(), static_cast<std::uint32_t>(messages.size())};
  std::vector<std::uint16_t> values;
  if (::ioctl(file_.get(), I2C_RDWR, &transfer) == static_cast<int>(messages.size())) {
    for (const auto& bytes : data) {
      values.push_back(static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]));
    }
  }
  return values;
}

std::vector<std::uint8_t> I2cDev::read_bytes(std::uint16_t address, std::uint8_t reg, std::size_t count) const {
  std::vector<std::uint8_t> data(count);
  std::array<i2c_msg, 2> messages{i2c_msg{address, 0, 1, &reg},
                                  i2c_msg{address, I2C_M_RD, static_cast<std::uint16_t>(count), data.data()}};
  i2c_rdwr_ioctl_data transfer{messages.data(), messages.size()};
  if (::ioctl(file_.get(), I2C_RDWR, &transfer) != 2) {
    data.clear();
  }
  return data;
}

int I2cDev::select(std::uint16_t address, bool force) const {
  return ::ioctl(file_.get(), force ? I2C_SLAVE_FORCE : I2C_SLAVE, static_cast<unsigned long>(address)) < 0 ? errno : 0;
}

}  // namespace edgejoule::kernel_tier
