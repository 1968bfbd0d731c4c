#include "emulated_board/live_board.h"

#include <gtest/gtest.h>

#include <sstream>

namespace edgejoule::emulated_board {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

constexpr const char* kPlain = R"(
board      plain
engine     cpu threads=2 gmacs_per_s=1 pj_mac=1000 launch_uj=0 launch_us=1 gated_w=0.1 idle_w=0.2 on_w=0 wake_uj=0
memory     idle_w=0.3
point      fixed cpu_mhz=1000
base       soc_w=0.4 other_w=0.2
rail       IN total volts=5 of=engines,memory,soc,other
chip       0x40 ina226
channel    0x40 1 trace=IN shunt_uohm=10000
)";

BoardLaw law_of(const std::string& text) {
  std::istringstream stream(text);
  return parse_law(stream, "test");
}

LawOp matrix(double m, double n, double k) {
  LawOp op;
  op.kind = OpKind::kDense;
  op.m = m, op.n = n, op.k = k;
  op.input_bytes = 4 * m * k, op.output_bytes = 4 * m * n, op.weight_bytes = 4 * n * k;
  return op;
}

TEST(Law, CostsAreSumsOfWorkWhereNothingElseIsSwitchedOn) {
  const BoardLaw law = law_of(kPlain);
  const Cost one = law.law.cost(matrix(64, 64, 64), 0, 0);
  EXPECT_NEAR(one.engine_joules, 64.0 * 64 * 64 * 1e-9 + 3 * 4 * 64 * 64 * 2e-12, 1e-9);
  EXPECT_EQ(one.memory_joules, 0.0);
}

TEST(Law, SwitchesAlgorithmsAndOverflowsCachesOnTheOrinNano) {
  BoardLaw law = load_law("orin-nano");
  const auto per_mac = [&](const LawOp& op, double macs) { return law.law.cost(op, 0, 0).joules() / macs; };
  // A vector against a matrix: below the cache, and beyond it.
  EXPECT_GT(per_mac(matrix(1, 4096, 4096), 4096.0 * 4096), 1.5 * per_mac(matrix(1, 512, 512), 512.0 * 512));
  LawOp conv;
  conv.kind = OpKind::kConv2d;
  conv.in_h = conv.in_w = conv.out_h = conv.out_w = 28;
  conv.in_c = conv.out_c = 128;
  conv.kernel_h = conv.kernel_w = 3;
  conv.input_bytes = conv.output_bytes = 4.0 * 28 * 28 * 128;
  conv.weight_bytes = 4.0 * 9 * 128 * 128;
  LawOp strided = conv;
  strided.stride = 2;  // the same work on paper, without Winograd
  EXPECT_GT(law.law.cost(strided, 0, 0).joules(), 1.3 * law.law.cost(conv, 0, 0).joules());
  law.law.engines[0].on_w = 0;
  EXPECT_LT(law.law.cost(matrix(64, 64, 64), 0, 1).engine_joules, law.law.cost(matrix(64, 64, 64), 0, 0).engine_joules)
      << "a lower voltage";
}

TEST(Law, RandomisingIsDeterministicAndKeepsWithinTheSpread) {
  Law a = load_law("orin-nano").law, b = a;
  const double before = a.engines[0].pj_mac;
  a.randomise(42, 0.3);
  b.randomise(42, 0.3);
  EXPECT_EQ(a.engines[0].pj_mac, b.engines[0].pj_mac);
  EXPECT_NE(a.engines[0].pj_mac, before);
  EXPECT_NEAR(a.engines[0].pj_mac / before, 1, 0.3);
}

