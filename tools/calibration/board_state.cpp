#include "calibration/board_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <optional>
#include <sstream>
#include <utility>

#include "calibration/kernel_files.h"

namespace edgejoule::calibration {
namespace {

namespace fs = std::filesystem;

bool holds_any(const std::string& text, std::initializer_list<std::string_view> words) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

void list(std::string& all, const std::string& one) {
  if (!one.empty()) all += (all.empty() ? "" : ", ") + one;
}

// The name of NVIDIA's power mode: its number from the status, its name from the configuration.
std::string power_mode(const fs::path& root) {
  const std::string status = text_of(root / "var/lib/nvpmodel/status");
  const std::size_t colon = status.find(':');
  if (colon == std::string::npos) return {};
  int number = 0;
  const char* const begin = status.data() + colon + 1;
  if (std::from_chars(begin, status.data() + status.size(), number).ec != std::errc()) return {};
  std::ifstream configuration(root / "etc/nvpmodel.conf");
  const std::string wanted = fmt::format("ID={} ", number);
  for (std::string line; std::getline(configuration, line);) {
    const std::size_t name = line.find("NAME=");
    if (line.find("POWER_MODEL") == std::string::npos || line.find(wanted) == std::string::npos ||
        name == std::string::npos) {
      continue;
    }
    std::istringstream rest(line.substr(name + 5));
    std::string word;
    rest >> word;
    return word;
  }
  return fmt::format("mode {}", number);
}

void read_cpu(const fs::path& root, MachineState& state) {
  std::vector<std::string> governors;
  std::vector<std::pair<std::string, int>> idle_states;  // and how many processors may use it
  int processors_with_idle = 0;
  for (const fs::path& cpu : processors(root)) {
    if (const auto khz = number_of(cpu / "cpufreq/scaling_cur_freq")) {
      state.cpu_mhz = std::max(state.cpu_mhz, *khz / 1e3);
    }
    const std::string governor = text_of(cpu / "cpufreq/scaling_governor");
    if (std::find(governors.begin(), governors.end(), governor) == governors.end()) {
      governors.push_back(governor);
      list(state.governor, governor);
    }
    const std::vector<fs::path> all = entries(cpu / "cpuidle", "state");
    processors_with_idle += all.empty() ? 0 : 1;
    for (const fs::path& idle : all) {
      const std::string name = text_of(idle / "name");
      auto known = std::find_if(idle_states.begin(), idle_states.end(), [&](const auto& s) { return s.first == name; });
      if (known == idle_states.end()) known = idle_states.insert(idle_states.end(), {name, 0});
      if (number_of(idle / "disable").value_or(0) == 0) ++known->second;
    }
  }
  for (const auto& [name, count] : idle_states) {
    if (count == 0) continue;
    list(state.cpuidle, count == processors_with_idle
                            ? name
                            : fmt::format("{} (on {} of {} processors)", name, count, processors_with_idle));
  }
}

// A GPU scaled by devfreq: 57000000.gpu, 17000000.gp10b, .gv11b, .ga10b, .gpu, gpu-gpc-0 on Jetsons.
std::optional<fs::path> gpu_of(const fs::path& root) {
  for (const fs::path& device : entries(root / "sys/class/devfreq", "")) {
    if (holds_any(device.filename().string(), {"gpu", "gp10b", "gv11b", "ga10b", "mali"})) return device;
  }
  return std::nullopt;
}

// Whether the GPU's rail goes off while it is idle: NVIDIA's switch, else runtime power management's.
std::string rail_gating(const fs::path& device) {
  std::optional<bool> gates;
  if (const auto enabled = number_of(device / "railgate_enable")) {
    gates = *enabled != 0;
  } else if (const std::string control = text_of(device / "power/control"); control == "auto" || control == "on") {
    gates = control == "auto";
  }
  if (!gates) return {};
  if (!*gates) return "off";
  const auto delay_ms = number_of(device / "power/autosuspend_delay_ms");
  return delay_ms && *delay_ms > 0 ? fmt::format("on after {:.0f} ms", *delay_ms) : "on";
}

void read_gpu(const fs::path& root, MachineState& state) {
  const std::optional<fs::path> gpu = gpu_of(root);
  const fs::path by_its_alias = root / "sys/devices/gpu.0";  // of NVIDIA's kernels
  if (gpu) {
    if (const auto hertz = number_of(*gpu / "cur_freq")) state.gpu_mhz = *hertz / 1e6;
    if (const std::string governor = text_of(*gpu / "governor"); !governor.empty()) {
      list(state.governor, "GPU " + governor);
    }
    state.rail_gating = rail_gating(*gpu / "device");
  }
  if (state.rail_gating.empty()) state.rail_gating = rail_gating(by_its_alias);
  std::error_code error;
  if (state.rail_gating.empty() && (gpu || fs::exists(by_its_alias, error))) {
    state.unknown.emplace_back(
        "the GPU's rail gating (neither railgate_enable nor power/control below its device): whether idle has its "
        "leakage in it, and a change of that, would go unnoticed");
  }
}

void read_memory(const fs::path& root, MachineState& state) {
  std::vector<fs::path> places{root / "sys/kernel/debug/bpmp/debug/clk/emc/rate",    // Tegra186 and later
                               root / "sys/kernel/debug/clk/override.emc/clk_rate",  // Tegra210, kernel 4.9
                               root / "sys/kernel/debug/clk/emc/clk_rate",           // others of that kernel
                               root / "sys/kernel/debug/clock/emc/rate"};            // before it
  for (const fs::path& device : entries(root / "sys/class/devfreq", "")) {           // Thor's bwmgr, mainline's
    if (holds_any(device.filename().string(), {"bwmgr", "emc", "dmc"})) places.push_back(device / "cur_freq");
  }
  for (const fs::path& place : places) {
    if (const auto hertz = number_of(place); hertz && *hertz > 0) {
      state.memory_mhz = *hertz / 1e6;
      return;
    }
  }
  state.unknown.emplace_back("the memory clock (debugfs, readable by root on a Jetson)");
}

void read_temperatures(const fs::path& root, MachineState& state) {
  constexpr double kNoneBelow = -100;  // a sensor that is off says -256
  for (const fs::path& zone : entries(root / "sys/class/thermal", "thermal_zone")) {
    const std::string type = text_of(zone / "type");
    if (type == "PMIC-Die") continue;  // 100 degrees all the time on Tegra210 and 186: an alarm's threshold
    const auto milli = number_of(zone / "temp");
    if (milli && *milli / 1e3 > kNoneBelow) state.temperatures.push_back({type, *milli / 1e3});
  }
  std::sort(state.temperatures.begin(), state.temperatures.end(),
            [](const auto& a, const auto& b) { return a.celsius > b.celsius; });
  if (state.temperatures.empty()) state.unknown.emplace_back("temperatures (no thermal zones)");
}

void read_fan(const fs::path& root, MachineState& state) {
  const auto add = [&](const std::optional<double>& pwm) {
    if (pwm) list(state.fan, fmt::format("{:.0f} of 255", *pwm));
    return pwm.has_value();
  };
  for (const fs::path& device : entries(root / "sys/class/hwmon", "hwmon")) {
    if (!add(number_of(device / "pwm1"))) (void)add(number_of(device / "cur_pwm"));
  }
  if (state.fan.empty()) (void)add(number_of(root / "sys/devices/pwm-fan/cur_pwm"));
  if (!state.fan.empty()) return;
  for (const fs::path& device : entries(root / "sys/class/thermal", "cooling_device")) {
    if (!holds_any(text_of(device / "type"), {"fan"})) continue;
    const auto now = number_of(device / "cur_state"), most = number_of(device / "max_state");
    if (now && most) list(state.fan, fmt::format("step {:.0f} of {:.0f}", *now, *most));
  }
}

// What slows the board down now, and how often something did since the kernel started.
void read_throttling(const fs::path& root, MachineState& state) {
  bool any = false, counts_current = false;
  const auto happened = [&](double times) {
    state.slow_downs = std::max<std::int64_t>(0, state.slow_downs) + static_cast<std::int64_t>(times);
  };
  for (const fs::path& device : entries(root / "sys/class/thermal", "cooling_device")) {
    const std::string type = text_of(device / "type");
    if (!holds_any(type, {"cpu", "gpu", "devfreq", "throttle", "processor", "balanced", "heavy"})) continue;
    any = true;
    if (number_of(device / "cur_state").value_or(0) > 0) state.throttled = true;
    if (const auto changes = number_of(device / "stats/total_trans")) happened(*changes);
  }
  for (const fs::path& cpu : processors(root)) {
    if (const auto times = number_of(cpu / "thermal_throttle/core_throttle_count")) {
      any = true;
      happened(*times);
    }
  }
  for (const fs::path& device : entries(root / "sys/class/hwmon", "hwmon")) {
    for (const fs::path& counter : entries(device, "oc")) {
      const std::string name = counter.filename().string();
      constexpr std::string_view kCount = "_event_cnt";
      if (!name.ends_with(kCount)) continue;
      const std::string which = name.substr(0, name.size() - kCount.size());
      const auto times = number_of(counter);
      if (!times || number_of(device / (which + "_throt_en")).value_or(1) == 0) continue;
      counts_current = true;
      happened(*times);
    }
    if (text_of(device / "name").starts_with("ina")) continue;
    for (const char* kind : {"in", "curr"}) {
      for (const fs::path& alarm : entries(device, kind)) {
        if (alarm.filename().string().ends_with("crit_alarm") && number_of(alarm).value_or(0) > 0) {
          state.throttled = true;
        }
      }
    }
  }
  if (!any) {
    state.unknown.emplace_back("throttling by heat (no cooling devices): it would show in the run times alone");
  }
  if (!state.power_mode.empty() && !counts_current) {  // a Jetson
    state.unknown.emplace_back(
        "throttling by the supply (no oc*_event_cnt in this kernel): it would show in the run times, and in dmesg as "
        "'OC ALARM'");
  }
}

}  // namespace

MachineState read_state(const std::string& root_text) {
  const fs::path root = root_text.empty() ? "/" : root_text;
  MachineState state;
  state.power_mode = power_mode(root);
  if (state.power_mode.empty()) state.unknown.emplace_back("the power mode (no /var/lib/nvpmodel/status)");
  read_cpu(root, state);
  if (state.cpu_mhz < 0) state.unknown.emplace_back("the CPU clock (no cpufreq): a change of it would go unnoticed");
  read_gpu(root, state);
  read_memory(root, state);
  read_temperatures(root, state);
  read_fan(root, state);
  read_throttling(root, state);
  return state;
}

}  // namespace edgejoule::calibration
