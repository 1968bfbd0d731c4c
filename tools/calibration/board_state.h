// What a machine's joules depend on besides the work, from sysfs and procfs: the kernels of JetPack 4 (4.9) to 7, and
// mainline's.
//
// What cannot be read here is said in MachineState::unknown instead of being guessed. Nothing is written, and no file
// of an INA chip is read: its alarm bits end with the reading, and they may hold a line that throttles the board.
// Sources: the kernel's ABI/testing/sysfs-class-{devfreq,thermal,hwmon} and sysfs-devices-power; NVIDIA's jetson_clocks
// (which paths it saves and sets per SoC), nvgpu's sysfs.c (railgate_enable, and 500 ms until the rail goes off),
// tegra23x-oc-event.c (oc*_event_cnt), pwm_fan.c of L4T 32 (cur_pwm); jetson_stats reads the same files.
#pragma once

#include <string>

#include "calibration/machine.h"

namespace edgejoule::calibration {

// Of a machine whose files lie below `root`; other_load is left to whoever has two instants to compare.
[[nodiscard]] MachineState read_state(const std::string& root);

}  // namespace edgejoule::calibration
