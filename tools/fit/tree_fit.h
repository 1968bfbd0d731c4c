// A whole tree of ops, modules and models priced from fitted rows: ops by their kind and
// data type, then by their class, then by the roofline; modules by the ladder over what
// their children were priced at. What it prices is what its rows say in a table.
//
// Shape: works on a set in which children stand before their parents (IrEne's data, or
// any board measured at several levels); a set of ops alone has no modules.
#pragma once

#include <Eigen/Dense>
#include <compare>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "fit/design.h"
#include "fit/fitted_row.h"
#include "fit/module_ladder.h"
#include "fit/op_row.h"

namespace edgejoule::fit {

struct TreeFitOptions {
  OpFitOptions ops;
  LadderOptions ladder;
  bool module_rows = true;
  bool known_rows = true;  // of what was measured while running, where it was
};

// What any op is priced by where nothing better is known: 1, bytes and MACs. Ops without
// MACs say what bytes cost, the others what MACs cost on top. Where a set holds several
// data types, transistor operations may take the place of MACs: they alone know what the
// types have to do with each other.
class Roofline {
 public:
  Roofline() = default;
  // At least one row.
  Roofline(const Observations& observations, std::vector<std::size_t> rows, Feature work);

  [[nodiscard]] Eigen::VectorXd predict(const Observations& observations, const std::vector<std::size_t>& rows) const;
  [[nodiscard]] FittedRow table_row(const Observations& observations) const;
  [[nodiscard]] Feature work() const { return terms_.back().feature; }

 private:
  std::vector<TermSpec> terms_;
  std::vector<std::size_t> rows_;
  Eigen::VectorXd coefficients_;
};

// By leaving out each data type: MACs, or transistor operations where they err less.
[[nodiscard]] Feature roofline_work(const Observations& observations, const std::vector<std::size_t>& rows);

// A row for ops of a class whose kind was never measured.
[[nodiscard]] OpRow class_row(const Observations& observations, OpClass op_class, std::vector<std::size_t> rows,
                              const OpFitOptions& options);

class TreeFit {
 public:
  // Rows with `training[i]` are fitted on. Lifetime: views `observations`.
  TreeFit(const Observations& observations, const std::vector<bool>& training, const TreeFitOptions& options);

  struct Prices {
    std::vector<double> joules;  // per row of the set
    std::vector<int> level;      // ops: 0 kind, 1 class, 2 roofline; modules: of the ladder
  };
  // Every row, bottom up. `op_joules` replaces the ops' prices where it is not empty.
  [[nodiscard]] Prices price(const std::vector<double>& op_joules = {}) const;

  // With what was measured while running: NaN where no row asks for that.
  [[nodiscard]] std::vector<double> price_known(Known known) const;

  // As rows of a table, in the order in which core asks them.
  [[nodiscard]] std::vector<FittedRow> table_rows() const;

  // What the rows of a kind are for. Weights stored narrower than the floats they meet, in blocks with scales (4-bit
  // ones of language models), run through kernels of their own: rows of both would be wrong for each.
  struct Key {
    OpKind kind = OpKind::kUnknown;
    DataType data_type = DataType::kUnknown;
    bool scaled_weights = false;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  [[nodiscard]] static Key key_of(const measurements::Measurement& m);
  [[nodiscard]] const std::map<Key, OpRow>& kinds() const { return kinds_; }
  [[nodiscard]] const std::map<OpClass, OpRow>& classes() const { return classes_; }
  [[nodiscard]] const std::map<std::pair<Key, Known>, OpRow>& known() const { return known_; }
  [[nodiscard]] const ModuleLadder& ladder() const { return ladder_; }

  // The terms of a module's row: children's joules, then physics of its own.
  static constexpr Eigen::Index kModuleTerms = 8;
  [[nodiscard]] static Eigen::RowVectorXd module_terms(const measurements::Measurement& m, double children_joules);
  [[nodiscard]] static std::vector<int> module_keys(const measurements::Measurement& m);

 private:
  void fit_known(const Key& key, const std::vector<std::size_t>& rows, const OpFitOptions& options);
  void fit_modules(const LadderOptions& options);
  void fit_counted_modules();
  void add_rows_of(const Key& key, const OpRow& row, Known known, std::vector<FittedRow>& rows) const;
  void add_module_rows(std::vector<FittedRow>& rows) const;

  const Observations* observations_;
  std::vector<bool> training_;
  std::map<Key, OpRow> kinds_;
  std::map<OpClass, OpRow> classes_;
  std::map<std::pair<Key, Known>, OpRow> known_;  // of ops measured while running, too
  std::optional<Roofline> roofline_;
  ModuleLadder ladder_;
  bool has_ladder_ = false;
  std::vector<std::size_t> counted_modules_;  // that the next was fitted on
  Eigen::VectorXd counted_module_;            // joules per joule of the counter, per second; empty: none
};

}  // namespace edgejoule::fit
