// Comma-separated text (RFC 4180) with a header row and "# key: value" lines above it.
//
// Errors: MeasurementError naming file and line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace edgejoule::measurements {

class Csv {
 public:
  // `file_name` is for messages.
  Csv(std::string_view text, std::string file_name);

  struct Entry {
    std::string key;
    std::string value;
  };
  struct Row {
    std::size_t line = 0;
    std::vector<std::string> cells;
  };

  [[nodiscard]] const std::vector<Entry>& preamble() const { return preamble_; }
  [[nodiscard]] const std::vector<std::string>& header() const { return header_; }
  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }
  [[nodiscard]] std::optional<std::size_t> column(std::string_view name) const;
  // Throws where the column is missing, listing those there are.
  [[nodiscard]] std::size_t required_column(std::string_view name) const;

  [[nodiscard]] std::string place(const Row& row) const;  // "file:line"
  // Throw naming place and column unless the cell is a finite number (a whole one).
  [[nodiscard]] double number(const Row& row, std::size_t column) const;
  [[nodiscard]] std::uint64_t whole_number(const Row& row, std::size_t column) const;
  // Finite and not below zero.
  [[nodiscard]] double amount(const Row& row, std::size_t column) const;

  // Throws where `column` looks like energy_j or time_s in another unit, saying the factor.
  void refuse_unit(std::string_view column) const;

 private:
  std::string file_name_;
  std::vector<Entry> preamble_;
  std::vector<std::string> header_;
  std::vector<Row> rows_;
};

// The whole text as a finite number, or nothing.
[[nodiscard]] std::optional<double> finite_number(std::string_view text);

}  // namespace edgejoule::measurements
