#include "support/closed_loop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "calibration/network_spread.h"
#include "fit/table_writer.h"
#include "measurements/median.h"
#include "pricing/set_pricer.h"
#include "zoo/zoo.h"

namespace edgejoule::test {
namespace {

using calibration::Measured;

constexpr const char* kWiring = R"(
thermal     ambient_c=31 k_per_w=4.5 seconds=28 leak_w=0.12 leak_per_k=0.014
noise       watts=0.06 wander=0.003
base        soc_w=0.62 other_w=0.55
memory      gbytes_per_s=34 pj_byte=38 idle_w=0.42
engine      cpu kind=cpu threads=6 gmacs_per_s=14 gbytes_per_s=22 pj_mac=21 pj_byte=6 launch_us=3 launch_uj=2.5 on_w=0.3
engine      gpu kind=gpu threads=1 gmacs_per_s=480 gbytes_per_s=120 pj_mac=4.5 launch_us=9 launch_uj=12 on_w=0.55
point       15W cpu_mhz=1510 gpu_mhz=625 memory_mhz=2133 millivolts=860
point       7W cpu_mhz=960 gpu_mhz=408 memory_mhz=2133 millivolts=720
rail        VDD_IN total of=engines,memory,soc,other loss=0.08
rail        VDD_CPU_GPU_CV of=engines loss=0.04
rail        VDD_SOC of=memory,soc loss=0.04
chip        0x40 ina3221 shunt_offset_uv=35 shunt_noise_uv=22 bus_noise_uv=3000 clock_error=0.007
)";

std::string channels(int shunt_uohm) {
  std::string text;
  for (const auto& [channel, rail] : {std::pair{1, "VDD_IN"}, {2, "VDD_CPU_GPU_CV"}, {3, "VDD_SOC"}}) {
    text += "channel 0x40 " + std::to_string(channel) + " trace=" + rail + " shunt_uohm=" + std::to_string(shunt_uohm) +
            "\n";
  }
  return text;
}

}  // namespace

emulated_board::BoardLaw hidden_law(const HiddenBoard& board, std::uint64_t seed) {
  std::istringstream text("behaviour " + board.behaviour + kWiring + channels(board.shunt_uohm) +
                          "sampling averages=" + std::to_string(board.averages) + "\n");
  emulated_board::BoardLaw law = emulated_board::parse_law(text, board.name);
  law.law.randomise(seed, 0.3);
  return law;
}

std::vector<calibration::Network> unseen_networks(int threads) {
  struct Pair {
    const char *validated, *for_spread;
  };
  std::vector<calibration::Network> networks;
  const auto add = [&](const char* name, bool for_spread) {
    networks.push_back(calibration::network_of(zoo::build(name), name, threads));
    networks.back().for_spread = for_spread;
  };
  for (const auto& [validated, for_spread] :
       {Pair{"mobilenet_v2-1.0-224", "mobilenet_v2-0.5-160"},
        {"resnet8", "resnet34"},
        {"mobilenet_v1-0.5-160", "mobilenet_v1-0.5-128"},
        {"kws", "vww"},
        {"efficientnet_lite0", "efficientnet_lite1"},
        {"bert-mini", "bert-small"},
        {"resnet18", "mobilenet_v3-large"},
        {"mobilenet_v1-1.0-224", "mobilenet_v1-0.75-192"},
        {"bert-tiny", "ad01"},
        {"resnet8:dtype=int8", "kws:dtype=int8"},
        {"mobilenet_v1-0.5-160:dtype=int8", "mobilenet_v1-0.25-160:dtype=int8"}}) {
    add(validated, false);
    add(for_spread, true);
  }
  return networks;
}

Score score(calibration::Machine& machine, const calibration::Session& session, fit::FittedTable* fitted) {
  const measurements::MeasurementSet set = session.fit_set();
  fit::FittedTable fit = fit::fit_table(set);
  calibration::widen_by_networks(set, session.spread_set(), fit);
  const files::FileBytes table = fit::write_table(fit, set, {"closed loop", "2026-01-01", "test"});
  measurements::MeasurementSet held_out = session.held_out_set();
  pricing::SetPricer pricer(held_out, table, {});
  Score score;
  std::vector<double> shapes, whole, naive, blocks;
  double inside = 0, measured_inside = 0, networks_inside = 0;
  for (const Measured& measured : session.measured()) {
    if (!measured.block.problem.empty()) continue;
    const bool is_network = Measured::is_network(measured.role);
    if (is_network) {
      machine.prepare_network(session.networks()[measured.index].ops);
    } else {
      machine.prepare(session.candidates()[measured.index].workload);
    }
    const double truth = machine.truth()->joules;
    blocks.push_back(std::abs(measured.block.joules / truth - 1));
    if (measured.role == Measured::Role::kFit || measured.role == Measured::Role::kSpreadNetwork) continue;
    naive.push_back(std::abs(measured.block.naive_joules / truth - 1));
    const auto at = std::find_if(held_out.measurements.begin(), held_out.measurements.end(),
                                 [&](const measurements::Measurement& m) { return m.origin == measured.block.name; });
    if (at == held_out.measurements.end()) continue;
    const pricing::Priced priced = pricer.price(static_cast<std::size_t>(at - held_out.measurements.begin()));
    EXPECT_EQ(priced.problem, "");
    (is_network ? whole : shapes).push_back(std::abs(priced.joules / truth - 1));
    const bool is_inside = truth >= priced.lower && truth <= priced.upper;
    inside += is_inside ? 1 : 0;
    measured_inside += measured.block.joules >= priced.lower && measured.block.joules <= priced.upper ? 1 : 0;
    networks_inside += is_network && is_inside ? 1 : 0;
  }
  EXPECT_FALSE(shapes.empty());
  EXPECT_FALSE(whole.empty());
  score.shapes = measurements::median(shapes);
  score.networks = measurements::median(whole);
  score.naive = measurements::median(naive);
  score.blocks = measurements::median(blocks);
  score.networks_inside = networks_inside / std::max(1.0, static_cast<double>(whole.size()));
  score.rows = shapes.size() + whole.size();
  score.inside = inside / static_cast<double>(score.rows);
  score.measured_inside = measured_inside / static_cast<double>(score.rows);
  if (fitted != nullptr) *fitted = fit;
  return score;
}

void print(const HiddenBoard& board, std::uint64_t seed, const Score& score) {
  std::printf(
      "%-28s seed %llu: blocks %.1f %%, unseen shapes %.1f %%, unseen networks %.1f %%, in the 90 %% interval "
      "%.0f %% of %zu (of networks %.0f %%; %.0f %% as measured); naive %.0f %%; worst coefficient %.1f %%\n",
      board.name, static_cast<unsigned long long>(seed), 100 * score.blocks, 100 * score.shapes, 100 * score.networks,
      100 * score.inside, score.rows, 100 * score.networks_inside, 100 * score.measured_inside, 100 * score.naive,
      100 * score.worst_coefficient);
}

}  // namespace edgejoule::test
