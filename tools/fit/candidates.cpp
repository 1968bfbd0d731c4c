#include "fit/candidates.h"

#include "fit/op_terms.h"

namespace edgejoule::fit {
namespace {

TermSpec plain(Feature feature) {
  return {feature, {}};
}

TermSpec tiled(std::uint16_t m, std::uint16_t n) {
  return {Feature::kTiledMacs, {.m = m, .n = n, .k = 0}};
}

bool has_matrix(OpClass op_class) {
  return op_class == OpClass::kConvolution || op_class == OpClass::kTransposedConvolution ||
         op_class == OpClass::kMatrix || op_class == OpClass::kRecurrent || op_class == OpClass::kAttention;
}

bool is_convolution(OpClass op_class) {
  return op_class == OpClass::kConvolution || op_class == OpClass::kTransposedConvolution;
}

}  // namespace

std::vector<TermSet> term_sets(OpClass op_class) {
  if (!has_matrix(op_class)) {
    return {{"bytes", {plain(Feature::kOne), plain(Feature::kInputBytes), plain(Feature::kOutputBytes)}},
            {"bytes and element work",
             {plain(Feature::kOne), plain(Feature::kInputBytes), plain(Feature::kOutputBytes),
              plain(Feature::kWeightBytes), plain(Feature::kAluOps), plain(Feature::kSpecialOps)}}};
  }
  TermSet work = fallback_terms();
  if (is_convolution(op_class)) {
    work.terms.push_back(plain(Feature::kGroups));
    work.terms.push_back(plain(Feature::kPatchBytes));
  }
  TermSet tiles{"MACs in whole tiles and bytes", work.terms};
  // Square, tall and flat tiles: libraries differ, the fit keeps what the data asks for.
  for (const TermSpec tile : {tiled(32, 32), tiled(64, 64), tiled(128, 32), tiled(32, 128)}) {
    tiles.terms.push_back(tile);
  }
  if (!is_convolution(op_class)) return {std::move(work), std::move(tiles)};
  TermSet transforms{"MACs in whole tiles, transforms and bytes", rich_terms(op_class, true).terms};
  return {std::move(work), std::move(tiles), std::move(transforms)};
}

std::vector<Feature> split_features(OpClass op_class) {
  return kernel_choice_features(op_class);
}

TermSet fallback_terms() {
  return {"MACs and bytes",
          {plain(Feature::kOne), plain(Feature::kMacs), plain(Feature::kInputBytes), plain(Feature::kOutputBytes),
           plain(Feature::kWeightBytes)}};
}

TermSet roofline_terms() {
  return {"roofline", {plain(Feature::kOne), plain(Feature::kMacs), plain(Feature::kTensorBytes)}};
}

}  // namespace edgejoule::fit
