// Rows for modules: what a module costs beyond its children is physics (bytes and MACs
// of its own, attention, launches), and modules made of the same things cost alike.
//
// Shape: rows at several levels, from "any module" to "children of exactly these kinds".
// Each finer row is pulled toward the coarser one, so that a kind of module seen in one
// model only still behaves like modules do; a module is priced by the finest row it fits.
// The gain on the children is pulled hardest: counting a child twice is not physics.
#pragma once

#include <Eigen/Dense>
#include <map>
#include <vector>

#include "fit/row_fit.h"

namespace edgejoule::fit {

struct LadderData {
  RowData rows;                        // terms: first column the children's joules
  std::vector<std::vector<int>> keys;  // per level, finest first: a number per row
};

struct LadderOptions {
  std::vector<double> ridges = {1e-3, 1e-2, 1e-1};  // of the pull, as shares of all weight
  double gain_penalty = 100;
  std::size_t levels_with_prototypes = 2;          // the finest ones
  std::vector<double> lengths = {0.25, 0.5, 1.0};  // octaves
  std::vector<double> noises = {0.1, 0.5, 2.0};
};

class ModuleLadder {
 public:
  ModuleLadder() = default;
  // `elements` are ops measured alone, as modules without children: they tell the
  // coarsest row apart what bytes and MACs cost; together a tenth of its weight.
  ModuleLadder(const LadderData& data, const RowData& elements, const LadderOptions& options);

  struct Priced {
    double joules = 0;
    std::size_t level = 0;
  };
  // `keys` of the module, finest first.
  [[nodiscard]] Priced price(const Eigen::RowVectorXd& terms, const Eigen::RowVectorXd& place,
                             const std::vector<int>& keys) const;

  // Rows by key, finest level first.
  [[nodiscard]] const std::vector<std::map<int, Selected>>& levels() const { return levels_; }
  // The row of a key; null where none was fitted.
  [[nodiscard]] const Selected* row(std::size_t level, int key) const;

 private:
  std::vector<std::map<int, Selected>> levels_;
};

}  // namespace edgejoule::fit
