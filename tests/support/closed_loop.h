// What closing the loop takes, whichever way the board is measured: a board with a hidden law, networks nobody
// calibrates on, and the table scored against the truth, which no part of the calibration has seen.
//
// Units: errors are relative, of joules.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "calibration/machine.h"
#include "calibration/session.h"
#include "emulated_board/live_board.h"
#include "fit/fit_table.h"

namespace edgejoule::test {

struct HiddenBoard {
  const char* name;
  std::string behaviour;  // "": a law that a table can express
  int averages = 1, shunt_uohm = 5'000;
  const char* engine = "";  // "": the first
  const char* point = "";
};

struct Score {
  double shapes = 0, networks = 0;  // medians
  double naive = 0;                 // median over the same shapes and networks, one pass, all rails summed
  double inside = 0;                // share of 90 % intervals that hold the truth
  double measured_inside = 0;       // share that hold what was measured, which is what they are made to do
  double networks_inside = 0;       // the same, of networks alone
  double blocks = 0;                // median error of what was measured
  double worst_coefficient = 0;     // of those that can be told apart
  std::size_t rows = 0;
  int compared = 0;  // coefficients
};

// An Orin Nano's rails behind its INA3221; every cost of the law is drawn from the seed.
[[nodiscard]] emulated_board::BoardLaw hidden_law(const HiddenBoard& board, std::uint64_t seed);

[[nodiscard]] std::vector<calibration::Network> unseen_networks(int threads);

// Fits a table to what the session measured and prices with it what was held out, through the core. The machine must
// know its truth. Fails the test where something has no price. `fitted` may be null.
[[nodiscard]] Score score(calibration::Machine& machine, const calibration::Session& session,
                          fit::FittedTable* fitted = nullptr);

void print(const HiddenBoard& board, std::uint64_t seed, const Score& score);

}  // namespace edgejoule::test
