#include "text/columns.h"

#include <algorithm>
#include <cassert>
#include <numeric>

#include "text/escape.h"

namespace edgejoule::text {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowest = 12;  // a shortened column keeps at least this

}  // namespace

Columns::Columns(std::vector<std::string> header, std::vector<Align> align)
    : header_(std::move(header)), align_(std::move(align)) {
  assert(header_.size() == align_.size());
}

void Columns::add(std::vector<Cell> row) {
  assert(row.size() == align_.size());
  rows_.push_back(std::move(row));
}

std::string Columns::render(bool colour, int width, std::size_t flexible) const {
  std::vector<std::size_t> widths;
  for (const std::string& title : header_) widths.push_back(display_width(title));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i].text));
  }
  const std::size_t total = std::accumulate(widths.begin(), widths.end(), kGap * (widths.size() - 1));
  if (width > 0 && total > static_cast<std::size_t>(width)) {
    const std::size_t excess = total - static_cast<std::size_t>(width);
    const std::size_t least = std::min(widths[flexible], kNarrowest);
    widths[flexible] = widths[flexible] > least + excess ? widths[flexible] - excess : least;
  }

  std::string out;
  const auto line = [&](const auto& text_of, const auto& style_of) {
    std::string text;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const std::string cell = shorten(text_of(i), widths[i]);
      const std::string padding(widths[i] - std::min(widths[i], display_width(cell)), ' ');
      const bool last = i + 1 == widths.size();
      if (align_[i] == Align::kRight) text += padding;
      text += styled(cell, style_of(i), colour && !cell.empty());
      if (align_[i] == Align::kLeft && !last) text += padding;
      if (!last) text.append(kGap, ' ');
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + '\n';
  };
  if (std::any_of(header_.begin(), header_.end(), [](const std::string& title) { return !title.empty(); })) {
    line([&](std::size_t i) -> const std::string& { return header_[i]; }, [](std::size_t) { return Style::kDim; });
  }
  for (const auto& row : rows_) {
    line([&](std::size_t i) -> const std::string& { return row[i].text; }, [&](std::size_t i) { return row[i].style; });
  }
  return out;
}

}  // namespace edgejoule::text