TEST(LiveBoard, RailsShowIdleAndWork) {
  BoardLaw law = law_of(kPlain);
  LiveBoard board(law, 1);
  board.idle(kSecond);
  const double idle_w = 0.1 + 0.3 + 0.4 + 0.2;
  const std::int64_t begin = board.now_ns();
  board.run({matrix(64, 64, 64)}, 100, 0, 0);
  const double seconds = static_cast<double>(board.now_ns() - begin) * 1e-9;
  const Cost cost = law.law.cost(matrix(64, 64, 64), 0, 0);
  EXPECT_NEAR(seconds, 100 * cost.seconds + 300e-6, 1e-5) << "with the wake-up's time";
  board.idle(kSecond);
  // The chip integrates what the rail did: half a second of idle in the middle of the first second.
  std::array<std::uint8_t, 2> bytes{};
  std::array<std::uint8_t, 1> reg{0x01};
  ASSERT_EQ(board.bus().transfer(0x40, reg, bytes, begin - kSecond / 2), BusStatus::kOk);
  const double shunt_v = static_cast<double>(bytes[0] << 8 | bytes[1]) * 2.5e-6;
  EXPECT_NEAR(shunt_v / 0.01 * 5, idle_w, 0.002);
}

TEST(LiveBoard, WakingUpCostsWhatTheEngineSaysAndOnlyBehindAPause) {
  std::string text = kPlain;
  text.replace(text.find("wake_uj=0"), 9, "wake_uj=500 wake_us=400");
  LiveBoard board(law_of(text), 1);
  const std::vector<LawOp> op{matrix(64, 64, 64)};
  const auto time_of = [&] {
    const std::int64_t begin = board.now_ns();
    board.run(op, 1, 0, 0);
    return board.now_ns() - begin;
  };
  board.idle(kSecond);
  const std::int64_t first = time_of(), second = time_of();
  EXPECT_EQ(first - second, 400'000);
  board.idle(kSecond);
  EXPECT_EQ(time_of(), first);
}

TEST(LiveBoard, HeatsUpAndLeaks) {
  std::string text = kPlain;
  text += "thermal ambient_c=20 k_per_w=20 seconds=1 leak_w=0.1 leak_per_k=0.02\n";
  LiveBoard board(law_of(text), 1);
  const double cool = board.take_state().temperature_c;
  board.run({matrix(256, 256, 256)}, 100, 0, 0);
  EXPECT_GT(board.take_state().temperature_c, cool + 5);
}

TEST(LiveBoard, FaultsBeginAndEndOnTime) {
  std::string text = kPlain;
  text += "fault rail at_s=1 for_s=1\nfault throttle at_s=3 for_s=1\nfault others at_s=5 for_s=0.5\n";
  LiveBoard board(law_of(text), 1);
  std::array<std::uint8_t, 2> bytes{};
  std::array<std::uint8_t, 1> reg{0x00};
  const auto answers = [&] { return board.bus().transfer(0x40, reg, bytes, board.now_ns()) == BusStatus::kOk; };
  EXPECT_TRUE(answers());
  board.idle(kSecond + kSecond / 2);
  EXPECT_FALSE(answers());
  board.idle(kSecond);
  EXPECT_TRUE(answers());
  EXPECT_FALSE(board.take_state().throttled);
  board.idle(kSecond);
  EXPECT_TRUE(board.take_state().throttled);
  board.idle(3 * kSecond);
  EXPECT_NEAR(board.take_state().other_load_s, 0.5, 0.01);
}

TEST(LawFile, SaysWhereAndWhatIsWrong) {
  const auto error = [](const std::string& text) {
    try {
      (void)law_of(text);
    } catch (const BoardError& problem) {
      return std::string(problem.what());
    }
    return std::string("none");
  };
  EXPECT_EQ(error(kPlain), "none");
  EXPECT_EQ(error(std::string(kPlain) + "engine gpu pj_mac=-1\n"), "test:10: pj_mac must not be negative");
  EXPECT_NE(error(std::string(kPlain) + "behaviour sometimes\n").find("use switches, cache"), std::string::npos);
  EXPECT_NE(error(std::string(kPlain) + "weather sunny\n").find("'weather' is unknown"), std::string::npos);
  EXPECT_NE(error("engine cpu\npoint x\nchip 0x40 ina226\n").find("no rail is marked total"), std::string::npos);
  EXPECT_NE(error(std::string(kPlain) + "rail OUT total of=soc\n").find("no channel measures the rail OUT"),
            std::string::npos);
}

}  // namespace
}  // namespace edgejoule::emulated_board
