// The physical terms an op's row may have, richest form, and the sizes its corrections
// are placed by.
//
// Source: libraries compute whole tiles, so work is also counted rounded up to the tiles
// that GPU libraries use; the fit keeps the few the data asks for (coefficients are not
// negative, most become zero).
#pragma once

#include <Eigen/Dense>
#include <vector>

#include "fit/design.h"
#include "fit/row_fit.h"

namespace edgejoule::fit {

struct OpTerms {
  std::vector<TermSpec> terms;
  std::vector<Feature> sizes;  // axes of prototypes and log rows
  std::size_t plain = 2;       // leading terms that are work and bytes, in no tiles
};

// With weights (a dense layer) or without (a product of two activations).
[[nodiscard]] OpTerms rich_terms(OpClass op_class, bool has_weights);

// Of convolutions by Winograd's transform, on the tiles that CPU libraries use (outputs of 4 x 4 and 6 x 6).
[[nodiscard]] std::vector<TermSpec> transform_terms();

// What any op without MACs, or of a kind never seen, is priced by.
[[nodiscard]] OpTerms element_terms();

// Of a row for ops whose time is known while running: power times time, and work that the
// time does not show.
[[nodiscard]] OpTerms timed_terms(OpClass op_class);

// Of a row for ops whose energy a counter of the board measures, at its own boundary.
[[nodiscard]] OpTerms counted_terms();

// For kinds of a class that nobody measured: what any op with MACs pays for. Terms that
// describe one kernel's habits (launches per group, unfolded patches) would be
// extrapolated far beyond anything seen: a depthwise convolution has as many groups as
// channels.
[[nodiscard]] OpTerms fallback_terms();

// Features by which a library may choose another kernel: what a tree may split on.
[[nodiscard]] std::vector<Feature> kernel_choice_features(OpClass op_class);

// Rows of `observations` as the fit sees them; work is in tokens where known, else in bytes.
[[nodiscard]] RowData row_data(const Observations& observations, const std::vector<std::size_t>& rows,
                               const OpTerms& terms);

// log2 of the sizes of some rows.
[[nodiscard]] Eigen::MatrixXd places_of(const Observations& observations, const std::vector<std::size_t>& rows,
                                        const std::vector<Feature>& sizes);

}  // namespace edgejoule::fit
