#include "calibration/real_board.h"

#include <fmt/format.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "calibration/board_state.h"
#include "calibration/kernel_files.h"
#include "edgejoule/linux/monotonic.h"
#include "schemas/board_generated.h"

namespace edgejoule::calibration {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kPumpEveryNs = 20'000'000;

std::uint64_t size_of(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return 0;
  const char unit = end < text.data() + text.size() ? *end : '\0';
  return unit == 'K' ? value << 10U : unit == 'M' ? value << 20U : value;
}

// Of the first processor, by level; instruction caches left away.
void read_caches(const fs::path& root, MachineFacts& facts) {
  const auto cpus = processors(root);
  if (cpus.empty()) return;
  for (const fs::path& cache : entries(cpus.front() / "cache", "index")) {
    if (text_of(cache / "type") == "Instruction") continue;
    const std::uint64_t bytes = size_of(text_of(cache / "size"));
    const auto level = number_of(cache / "level").value_or(0);
    if (level == 1) facts.l1_bytes = bytes;
    if (level == 2) facts.l2_bytes = bytes;
    facts.last_level_bytes = std::max(facts.last_level_bytes, bytes);
  }
}

std::uint64_t available_memory(const fs::path& root) {
  std::ifstream file(root / "proc/meminfo");
  std::string key;
  std::uint64_t kilobytes = 0;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    if (words >> key >> kilobytes && key == "MemAvailable:") return kilobytes << 10U;
  }
  return 0;
}

int usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

}  // namespace

RealBoard::RealBoard(const capture::Discovery& found, const capture::RecorderOptions& options, std::string root)
    : root_(std::move(root)), recorder_(found, options) {
  describe(found);
  recorder_.start();
  for (const RailFacts& rail : facts_.rails) silence_.emplace_back(monotonic_ns(), rail.cycle_ns);
  (void)other_load();
}

void RealBoard::describe(const capture::Discovery& found) {
  const fs::path root = root_.empty() ? "/" : root_;
  facts_.board = found.board ? found.board->name : found.compatible.empty() ? "unknown board" : found.compatible;
  facts_.compatible = found.compatible;
  facts_.os_release = found.os_release;
  facts_.cores = usable_processors();
  read_caches(root, facts_);
  constexpr std::uint64_t kUsualCache = 2U << 20U;  // where the machine does not say
  if (facts_.last_level_bytes == 0) facts_.last_level_bytes = kUsualCache;
  const std::uint64_t memory = available_memory(root);
  facts_.memory_bytes = memory > 0 ? memory / 2 : 512U << 20U;
  facts_.boundary = BoundaryKind::kRails;
  facts_.boundary_description = found.total_description;
  facts_.source = "this board, kernel " + found.kernel;
  for (const capture::FoundRail& rail : recorder_.rails()) {
    facts_.rails.push_back({rail.label, rail.in_total, rail.info.chip, rail.info.shunt_uohm, rail.quantum_uw(),
                            rail.info.cycle_ns, rail.info.averages});
  }
}

std::int64_t RealBoard::now_ns() {
  return monotonic_ns();
}

void RealBoard::idle(std::int64_t ns) {
  const std::int64_t until_ns = monotonic_ns() + ns;
  for (std::int64_t now = monotonic_ns(); now < until_ns; now = monotonic_ns()) {
    const std::int64_t part = std::min(kPumpEveryNs, until_ns - now);
    const timespec wait{part / 1'000'000'000, part % 1'000'000'000};
    (void)::nanosleep(&wait, nullptr);
    look();
  }
}

void RealBoard::look() {
  recorder_.pump();
  const std::int64_t now = monotonic_ns();
  for (std::size_t i = 0; i < silence_.size(); ++i) silence_[i].look(now, recorder_.last_sample(i).t_mono_ns);
}

std::vector<PowerSample> RealBoard::take_samples() {
  look();
  return recorder_.take_samples();
}

// Processors that others kept busy since the last call: all that were busy, less this program and the commands it ran
// and waited for.
double RealBoard::other_load() {
  const fs::path root = root_.empty() ? "/" : root_;
  const auto ticks_of = [](const std::string& line, std::initializer_list<int> fields) {
    std::istringstream words(line);
    std::string word;
    std::int64_t sum = 0;
    for (int i = 0; words >> word; ++i) {
      if (std::find(fields.begin(), fields.end(), i) == fields.end()) continue;
      std::int64_t ticks = 0;
      (void)std::from_chars(word.data(), word.data() + word.size(), ticks);
      sum += ticks;
    }
    return sum;
  };
  std::ifstream all_file(root / "proc/stat");
  std::string all_line;
  if (!std::getline(all_file, all_line)) return -1;
  // user, nice, system, irq, softirq
  const std::int64_t all = ticks_of(all_line, {1, 2, 3, 6, 7});
  std::string own_line = text_of(root / "proc/self/stat");
  const std::size_t name_end = own_line.rfind(')');  // the name may hold blanks
  if (name_end == std::string::npos) return -1;
  const std::int64_t own = ticks_of(own_line.substr(name_end + 1), {11, 12, 13, 14});  // utime, stime, cutime, cstime
  const std::int64_t now = monotonic_ns();
  double load = 0;
  if (last_load_ns_ != 0) {
    const double seconds = static_cast<double>(now - last_load_ns_) * 1e-9;
    const auto per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
    const std::int64_t others = (all - last_all_ticks_) - (own - last_own_ticks_);
    // The counters run in ticks of 10 ms: the last ones may belong to either side.
    constexpr std::int64_t kTicksInDoubt = 3;
    load = static_cast<double>(std::max<std::int64_t>(0, others - kTicksInDoubt)) / per_second / seconds;
  }
  last_load_ns_ = now;
  last_all_ticks_ = all;
  last_own_ticks_ = own;
  return load;
}

MachineState RealBoard::state() {
  MachineState state = read_state(root_);
  if (slow_downs_ >= 0 && state.slow_downs > slow_downs_) state.throttled = true;
  slow_downs_ = state.slow_downs;
  state.other_load = other_load();
  if (state.other_load < 0) state.unknown.emplace_back("what other programs do (no /proc/stat)");
  return state;
}

std::optional<std::string> RealBoard::rail_problem() {
  look();
  for (std::size_t i = 0; i < silence_.size(); ++i) {
    if (!facts_.rails[i].in_total || !silence_[i].lost()) continue;
    const std::optional<Error> failure = recorder_.failure(i);
    return fmt::format("the rail {} has not answered for {:.1f} s ({}); edge-calibrate probe says what is wrong",
                       facts_.rails[i].label, static_cast<double>(silence_[i].silent_ns()) * 1e-9,
                       failure ? error_text(*failure) : "its sensor gives no new conversion");
  }
  return std::nullopt;
}

}  // namespace edgejoule::calibration
