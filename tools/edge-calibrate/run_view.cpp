#include "run_view.h"

#include <errno.h>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <ctime>
#include <stdexcept>

#include "edgejoule/linux/monotonic.h"
#include "text/columns.h"
#include "text/escape.h"
#include "text/quantity_text.h"
#include "text/terminal.h"

namespace edgejoule::calibrate {
namespace {

using calibration::Block;
using text::printable;

constexpr std::int64_t kRedrawEveryNs = 100'000'000;

std::string block_text(const Block& block) {
  if (!block.problem.empty()) return fmt::format("again: {}", printable(block.problem));
  return fmt::format("{} ± {:.1f} %, {}", text::si(block.joules, "J"), 100 * block.relative_error(),
                     text::si(block.seconds, "s"));
}

std::string count_text(std::size_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

bool is_all_there_is(const calibration::Session& session) {
  return session.plan().size() >= session.candidates().size() + session.networks().size();
}

std::string time_text(double seconds) {
  const long whole = std::lround(std::max(0.0, seconds));
  if (whole >= 3600) return fmt::format("{}h{:02}m", whole / 3600, whole / 60 % 60);
  return whole >= 60 ? fmt::format("{}m{:02}s", whole / 60, whole % 60) : fmt::format("{}s", whole);
}

std::string budget_text(double seconds) {
  const long whole = std::lround(std::ceil(seconds));
  if (whole % 3600 == 0) return fmt::format("{}h", whole / 3600);
  return whole % 60 == 0 ? fmt::format("{}m", whole / 60) : fmt::format("{}s", whole);
}

RunView::RunView(const std::string& log) : terminal_(text::is_terminal(stderr)) {
  if (log.empty()) return;
  log_ = std::fopen(log.c_str(), "ae");
  if (log_ == nullptr) {
    throw std::runtime_error(fmt::format("--log {}: {}; choose another place", printable(log), std::strerror(errno)));
  }
}

RunView::~RunView() {
  if (log_ != nullptr) std::fclose(log_);
}

void RunView::log(const std::string& text) {
  if (log_ == nullptr) return;
  const std::time_t now = std::time(nullptr);
  fmt::print(log_, "{:%Y-%m-%dT%H:%M:%SZ} {}\n", fmt::gmtime(now), text);
  std::fflush(log_);
}

void RunView::clear() {
  if (line_shown_) fmt::print(stderr, "\r\033[K");
  line_shown_ = false;
}

void RunView::say(const std::string& text) {
  clear();
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    fmt::print(stderr, "{}\n", line);
    log(line);
    at = end + 1;
  }
}

void RunView::begin(const calibration::MachineFacts& facts, const calibration::Session& session,
                    const calibration::SessionOptions& options) {
  say(fmt::format("board     {}{}", printable(facts.board), facts.emulated ? "  (emulated, in virtual time)" : ""));
  for (const calibration::RailFacts& rail : facts.rails) {
    std::string line = fmt::format("rail      {}: {}", printable(rail.label), printable(rail.chip));
    if (rail.shunt_uohm > 0) line += fmt::format(", {:g} mOhm", rail.shunt_uohm / 1e3);
    if (rail.quantum_uw > 0)
      line += fmt::format(", steps of {}", text::si(static_cast<double>(rail.quantum_uw) * 1e-6, "W"));
    if (rail.cycle_ns > 0) line += fmt::format(", every {:.1f} ms", rail.cycle_ns / 1e6);
    if (rail.averages > 1) line += fmt::format(", averaging {}", rail.averages);
    say(line + (rail.in_total ? "  (in the total)" : ""));
  }
  say(fmt::format("engine    {}, {} thread{}, last-level cache {}", printable(facts.engine), options.threads,
                  options.threads == 1 ? "" : "s", text::bytes(facts.last_level_bytes)));
  double expected = 0;
  std::size_t measured = 0;
  const auto keys = session.expected();
  for (const calibration::KeyUncertainty& key : keys) {
    if (key.measured == 0) continue;
    expected += key.relative_error;
    ++measured;
  }
  say(fmt::format("plan      {} in {} of {}; expected error of a prediction then {:.1f} %, from measuring alone",
                  count_text(session.plan().size(), "block"), time_text(session.planned_seconds()),
                  time_text(options.budget_s), measured == 0 ? 100.0 : 100 * expected / static_cast<double>(measured)));
  if (measured < keys.size()) {
    say(fmt::format(
        "          {} of {} kinds of work, the most important; more time (--budget) measures the others, too", measured,
        keys.size()));
  }
  if (is_all_there_is(session)) {
    say("          this is all there is to measure: more time changes nothing, a smaller --target does");
  }
}

void RunView::state(const calibration::MachineState& state) {
  // Where nvpmodel has no name for a mode it is "mode 0".
  const std::string& mode = state.power_mode;
  std::string line = mode.starts_with("mode ")
                         ? "state     power " + printable(mode)
                         : fmt::format("state     power mode {}", mode.empty() ? "unknown" : printable(mode));
  if (state.cpu_mhz > 0) line += fmt::format(", CPU {:.0f} MHz", state.cpu_mhz);
  if (state.gpu_mhz > 0) line += fmt::format(", GPU {:.0f} MHz", state.gpu_mhz);
  if (state.memory_mhz > 0) line += fmt::format(", memory {:.0f} MHz", state.memory_mhz);
  if (!state.governor.empty()) line += fmt::format(", governor {}", printable(state.governor));
  if (!state.rail_gating.empty()) line += fmt::format(", rail gating {}", printable(state.rail_gating));
  if (!state.temperatures.empty()) line += fmt::format(", {:.0f} degrees", state.temperatures.front().celsius);
  say(line);
  for (const std::string& unknown : state.unknown) say("          not known: " + printable(unknown));
}

void RunView::show(const calibration::Progress& progress) {
  if (progress.block != nullptr) {
    log(fmt::format("{}/{} {} left: {} {}", progress.done, progress.planned, time_text(progress.seconds_left),
                    progress.doing, block_text(*progress.block)));
  }
  if (!terminal_) return;
  const std::int64_t now = monotonic_ns();
  if (line_shown_ && now - shown_ns_ < kRedrawEveryNs) return;
  shown_ns_ = now;
  clear();
  std::string line =
      fmt::format("{}/{}  {} left  ± {:.1f} %  {}", progress.done, progress.planned, time_text(progress.seconds_left),
                  100 * progress.expected_error, printable(progress.doing));
  if (progress.block != nullptr) line += "  " + block_text(*progress.block);
  fmt::print(stderr, "{}", text::shorten(line, static_cast<std::size_t>(text::terminal_width(stderr, 100) - 1)));
  std::fflush(stderr);
  line_shown_ = true;
}

void RunView::warn(const calibration::Session::Outcome& outcome) {
  for (; warnings_said_ < outcome.warnings.size(); ++warnings_said_) {
    say("warning   " + printable(outcome.warnings[warnings_said_]));
  }
}

void RunView::end(const calibration::Session& session) {
  const calibration::Session::Outcome& outcome = session.outcome();
  clear();
  warn(outcome);
  if (outcome.repeated > 0 || outcome.given_up > 0) {
    say(fmt::format("repeated  {}; {} stayed bad and {} left out", count_text(outcome.repeated, "block"),
                    outcome.given_up, outcome.given_up == 1 ? "was" : "were"));
  }
  if (outcome.interrupted) say("ended     because you asked for it");
  if (!outcome.fault.empty()) say("ended     because " + printable(outcome.fault));
}

namespace {

const char* use_of(calibration::Measured::Role role) {
  switch (role) {
    case calibration::Measured::Role::kFit: return "the fit";
    case calibration::Measured::Role::kSpreadNetwork: return "the intervals";
    default: return "validation";
  }
}

}  // namespace

std::string plan_text(const calibration::Session& session) {
  text::Columns kinds({"kind", "coefficients", "shapes", "expected error"},
                      {text::Align::kLeft, text::Align::kRight, text::Align::kRight, text::Align::kRight});
  for (const calibration::KeyUncertainty& key : session.expected()) {
    kinds.add({{calibration::text_of(key.key)},
               {std::to_string(key.coefficients)},
               {std::to_string(key.measured)},
               {key.measured == 0 ? "-" : fmt::format("{:.1f} %", 100 * key.relative_error)}});
  }
  text::Columns order({"", "what", "for"}, {text::Align::kRight, text::Align::kLeft, text::Align::kLeft});
  std::size_t number = 0;
  for (const calibration::Session::Step& step : session.plan()) {
    order.add({{std::to_string(++number)}, {printable(session.name_of(step))}, {use_of(step.role)}});
  }
  return kinds.render(false) + "\n" + order.render(false);
}

}  // namespace edgejoule::calibrate
