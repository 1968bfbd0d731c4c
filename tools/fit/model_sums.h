// Whole models as sums over their ops: each column is a term of one kind of op's row, so
// that coefficients fitted to whole models are coefficients of ops.
//
// Units: megabytes, millions of MACs and 1e12 transistor operations, so that coefficients
// are of one size.
#pragma once

#include <Eigen/Dense>
#include <vector>

#include "fit/fitted_row.h"
#include "fit/set_pool.h"
#include "measurements/measurement_set.h"

namespace edgejoule::fit {

enum ModelColumn : Eigen::Index {
  // the base of every form
  kOnceColumn,         // of the model
  kOpsColumn,          // of every op
  kPointwiseColumn,    // MACs of convolutions of 1 x 1
  kOtherColumn,        // of other convolutions
  kDepthwiseColumn,    // of depthwise ones
  kDenseColumn,        // of matrix products and recurrent layers
  kWeightsColumn,      // bytes
  kActivationsColumn,  // bytes
  // options
  kStemColumn,            // MACs of convolutions of four channels or fewer: libraries pad them
  kPatchesColumn,         // bytes of unfolded patches
  kPackedColumn,          // bytes of what is packed into the left side of the product
  kOutputsColumn,         // bytes that convolutions write
  kElementsColumn,        // bytes of ops without MACs
  kDepthwiseBytesColumn,  // bytes of depthwise convolutions
  kTransistorsColumn,
  kModelColumns
};

[[nodiscard]] Eigen::RowVectorXd model_sums(const std::vector<measurements::Part>& parts);

// The base with each set of options, in several strengths of pull.
[[nodiscard]] std::vector<PoolForm> pool_forms(const std::vector<Eigen::Index>& always = {});
[[nodiscard]] std::vector<Eigen::Index> base_columns(const std::vector<Eigen::Index>& more);

// Rows of a table for the ops of these kinds and types, with the joules that
// `coefficients` (one per column) give each op; the root's row is not among them.
[[nodiscard]] std::vector<FittedRow> op_rows(const Eigen::VectorXd& coefficients,
                                             const std::vector<measurements::Part>& parts);
[[nodiscard]] FittedRow root_row(const Eigen::VectorXd& coefficients);

}  // namespace edgejoule::fit
