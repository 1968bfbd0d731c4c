#include "measurements/csv.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "measurements/measurement_set.h"
#include "text/escape.h"

namespace edgejoule::measurements {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// Takes records off the front of a text, counting lines.
class CellReader {
 public:
  CellReader(std::string_view text, const std::string& file_name) : rest_(text), file_name_(file_name) {}

  [[nodiscard]] bool done() const { return rest_.empty(); }
  [[nodiscard]] std::size_t line() const { return line_; }

  [[nodiscard]] std::string_view peek_line() const { return trimmed(rest_.substr(0, rest_.find('\n'))); }

  void skip_line() {
    const std::size_t end = rest_.find('\n');
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    ++line_;
  }

  // One record; a quoted cell may hold commas, quotes and line ends.
  std::vector<std::string> record() {
    std::vector<std::string> cells;
    for (;;) {
      cells.push_back(cell());
      if (rest_.empty()) return cells;
      const char next = rest_.front();
      rest_.remove_prefix(1);
      if (next == '\n') {
        ++line_;
        return cells;
      }
    }
  }

 private:
  std::string cell() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size()));
    if (rest_.empty() || rest_.front() != '"') {
      const std::size_t end = std::min(rest_.find_first_of(",\n"), rest_.size());
      std::string text(trimmed(rest_.substr(0, end)));
      rest_.remove_prefix(end);
      return text;
    }
    return quoted_cell();
  }

  std::string quoted_cell() {
    const std::size_t opened_at = line_;
    std::string text;
    rest_.remove_prefix(1);
    for (;;) {
      const std::size_t quote = rest_.find('"');
      if (quote == std::string_view::npos) {
        throw MeasurementError(fmt::format("{}:{}: a quoted cell is never closed", file_name_, opened_at));
      }
      const std::string_view part = rest_.substr(0, quote);
      line_ += static_cast<std::size_t>(std::count(part.begin(), part.end(), '\n'));
      text += part;
      rest_.remove_prefix(quote + 1);
      if (!rest_.starts_with('"')) break;
      text += '"';
      rest_.remove_prefix(1);
    }
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r"), rest_.size()));
    if (!rest_.empty() && rest_.front() != ',' && rest_.front() != '\n') {
      throw MeasurementError(fmt::format("{}:{}: text behind a closing quote; a comma is expected", file_name_, line_));
    }
    return text;
  }

  std::string_view rest_;
  const std::string& file_name_;
  std::size_t line_ = 1;
};

}  // namespace

std::optional<double> finite_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

Csv::Csv(std::string_view text, std::string file_name) : file_name_(edgejoule::text::printable(file_name)) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  CellReader reader(text, file_name_);
  while (!reader.done()) {
    const std::string_view line = reader.peek_line();
    if (line.starts_with('#')) {
      if (const std::size_t colon = line.find(':'); header_.empty() && colon != std::string_view::npos) {
        preamble_.push_back(
            {std::string(trimmed(line.substr(1, colon - 1))), std::string(trimmed(line.substr(colon + 1)))});
      }
      reader.skip_line();
    } else if (line.empty()) {
      reader.skip_line();
    } else if (header_.empty()) {
      header_ = reader.record();
    } else {
      Row row;
      row.line = reader.line();
      row.cells = reader.record();
      if (row.cells.size() != header_.size()) {
        throw MeasurementError(
            fmt::format("{}: {} cells where the header has {} columns", place(row), row.cells.size(), header_.size()));
      }
      rows_.push_back(std::move(row));
    }
  }
  if (header_.empty()) throw MeasurementError(fmt::format("{} has no header row: it is empty", file_name_));
  for (std::size_t i = 0; i < header_.size(); ++i) {
    if (column(header_[i]) != i) {
      throw MeasurementError(
          fmt::format("{}: two columns are called '{}'", file_name_, edgejoule::text::printable(header_[i])));
    }
  }
}

std::optional<std::size_t> Csv::column(std::string_view name) const {
  const auto found = std::find(header_.begin(), header_.end(), name);
  if (found == header_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - header_.begin());
}

std::size_t Csv::required_column(std::string_view name) const {
  if (const auto found = column(name)) return *found;
  throw MeasurementError(fmt::format("{} has no column '{}'; its columns are: {}", file_name_, name,
                                     edgejoule::text::printable(fmt::format("{}", fmt::join(header_, ", ")))));
}

std::string Csv::place(const Row& row) const {
  return fmt::format("{}:{}", file_name_, row.line);
}

double Csv::number(const Row& row, std::size_t column) const {
  if (const auto value = finite_number(row.cells[column])) return *value;
  throw MeasurementError(fmt::format("{}: {} is '{}', a finite number is expected", place(row), header_[column],
                                     edgejoule::text::printable(row.cells[column])));
}

std::uint64_t Csv::whole_number(const Row& row, std::size_t column) const {
  constexpr double kLimit = 9007199254740992.0;  // 2^53: above it a double skips whole numbers
  const double value = number(row, column);
  if (value < 0 || value > kLimit || value != std::floor(value)) {
    throw MeasurementError(fmt::format("{}: {} is '{}', a whole number from 0 to 2^53 is expected", place(row),
                                       header_[column], edgejoule::text::printable(row.cells[column])));
  }
  return static_cast<std::uint64_t>(value);
}

double Csv::amount(const Row& row, std::size_t column) const {
  const double value = number(row, column);
  if (value >= 0) return value;
  throw MeasurementError(fmt::format("{}: {} is '{}', which is below zero", place(row), header_[column],
                                     edgejoule::text::printable(row.cells[column])));
}

void Csv::refuse_unit(std::string_view column) const {
  struct UnitColumn {
    std::string_view name, wanted, factor;
  };
  constexpr std::array<UnitColumn, 9> kColumns = {{{"energy_mj", "energy_j", "1e-3"},
                                                   {"energy_uj", "energy_j", "1e-6"},
                                                   {"energy_nj", "energy_j", "1e-9"},
                                                   {"energy_kj", "energy_j", "1e3"},
                                                   {"energy_wh", "energy_j", "3600"},
                                                   {"energy_mwh", "energy_j", "3.6"},
                                                   {"time_ms", "time_s", "1e-3"},
                                                   {"time_us", "time_s", "1e-6"},
                                                   {"time_ns", "time_s", "1e-9"}}};
  std::string lower(column);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const UnitColumn& known : kColumns) {
    if (known.name != lower) continue;
    throw MeasurementError(fmt::format("{}: column '{}' is not in the unit of a set: write it as {}, times {}",
                                       file_name_, edgejoule::text::printable(column), known.wanted, known.factor));
  }
}

}  // namespace edgejoule::measurements
