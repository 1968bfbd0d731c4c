// Small files of /sys and /proc, and folders of numbered things.
//
// Errors: none; what cannot be read is empty.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace edgejoule::calibration {

// Without the white space at its end.
[[nodiscard]] std::string text_of(const std::filesystem::path& path);
[[nodiscard]] std::optional<double> number_of(const std::filesystem::path& path);
// Whose names begin with `prefix`, in the order of their names.
[[nodiscard]] std::vector<std::filesystem::path> entries(const std::filesystem::path& folder, std::string_view prefix);
[[nodiscard]] std::vector<std::filesystem::path> processors(const std::filesystem::path& root);

}  // namespace edgejoule::calibration
