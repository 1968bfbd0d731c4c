#include "fit/op_terms.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

namespace edgejoule::fit {
namespace {

TermSpec plain(Feature feature) {
  return {feature, {}};
}
TermSpec tiled(Feature feature, std::uint16_t m, std::uint16_t n, std::uint16_t k = 0) {
  return {feature, {.m = m, .n = n, .k = k}};
}

// Equal names get equal numbers in every design; FNV-1a.
int number_of(const std::string& group) {
  std::uint32_t hash = 2166136261U;
  for (const char c : group) hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619U;
  return static_cast<int>(hash >> 1U);
}

}  // namespace

OpTerms element_terms() {
  return {{plain(Feature::kOne), plain(Feature::kTensorBytes)}, {Feature::kTensorBytes}, 2};
}

std::vector<TermSpec> transform_terms() {
  std::vector<TermSpec> terms;
  for (const std::uint16_t points : {std::uint16_t{6}, std::uint16_t{8}}) {
    for (const Feature feature : {Feature::kTransformProducts, Feature::kTransformInputs, Feature::kTransformOutputs}) {
      terms.push_back(tiled(feature, points, 0));
    }
  }
  return terms;
}

OpTerms timed_terms(OpClass op_class) {
  OpTerms result{{plain(Feature::kTime), plain(Feature::kOne)}, {Feature::kTensorBytes}, 2};
  const auto add = [&](Feature feature) { result.terms.push_back(plain(feature)); };
  switch (op_class) {
    case OpClass::kConvolution:
    case OpClass::kTransposedConvolution:
      add(Feature::kPatchBytes);
      add(Feature::kGroups);
      [[fallthrough]];
    case OpClass::kMatrix:
    case OpClass::kRecurrent:
    case OpClass::kAttention:
      add(Feature::kMacs);
      add(Feature::kInputBytes);
      add(Feature::kOutputBytes);
      add(Feature::kWeightBytes);
      break;
    default: add(Feature::kTensorBytes);
  }
  return result;
}

OpTerms counted_terms() {
  return {
      {plain(Feature::kCounterEnergy), plain(Feature::kTime), plain(Feature::kUtilisationTime), plain(Feature::kOne)},
      {Feature::kTensorBytes},
      2};
}

OpTerms fallback_terms() {
  return {{plain(Feature::kOne), plain(Feature::kMacs), plain(Feature::kInputBytes), plain(Feature::kOutputBytes),
           plain(Feature::kWeightBytes)},
          {Feature::kMacs, Feature::kTensorBytes},
          5};
}

OpTerms rich_terms(OpClass op_class, bool has_weights) {
  OpTerms result{{plain(Feature::kOne)}, {}, 2};
  const auto add = [&](std::initializer_list<TermSpec> terms) {
    result.terms.insert(result.terms.end(), terms.begin(), terms.end());
  };
  switch (op_class) {
    case OpClass::kMatrix:
      if (has_weights) {
        add({plain(Feature::kMacs), plain(Feature::kInputBytes), plain(Feature::kWeightBytes),
             plain(Feature::kOutputBytes), tiled(Feature::kShrunkTiledMacs, 64, 64),
             tiled(Feature::kShrunkTiledMacs, 128, 64), tiled(Feature::kShrunkTiledMacs, 128, 128),
             tiled(Feature::kShrunkTiledMacs, 256, 128)});
        result.sizes = {Feature::kGemmM, Feature::kGemmN, Feature::kGemmK};
        result.plain = 5;
      } else {
        add({plain(Feature::kMacs), plain(Feature::kTensorBytes), tiled(Feature::kTiledMacs, 32, 32),
             tiled(Feature::kTiledMacs, 64, 64), tiled(Feature::kTiledMacs, 128, 64),
             tiled(Feature::kTiledMacs, 64, 32), tiled(Feature::kTiledMacs, 128, 128),
             tiled(Feature::kTiledMacs, 64, 64, 8), plain(Feature::kGemmBatch), plain(Feature::kRows)});
        result.sizes = {Feature::kGemmBatch, Feature::kGemmM};
        result.plain = 3;
      }
      return result;
    case OpClass::kConvolution:
    case OpClass::kTransposedConvolution:
      add({plain(Feature::kMacs), plain(Feature::kInputBytes), plain(Feature::kOutputBytes),
           plain(Feature::kWeightBytes), plain(Feature::kPatchBytes), plain(Feature::kGroups),
           tiled(Feature::kTiledMacs, 32, 32), tiled(Feature::kTiledMacs, 64, 64), tiled(Feature::kTiledMacs, 32, 128),
           tiled(Feature::kTransformWeights, 16, 0), tiled(Feature::kTransformWeights, 32, 0),
           tiled(Feature::kTransformInputs, 16, 0), tiled(Feature::kTransformOutputs, 16, 0),
           tiled(Feature::kTransformInputs, 32, 0), tiled(Feature::kTransformOutputs, 32, 0)});
      result.sizes = {Feature::kChannelsPerGroup, Feature::kOutChannelsPerGroup, Feature::kOutPositions};
      result.plain = 5;
      return result;
    case OpClass::kSoftmax:
      add({plain(Feature::kTensorBytes), tiled(Feature::kPaddedElements, 0, 32), tiled(Feature::kPaddedElements, 0, 64),
           tiled(Feature::kPaddedElements, 0, 128), plain(Feature::kRows)});
      result.sizes = {Feature::kBatch, Feature::kSequence};
      return result;
    case OpClass::kRecurrent:
    case OpClass::kAttention:
      add({plain(Feature::kMacs), plain(Feature::kActivationBytes), plain(Feature::kWeightBytes),
           tiled(Feature::kTiledMacs, 64, 64)});
      result.sizes = {Feature::kGemmBatch, Feature::kGemmM, Feature::kGemmN};
      result.plain = 4;
      return result;
    default: return element_terms();
  }
}

std::vector<Feature> kernel_choice_features(OpClass op_class) {
  switch (op_class) {
    case OpClass::kConvolution:
    case OpClass::kTransposedConvolution:
      return {Feature::kChannelsPerGroup,
              Feature::kOutChannelsPerGroup,
              Feature::kKernelArea,
              Feature::kOutputPixelsPerChannel,
              Feature::kInPixelsPerChannel,
              Feature::kStrideArea,
              Feature::kDilationArea,
              Feature::kGroups,
              Feature::kMacs,
              Feature::kChannelRatio,
              Feature::kChannelProduct,
              Feature::kLeastChannels,
              Feature::kMostChannels};
    case OpClass::kMatrix:
    case OpClass::kRecurrent:
    case OpClass::kAttention:
      return {Feature::kGemmBatch, Feature::kGemmM,       Feature::kGemmN,
              Feature::kGemmK,     Feature::kWeightBytes, Feature::kArithmeticIntensity};
    default: return {Feature::kTensorBytes, Feature::kOutputElements};
  }
}

Eigen::MatrixXd places_of(const Observations& observations, const std::vector<std::size_t>& rows,
                          const std::vector<Feature>& sizes) {
  const Eigen::MatrixXd values = observations.features(rows, sizes).cast<double>();
  return (values.array().max(1.0).log() / std::log(2.0)).matrix();
}

RowData row_data(const Observations& observations, const std::vector<std::size_t>& rows, const OpTerms& terms) {
  RowData data;
  data.terms = observations.columns(rows, terms.terms);
  data.places = places_of(observations, rows, terms.sizes);
  data.energies = observations.energies(rows);
  data.weights.resize(data.size());
  data.work.resize(data.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const measurements::Measurement& m = observations[rows[i]];
    const auto at = static_cast<Eigen::Index>(i);
    data.weights[at] = m.weight;
    const std::uint64_t tokens = m.facts[Fact::kTokens];
    data.work[at] = static_cast<double>(
        tokens != 0 ? tokens : m.facts[Fact::kInputBytes] + m.facts[Fact::kOutputBytes] + m.facts[Fact::kWeightBytes]);
    data.groups.push_back(number_of(m.group));
  }
  return data;
}

}  // namespace edgejoule::fit
