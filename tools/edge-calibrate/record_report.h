// What record shows: live lines on a terminal while it runs, the summary at its end.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "capture/recorder.h"

namespace edgejoule::calibrate {

class LiveView {
 public:
  // Silent unless `out` is a terminal.
  explicit LiveView(std::FILE* out);
  // At most twice a second.
  void show(const capture::Recorder& recorder, std::int64_t now_ns);
  // Takes the lines away, so that what follows starts clean.
  void clear();

 private:
  std::FILE* out_;
  bool terminal_;
  std::size_t lines_ = 0;
  std::int64_t shown_ns_ = 0;
  std::vector<std::uint64_t> conversions_;
};

// Energy per rail, and everything a reader of those figures must know.
[[nodiscard]] std::string summary_text(const capture::Recorder& recorder, const std::string& total_description,
                                       std::int64_t now_ns, bool colour);

}  // namespace edgejoule::calibrate
