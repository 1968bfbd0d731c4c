// What can be said without a GPIO chip; the kernel tier has lines (gpio-sim).
#include "edgejoule/linux/gpio.h"

#include <gtest/gtest.h>

#include <cstring>

namespace edgejoule {
namespace {

TEST(Gpio, RefusesNamesThatAreNone) {
  if (std::strcmp(gpiod_version(), "none") == 0) GTEST_SKIP() << "built without libgpiod";
  GpioInput input;
  GpioOutput output;
  EXPECT_EQ(input.open("", GpioEdges::kBoth).error(), Error::kInvalidArgument);
  EXPECT_EQ(output.open("gpiochip0:x", false).error(), Error::kInvalidArgument);
  EXPECT_EQ(output.open("gpiochip0:-1", false).error(), Error::kInvalidArgument);
  EXPECT_FALSE(output.open("no-such-line-edgejoule", false).ok());
  EXPECT_FALSE(input.open("gpiochip4095:1", GpioEdges::kRising).ok());
}

TEST(Gpio, AnUnopenedLineSaysSo) {
  const Error expected = std::strcmp(gpiod_version(), "none") == 0 ? Error::kUnsupported : Error::kInvalidArgument;
  GpioInput input;
  GpioOutput output;
  GpioEdge edges[2];
  EXPECT_EQ(input.fd(), -1);
  EXPECT_EQ(input.read(Span<GpioEdge>(edges)).error(), expected);
  EXPECT_EQ(input.level().error(), expected);
  EXPECT_EQ(output.set(true).error(), expected);
}

}  // namespace
}  // namespace edgejoule
