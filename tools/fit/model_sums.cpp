#include "fit/model_sums.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <utility>

#include "edgejoule/core/features.h"

namespace edgejoule::fit {
namespace {

using Eigen::Index;
using measurements::MeasurementError;
using measurements::Part;

constexpr double kMillion = 1e-6;
constexpr double kTrillion = 1e-12;
constexpr float kPointwiseBelow = 2;  // kernel area
constexpr float kStemBelow = 5;       // channels of one group
constexpr float kOpen = std::numeric_limits<float>::infinity();

enum class Role { kPointwise, kOther, kDepthwise, kProduct, kElements };

struct ColumnOfRole {
  Index column;
  Feature feature;
};

bool is_convolution(OpClass op_class) {
  return op_class == OpClass::kConvolution || op_class == OpClass::kTransposedConvolution;
}

Role role_of(OpKind kind, OpClass op_class, float kernel_area) {
  if (kind == OpKind::kDepthwiseConv2d) return Role::kDepthwise;
  if (is_convolution(op_class)) return kernel_area < kPointwiseBelow ? Role::kPointwise : Role::kOther;
  const bool has_product =
      op_class == OpClass::kMatrix || op_class == OpClass::kRecurrent || op_class == OpClass::kAttention;
  return has_product ? Role::kProduct : Role::kElements;
}

// The one statement of what each op pays: sums and rows both read it.
std::vector<ColumnOfRole> columns_of(Role role, bool is_stem) {
  std::vector<ColumnOfRole> columns = {{kOpsColumn, Feature::kOne},
                                       {kWeightsColumn, Feature::kWeightBytes},
                                       {kActivationsColumn, Feature::kActivationBytes}};
  const auto add = [&](std::initializer_list<ColumnOfRole> more) { columns.insert(columns.end(), more); };
  switch (role) {
    case Role::kPointwise:
      add({{kPointwiseColumn, Feature::kMacs},
           {kPackedColumn, Feature::kInputBytes},
           {kOutputsColumn, Feature::kOutputBytes}});
      break;
    case Role::kOther:
      add({{kOtherColumn, Feature::kMacs},
           {kPatchesColumn, Feature::kPatchBytes},
           {kPackedColumn, Feature::kPatchBytes},
           {kOutputsColumn, Feature::kOutputBytes}});
      break;
    case Role::kDepthwise:
      add({{kDepthwiseColumn, Feature::kMacs}, {kDepthwiseBytesColumn, Feature::kActivationBytes}});
      break;
    case Role::kProduct: add({{kDenseColumn, Feature::kMacs}}); break;
    case Role::kElements: add({{kElementsColumn, Feature::kActivationBytes}}); break;
  }
  if (is_stem && (role == Role::kPointwise || role == Role::kOther)) add({{kStemColumn, Feature::kMacs}});
  return columns;
}

OpQuantities quantities_of(const Part& part) {
  const Result<OpQuantities> op = measure_op(part.op_class, part.facts);
  if (!op) throw MeasurementError(std::string(name_of(part.kind)) + " in a model: " + error_text(op.error()));
  return *op;
}

float value_of(const OpQuantities& op, Feature feature) {
  return feature_value(feature, op, Tile{}, CacheState{});
}

double scale_of(Index column) {
  return column == kOnceColumn || column == kOpsColumn ? 1 : column == kTransistorsColumn ? kTrillion : kMillion;
}

FittedRow row_of(const Eigen::VectorXd& coefficients, Role role, bool is_stem, const std::vector<const Part*>& parts) {
  std::map<Feature, double> joules;
  for (const auto& [column, feature] : columns_of(role, is_stem)) {
    joules[feature] += coefficients[column] * scale_of(column);
  }
  FittedRow row;
  for (const auto& [feature, coefficient] : joules) {
    if (coefficient <= 0) continue;
    FittedTerm term{{feature, {}}, coefficient, kOpen, 0};
    for (const Part* part : parts) {
      const auto value = static_cast<double>(value_of(quantities_of(*part), feature));
      term.min = std::min(term.min, value);
      term.max = std::max(term.max, value);
    }
    row.terms.push_back(term);
  }
  return row;
}

}  // namespace

Eigen::RowVectorXd model_sums(const std::vector<Part>& parts) {
  Eigen::RowVectorXd row = Eigen::RowVectorXd::Zero(kModelColumns);
  row[kOnceColumn] = 1;
  for (const Part& part : parts) {
    const OpQuantities op = quantities_of(part);
    const double count = part.count * static_cast<double>(part.facts[Fact::kRepeats]);
    const Role role = role_of(part.kind, part.op_class, value_of(op, Feature::kKernelArea));
    for (const auto& [column, feature] : columns_of(role, value_of(op, Feature::kChannelsPerGroup) < kStemBelow)) {
      row[column] += count * static_cast<double>(value_of(op, feature)) * scale_of(column);
    }
    row[kTransistorsColumn] += count * static_cast<double>(value_of(op, Feature::kTransistorOps)) * kTrillion;
  }
  return row;
}

std::vector<Index> base_columns(const std::vector<Index>& more) {
  std::vector<Index> columns = {kOnceColumn,      kOpsColumn,   kPointwiseColumn, kOtherColumn,
                                kDepthwiseColumn, kDenseColumn, kWeightsColumn,   kActivationsColumn};
  columns.insert(columns.end(), more.begin(), more.end());
  return columns;
}

std::vector<PoolForm> pool_forms(const std::vector<Index>& always) {
  std::vector<PoolForm> forms;
  for (const std::vector<Index>& option : std::vector<std::vector<Index>>{
           {},
           {kPatchesColumn},
           {kStemColumn, kPatchesColumn},
           {kStemColumn, kElementsColumn},
           {kPatchesColumn, kElementsColumn},
           {kPackedColumn, kOutputsColumn},
           {kPatchesColumn, kPackedColumn, kOutputsColumn},
           {kPatchesColumn, kPackedColumn, kOutputsColumn, kElementsColumn},
           {kStemColumn, kElementsColumn, kDepthwiseBytesColumn},
           {kStemColumn, kPatchesColumn, kPackedColumn, kElementsColumn, kDepthwiseBytesColumn}}) {
    for (const int steps : {0, 2}) {
      for (const double ridge : {1e-3, 1e-2}) {
        PoolForm form{base_columns(option), ridge, steps, 0.5};
        form.columns.insert(form.columns.end(), always.begin(), always.end());
        forms.push_back(std::move(form));
      }
    }
  }
  return forms;
}

std::vector<FittedRow> op_rows(const Eigen::VectorXd& coefficients, const std::vector<Part>& parts) {
  std::map<std::pair<OpKind, DataType>, std::vector<const Part*>> by_key;
  for (const Part& part : parts) {
    if (part.kind != OpKind::kUnknown) by_key[{part.kind, part.data_type}].push_back(&part);
  }
  std::vector<FittedRow> rows;
  for (const auto& entry : by_key) {  // clang 14 does not capture structured bindings
    const std::pair<OpKind, DataType>& key = entry.first;
    const std::vector<const Part*>& of_key = entry.second;
    const OpClass op_class = of_key.front()->op_class;
    const auto add = [&](Role role, bool is_stem, std::vector<Condition> conditions) {
      std::vector<const Part*> like;
      for (const Part* part : of_key) {
        const OpQuantities op = quantities_of(*part);
        const bool stem = value_of(op, Feature::kChannelsPerGroup) < kStemBelow;
        const bool same = role_of(part->kind, part->op_class, value_of(op, Feature::kKernelArea)) == role;
        if (same && (conditions.empty() || stem == is_stem)) like.push_back(part);
      }
      FittedRow row = row_of(coefficients, role, is_stem, like.empty() ? of_key : like);
      row.level = key.second == DataType::kUnknown ? Level::kOp : Level::kOpAndType;
      row.kind = key.first;
      row.data_type = key.second;
      row.op_class = op_class;
      row.conditions = std::move(conditions);
      rows.push_back(std::move(row));
    };
    if (is_convolution(op_class) && key.first != OpKind::kDepthwiseConv2d) {
      for (const bool is_stem : {false, true}) {
        const Condition channels = is_stem ? Condition{Feature::kChannelsPerGroup, -kOpen, kStemBelow}
                                           : Condition{Feature::kChannelsPerGroup, kStemBelow, kOpen};
        add(Role::kPointwise, is_stem, {{Feature::kKernelArea, -kOpen, kPointwiseBelow}, channels});
        add(Role::kOther, is_stem, {{Feature::kKernelArea, kPointwiseBelow, kOpen}, channels});
      }
    } else {
      add(role_of(key.first, op_class, 1), false, {});
    }
  }
  return rows;
}

FittedRow root_row(const Eigen::VectorXd& coefficients) {
  FittedRow row;
  row.level = Level::kOp;
  row.kind = OpKind::kModel;
  row.op_class = OpClass::kModule;
  row.children_gain = 1;
  if (coefficients[kOnceColumn] > 0) row.terms.push_back({{Feature::kOne, {}}, coefficients[kOnceColumn], 1, 1});
  row.reason = "what a whole model costs besides its ops";
  return row;
}

}  // namespace edgejoule::fit
