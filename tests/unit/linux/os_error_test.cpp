#include "edgejoule/linux/os_error.h"

#include <errno.h>
#include <gtest/gtest.h>

#include "edgejoule/linux/monotonic.h"

namespace edgejoule {
namespace {

TEST(OsError, FilesAndDevices) {
  EXPECT_EQ(error_from_errno(EACCES), Error::kPermission);
  EXPECT_EQ(error_from_errno(EPERM), Error::kPermission);
  EXPECT_EQ(error_from_errno(ENOENT), Error::kNotFound);
  EXPECT_EQ(error_from_errno(ENODEV), Error::kGone);
  EXPECT_EQ(error_from_errno(ENXIO), Error::kBusNak);
  EXPECT_EQ(error_from_errno(EREMOTEIO), Error::kBusNak);
  EXPECT_EQ(error_from_errno(ETIMEDOUT), Error::kBusTimeout);
  EXPECT_EQ(error_from_errno(EIO), Error::kBusIo);
  EXPECT_EQ(error_from_errno(ENODATA), Error::kNoData);
  EXPECT_EQ(error_from_errno(EAGAIN), Error::kNotReady);
  EXPECT_EQ(error_from_errno(EBUSY), Error::kBusy);
  EXPECT_EQ(error_from_errno(EINTR), Error::kInterrupted);
  EXPECT_EQ(error_from_errno(ENOSPC), Error::kFull);
  EXPECT_EQ(error_from_errno(ENOTTY), Error::kUnsupported);
  EXPECT_EQ(error_from_errno(ENOMEM), Error::kSystem);
}

TEST(OsError, OfTheBusMeansOtherThings) {
  EXPECT_EQ(bus_error_from_errno(EAGAIN), Error::kBusArbitration);
  EXPECT_EQ(bus_error_from_errno(EBUSY), Error::kBusArbitration);
  EXPECT_EQ(bus_error_from_errno(ENXIO), Error::kBusNak);
  EXPECT_EQ(bus_error_from_errno(ETIMEDOUT), Error::kBusTimeout);
  EXPECT_EQ(bus_error_from_errno(EPROTO), Error::kBusIo);
  EXPECT_EQ(bus_error_from_errno(ENODEV), Error::kGone);
}

TEST(OsError, EveryCodeHasItsSentence) {
  EXPECT_STREQ(error_text(Error::kBusy), "somebody else is using it");
}

TEST(Monotonic, NeverRunsBackwardsAndKnowsTheWallClock) {
  const std::int64_t first = monotonic_ns();
  EXPECT_LE(first, monotonic_ns());
  const std::int64_t year_2020_ns = 1'577'836'800'000'000'000;
  EXPECT_GT(monotonic_ns() + wall_clock_offset_ns(), year_2020_ns);
}

}  // namespace
}  // namespace edgejoule
