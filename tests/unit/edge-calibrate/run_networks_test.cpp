// What an emulated board can run a real one must: no network may drop out of a calibration for want of a kernel.
#include <gtest/gtest.h>

#include <algorithm>

#include "edge-calibrate/run_networks.h"
#include "workloads/workload.h"

namespace edgejoule::calibrate {
namespace {

TEST(RunNetworks, HaveAKernelForEveryOp) {
  const std::vector<calibration::Network> all = networks(1);
  EXPECT_GT(std::count_if(all.begin(), all.end(), [](const auto& network) { return network.for_spread; }), 10);
  EXPECT_GT(std::count_if(all.begin(), all.end(), [](const auto& network) { return !network.for_spread; }), 10);
  for (const calibration::Network& network : all) {
    for (const workloads::Workload& op : network.ops) EXPECT_NO_THROW((void)workloads::prepare(op)) << op.name;
  }
}

}  // namespace
}  // namespace edgejoule::calibrate
