// One self-contained HTML page: nothing is loaded from elsewhere, and it reads on a
// phone, in the dark and on paper. Every text handed in is plain and escaped here. The
// page forbids itself every script but the one it came with.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/icicle.h"

namespace edgejoule::report {

// A figure at the top of a page: "2.4 %", "mean model error", "leave one model out".
struct Figure {
  std::string value;
  std::string label;
  std::string note;
};

struct TableColumn {
  std::string title;
  bool numeric = false;  // right-aligned
};

class Page {
 public:
  Page(std::string title, std::string subtitle);

  void heading(std::string_view text);
  void paragraph(std::string_view text);
  void warning(std::string_view text);
  void figures(const std::vector<Figure>& figures);
  // `svg` comes from chart.h.
  void chart(std::string_view caption, const std::string& svg);
  void icicle(std::string_view caption, const Icicle& icicle);
  // Shape: one cell per column in every row; a row of one cell is a heading over those that
  // follow. Long tables (more than `shown` rows) fold behind a summary.
  void table(const std::vector<TableColumn>& columns, const std::vector<std::vector<std::string>>& rows,
             std::size_t shown = 40);

  [[nodiscard]] std::string render() const;

 private:
  std::string title_;
  std::string subtitle_;
  std::string body_;
  bool has_icicle_ = false;
};

}  // namespace edgejoule::report
