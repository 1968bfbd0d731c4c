// What a calibration knows of a machine beside its rows, written into the table it fitted: operating point, caches,
// wake-up, sensors, how it was measured.
//
// Errors: std::logic_error where core would refuse the result.
#pragma once

#include "calibration/session.h"
#include "files/file_bytes.h"

namespace edgejoule::calibration {

[[nodiscard]] files::FileBytes with_machine(const files::FileBytes& table, const MachineFacts& facts,
                                            const Session& session);
// `ended`: why it ended early, a sentence; "" where it did not.
[[nodiscard]] files::FileBytes with_machine(const files::FileBytes& table, const MachineFacts& facts,
                                            const MachineState& state, const std::optional<WakeUp>& wake,
                                            const std::string& ended);

}  // namespace edgejoule::calibration
