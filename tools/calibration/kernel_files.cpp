#include "calibration/kernel_files.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <fstream>
#include <iterator>

namespace edgejoule::calibration {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.pop_back();
  return text;
}

std::optional<double> number_of(const fs::path& path) {
  const std::string text = text_of(path);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

std::vector<fs::path> entries(const fs::path& folder, std::string_view prefix) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().filename().string().starts_with(prefix)) found.push_back(at->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<fs::path> processors(const fs::path& root) {
  std::vector<fs::path> found = entries(root / "sys/devices/system/cpu", "cpu");
  std::erase_if(found, [](const fs::path& path) {
    const std::string name = path.filename().string();
    return name.size() < 4 ||
           !std::all_of(name.begin() + 3, name.end(), [](unsigned char c) { return std::isdigit(c); });
  });
  return found;
}

}  // namespace edgejoule::calibration
