// A tree as rows of bars, each as wide as its share of the one above it, that a person clicks into: what a page shows
// of a model's modules, of two models side by side, of a run.
//
// Shape: nodes in preorder, the root first. Bars narrower than can be seen are left out; the page says how many.
// The bars are drawn by the page's own script; without scripts the page shows a line that says so, and whoever builds
// the page puts the same figures into a table below.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace edgejoule::report {

inline constexpr std::uint32_t kNoIcicleParent = 0xFFFFFFFFU;

struct IcicleNode {
  std::uint32_t parent = kNoIcicleParent;
  std::string name{};           // plain text
  std::vector<double> sizes{};  // one per view, not negative
  double tone = 0;              // -1 (less) to 1 (more); of nodes without a comparison 0
  int colour = -1;              // of the page's colours, 0 to 6; -1: by tone
  // What is shown of the chosen node: pairs of a label and plain text.
  std::vector<std::pair<std::string, std::string>> details{};
};

struct Icicle {
  std::vector<std::string> views;  // what the widths may stand for; at least one
  std::vector<IcicleNode> nodes;
  std::string less_label{}, more_label{};  // of the tones; empty: no legend
};

// A piece of a page; the page must carry icicle_script() too (Page::icicle does both).
[[nodiscard]] std::string icicle_html(const Icicle& icicle);
[[nodiscard]] std::string_view icicle_script();

}  // namespace edgejoule::report
