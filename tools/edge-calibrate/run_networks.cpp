#include "run_networks.h"

#include <array>

#include "zoo/zoo.h"

namespace edgejoule::calibrate {
namespace {

constexpr std::array kValidated = {"mobilenet_v2-1.0-224",
                                   "resnet8",
                                   "mobilenet_v1-0.5-160",
                                   "kws",
                                   "efficientnet_lite0",
                                   "bert-mini",
                                   "resnet18",
                                   "vit-tiny-16",
                                   "mobilenet_v3-small",
                                   "bert-tiny",
                                   "mobilenet_v1-0.25-128",
                                   "distilbert",
                                   "mobilenet_v2-0.35-96",
                                   "resnet8:dtype=int8",
                                   "mobilenet_v1-0.5-160:dtype=int8",
                                   "mobilenet_v2-1.0-224:dtype=int8"};
constexpr std::array kForSpread = {"mobilenet_v1-0.5-128",
                                   "mobilenet_v2-0.5-160",
                                   "efficientnet_lite1",
                                   "vww",
                                   "mobilenet_v3-large",
                                   "resnet34",
                                   "bert-small",
                                   "mobilenet_v2-0.75-128:dtype=int8",
                                   "ad01",
                                   "kws:dtype=int8",
                                   "mobilenet_v1-0.75-192",
                                   "mobilenet_v1-0.25-160:dtype=int8"};

}  // namespace

std::vector<calibration::Network> networks(int threads) {
  std::vector<calibration::Network> result;
  const auto add = [&](const char* name, bool for_spread) {
    result.push_back(calibration::network_of(zoo::build(name), name, threads));
    result.back().for_spread = for_spread;
  };
  for (std::size_t i = 0; i < kValidated.size(); ++i) {
    add(kValidated[i], false);
    if (i < kForSpread.size()) add(kForSpread[i], true);
  }
  return result;
}

}  // namespace edgejoule::calibrate
