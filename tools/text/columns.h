// Text in aligned columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/terminal.h"

namespace edgejoule::text {

enum class Align { kLeft, kRight };

struct Cell {
  std::string text;  // already printable()
  Style style = Style::kPlain;
};

class Columns {
 public:
  // `header` names one column each; an empty header row is not printed.
  explicit Columns(std::vector<std::string> header, std::vector<Align> align);

  // Shape: one cell per column.
  void add(std::vector<Cell> row);
  [[nodiscard]] bool empty() const { return rows_.empty(); }

  // Lines end in '\n'; nothing trails the last column. Where the whole is wider than
  // `width` (0: unlimited), the cells of column `flexible` are shortened.
  [[nodiscard]] std::string render(bool colour, int width = 0, std::size_t flexible = 0) const;

 private:
  std::vector<std::string> header_;
  std::vector<Align> align_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace edgejoule::text
