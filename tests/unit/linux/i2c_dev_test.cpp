#include "edgejoule/linux/i2c_dev.h"

#include <gtest/gtest.h>

#include "unit/linux/fake_sysfs.h"

namespace edgejoule {
namespace {

using test::FakeSysfs;

TEST(I2cDev, SaysWhyItCannotBeOpened) {
  const FakeSysfs sys;
  I2cDev dev;
  EXPECT_EQ(dev.open(sys.root().c_str(), 1).error(), Error::kNotFound);
  EXPECT_EQ(dev.open(sys.root().c_str(), -1).error(), Error::kInvalidArgument);
  sys.write("/dev/i2c-1", "");  // not an I2C adapter
  EXPECT_EQ(dev.open(sys.root().c_str(), 1).error(), Error::kUnsupported);
}

TEST(I2cDev, AClosedBusFailsInsteadOfTouchingAnotherFile) {
  I2cDev dev;
  const RegisterBus bus = dev.bus();
  std::uint8_t bytes[2] = {};
  EXPECT_FALSE(bus.read(bus.context, 0x40, 0, Span<std::uint8_t>(bytes)).ok());
  const std::uint8_t value[9] = {};
  EXPECT_EQ(bus.write(bus.context, 0x40, 0, Span<const std::uint8_t>(value)).error(), Error::kInvalidArgument);
}

TEST(BoundDriver, IsNamedWhereThereIsOne) {
  const FakeSysfs sys;
  sys.link("/sys/bus/i2c/devices/1-0040/driver", "/sys/bus/i2c/drivers/ina3221");
  char name[32] = {};
  ASSERT_TRUE(bound_driver(sys.root().c_str(), 1, 0x40, Span<char>(name)).ok());
  EXPECT_STREQ(name, "ina3221");
  EXPECT_EQ(bound_driver(sys.root().c_str(), 1, 0x41, Span<char>(name)).error(), Error::kNotFound);
  EXPECT_EQ(bound_driver(sys.root().c_str(), -1, 0x41, Span<char>(name)).error(), Error::kInvalidArgument);
}

}  // namespace
}  // namespace edgejoule
