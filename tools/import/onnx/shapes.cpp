#include "import/onnx/shapes.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "import/onnx/numbers.h"

namespace edgejoule::import {
namespace {

using Integers = std::vector<std::int64_t>;

bool plausible(const Dims& dims) {
  return dims.size() <= kMaxRank && std::all_of(dims.begin(), dims.end(), [](std::int64_t d) { return d >= 0; });
}

DataType type_of_attribute(const OnnxNode& node, const char* name, DataType otherwise) {
  const std::int64_t stated = node.integer(name, 0);
  return stated == 0 ? otherwise : data_type_of_onnx(stated);
}

}  // namespace

const Dims* OnnxShapes::dims(const OnnxStep& step, std::size_t input) const {
  const std::uint32_t value = step.input(input);
  return value == kNoValue || !values_[value].dims ? nullptr : &*values_[value].dims;
}

const OnnxNumbers* OnnxShapes::numbers(const OnnxStep& step, std::size_t input) const {
  const std::uint32_t value = step.input(input);
  return value == kNoValue || !values_[value].numbers ? nullptr : &*values_[value].numbers;
}

DataType OnnxShapes::type(const OnnxStep& step, std::size_t input) const {
  const std::uint32_t value = step.input(input);
  return value == kNoValue ? DataType::kUnknown : values_[value].type;
}

std::optional<Integers> OnnxShapes::integers(const OnnxStep& step, std::size_t input) const {
  const OnnxNumbers* known = numbers(step, input);
  if (known == nullptr) return std::nullopt;
  Integers out;
  for (const double number : *known) out.push_back(to_integer(number));
  return out;
}

std::optional<Integers> OnnxShapes::integers(const OnnxStep& step, const char* attribute, std::size_t input) const {
  if (const OnnxAttribute* stated = step.node->attribute(attribute); stated != nullptr) return stated->ints;
  return integers(step, input);
}

void OnnxShapes::set(const OnnxStep& step, std::size_t output, std::optional<Dims> result, DataType data_type) {
  const std::uint32_t value = step.output(output);
  if (value == kNoValue) return;
  if (data_type != DataType::kUnknown) values_[value].type = data_type;
  if (result && plausible(*result)) values_[value].dims = std::move(result);
}

// Numbers that contradict the dimensions are dropped: whoever reads them relies on both.
void OnnxShapes::set_numbers(const OnnxStep& step, OnnxNumbers result) {
  const std::uint32_t value = step.output(0);
  if (value == kNoValue || result.size() > kMaxOnnxNumbers || !values_[value].dims) return;
  const Dims& shape = *values_[value].dims;
  std::uint64_t elements = 1;
  for (const std::int64_t dim : shape) {
    if (__builtin_mul_overflow(elements, extent_of(dim), &elements)) return;
  }
  if (elements == result.size()) values_[value].numbers = std::move(result);
}

void OnnxShapes::copy_numbers(const OnnxStep& step) {
  if (const OnnxNumbers* known = numbers(step, 0)) set_numbers(step, *known);
}

void OnnxShapes::infer(const OnnxStep& step) {
  switch (step.row->rule) {
    case OnnxRule::kConv:
    case OnnxRule::kConvTranspose:
    case OnnxRule::kPool:
    case OnnxRule::kGlobalPool:
    case OnnxRule::kGemm:
    case OnnxRule::kMatmul:
    case OnnxRule::kMatmulNBits:
    case OnnxRule::kEinsum:
    case OnnxRule::kPackedAttention:
    case OnnxRule::kMultiHeadAttention:
    case OnnxRule::kGroupQueryAttention:
    case OnnxRule::kStandardAttention:
    case OnnxRule::kRecurrent: product(step); break;
    default: general(step); break;
  }
}

void OnnxShapes::product(const OnnxStep& step) {
  switch (step.row->rule) {
    case OnnxRule::kConv: return convolution(step);
    case OnnxRule::kConvTranspose: return transposed_convolution(step);
    case OnnxRule::kPool:
    case OnnxRule::kGlobalPool: return pool(step);
    case OnnxRule::kGemm: return gemm(step);
    case OnnxRule::kMatmul:
    case OnnxRule::kMatmulNBits: return matmul(step);
    case OnnxRule::kEinsum: return einsum(step);
    case OnnxRule::kRecurrent: return recurrent(step);
    default: return attention(step);
  }
}

void OnnxShapes::general(const OnnxStep& step) {
  const Dims* in = dims(step, 0);
  const DataType in_type = type(step, 0);
  const auto same = in == nullptr ? std::nullopt : std::optional<Dims>(*in);
  const OnnxNode& node = *step.node;
  switch (step.row->rule) {
    case OnnxRule::kSame:
    case OnnxRule::kSoftmax:
    case OnnxRule::kNormalisation:
    case OnnxRule::kScatter:
      set(step, 0, same, type_of_attribute(node, "dtype", in_type));
      if (node.op_type == "Dropout") set(step, 1, same, DataType::kBoolean);
      if (step.row->kind == OpKind::kIdentity) {
        copy_numbers(step);
      } else if (const OnnxNumbers* known = numbers(step, 0)) {
        OnnxNumbers out;
        for (const double number : *known) {
          if (const auto result = calculate(node.op_type, number)) out.push_back(*result);
        }
        if (out.size() == known->size()) set_numbers(step, std::move(out));
      }
      break;
    case OnnxRule::kSkipNormalisation:
      set(step, 0, same, in_type);
      set(step, 3, same, in_type);
      break;
    case OnnxRule::kEmbedNormalisation: {
      const Dims* table = dims(step, 2);
      if (in != nullptr && table != nullptr && in->size() == 2 && table->size() == 2) {
        set(step, 0, Dims{(*in)[0], (*in)[1], (*table)[1]}, type(step, 2));
        set(step, 1, Dims{(*in)[0]}, DataType::kInt32);
        set(step, 2, Dims{(*in)[0], (*in)[1], (*table)[1]}, type(step, 2));
      }
      break;
    }
    case OnnxRule::kBroadcast:
    case OnnxRule::kCompare:
    case OnnxRule::kWhere: arithmetic(step); break;
    case OnnxRule::kQlinearElementwise: {
      const Dims* other = step.row->operands.weights < 0 ? nullptr : dims(step, 3);
      set(step, 0, in != nullptr && other != nullptr ? broadcast(*in, *other) : same, in_type);
      break;
    }
    case OnnxRule::kCast: {
      const bool like = node.op_type == "CastLike";
      const DataType to = like ? type(step, 1) : data_type_of_onnx(node.integer("to", 0));
      set(step, 0, same, to);
      if (const OnnxNumbers* known = numbers(step, 0)) {
        OnnxNumbers out = *known;
        if (to == DataType::kBoolean) {
          for (double& number : out) number = number != 0 ? 1 : 0;
        } else if (is_integer_type(to)) {
          for (double& number : out) number = std::trunc(number);
        }
        set_numbers(step, std::move(out));
      }
      break;
    }
    case OnnxRule::kReduce:
    case OnnxRule::kArg: reduce(step); break;
    case OnnxRule::kTopK: top_k(step); break;
    case OnnxRule::kReshape: reshape(step); break;
    case OnnxRule::kFlatten: {
      if (in == nullptr) break;
      const std::int64_t stated = node.integer("axis", 1);
      const auto size = static_cast<std::int64_t>(in->size());
      if (stated < -size || stated > size) break;
      const auto cut = in->begin() + (stated < 0 ? stated + size : stated);
      const std::string name(node.name.substr(0, 80));
      set(step, 0,
          Dims{static_cast<std::int64_t>(elements_of(in->begin(), cut, name)),
               static_cast<std::int64_t>(elements_of(cut, in->end(), name))},
          in_type);
      copy_numbers(step);
      break;
    }
    case OnnxRule::kSqueeze: squeeze(step); break;
    case OnnxRule::kUnsqueeze: unsqueeze(step); break;
    case OnnxRule::kConcat: concatenation(step, 0, 1); break;
    case OnnxRule::kQlinearConcat: concatenation(step, 2, 3); break;
    case OnnxRule::kSplit: split(step); break;
    case OnnxRule::kSlice: slice(step); break;
    case OnnxRule::kTranspose: {
      if (in == nullptr) break;
      Integers order = node.ints("perm");
      if (order.empty()) {
        order.resize(in->size());
        std::iota(order.rbegin(), order.rend(), 0);
      }
      Dims out;
      for (const std::int64_t axis : order) {
        if (axis < 0 || axis >= static_cast<std::int64_t>(in->size())) return;
        out.push_back((*in)[static_cast<std::size_t>(axis)]);
      }
      if (out.size() == in->size()) set(step, 0, std::move(out), in_type);
      break;
    }
    case OnnxRule::kPad: pad(step); break;
    case OnnxRule::kResize: resize(step); break;
    case OnnxRule::kDepthToSpace:
    case OnnxRule::kSpaceToDepth: {
      const std::int64_t block = node.integer("blocksize", 0);
      if (in == nullptr || in->size() != 4 || block < 1 || block > kMaxExtent) break;
      const auto& d = *in;
      if (step.row->rule == OnnxRule::kDepthToSpace) {
        if (d[2] < kMaxExtent && d[3] < kMaxExtent) {
          set(step, 0, Dims{d[0], d[1] / (block * block), d[2] * block, d[3] * block}, in_type);
        }
      } else if (d[1] < kMaxExtent && block < (1 << 15)) {
        set(step, 0, Dims{d[0], d[1] * block * block, d[2] / block, d[3] / block}, in_type);
      }
      break;
    }
    case OnnxRule::kGather: gather(step); break;
    case OnnxRule::kGatherElements:
      if (const Dims* indices = dims(step, 1)) set(step, 0, *indices, in_type);
      break;
    case OnnxRule::kGatherNd: gather_nd(step); break;
    case OnnxRule::kOneHot: {
      const auto depth = integers(step, 1);
      if (in == nullptr || !depth || depth->size() != 1) break;
      const auto axis = axis_of(node.integer("axis", -1), in->size() + 1);
      if (!axis) break;
      Dims out = *in;
      out.insert(out.begin() + static_cast<std::ptrdiff_t>(*axis), (*depth)[0]);
      set(step, 0, std::move(out), type(step, 2));
      break;
    }
    case OnnxRule::kTile: {
      const auto repeats = integers(step, 1);
      if (in == nullptr || !repeats || repeats->size() != in->size()) break;
      Dims out = *in;
      for (std::size_t i = 0; i < out.size(); ++i) {
        if (__builtin_mul_overflow(out[i], (*repeats)[i], &out[i])) return;
      }
      set(step, 0, std::move(out), in_type);
      break;
    }
    case OnnxRule::kExpand: {
      const auto to = integers(step, 1);
      if (in == nullptr || !to) break;
      set(step, 0, broadcast(*in, *to), in_type);
      if (const OnnxNumbers* known = numbers(step, 0); known != nullptr && known->size() == 1) {
        const std::uint32_t result = step.output(0);
        if (result != kNoValue && values_[result].dims && values_[result].dims->size() <= 1) {
          const auto count = values_[result].dims->empty() ? 1 : values_[result].dims->front();
          if (count <= static_cast<std::int64_t>(kMaxOnnxNumbers)) {
            set_numbers(step, OnnxNumbers(static_cast<std::size_t>(count), known->front()));
          }
        }
      }
      break;
    }
    case OnnxRule::kConstant:
    case OnnxRule::kConstantOfShape: constant(step); break;
    case OnnxRule::kShape:
    case OnnxRule::kSize: shape_of(step); break;
    case OnnxRule::kRange: range(step); break;
    case OnnxRule::kNonZero: {
      if (in == nullptr) break;
      ++bounded_results_;
      const std::string name(node.name.substr(0, 80));
      set(step, 0, Dims{static_cast<std::int64_t>(in->size()), static_cast<std::int64_t>(elements_of(*in, name))},
          DataType::kInt64);
      break;
    }
    case OnnxRule::kEyeLike: set(step, 0, same, type_of_attribute(node, "dtype", in_type)); break;
    case OnnxRule::kRandom:
      set(step, 0, node.ints("shape"), type_of_attribute(node, "dtype", DataType::kFloat32));
      break;
    case OnnxRule::kQuantize: {
      const DataType zero_point = type(step, 2);
      set(step, 0, same,
          zero_point != DataType::kUnknown ? zero_point : type_of_attribute(node, "output_dtype", DataType::kUint8));
      break;
    }
    case OnnxRule::kDequantize: set(step, 0, same, type_of_attribute(node, "output_dtype", type(step, 1))); break;
    case OnnxRule::kDynamicQuantize:
      set(step, 0, same, DataType::kUint8);
      set(step, 1, Dims{}, DataType::kFloat32);
      set(step, 2, Dims{}, DataType::kUint8);
      break;
    default: break;
  }
  const std::int8_t zero_point = step.row->operands.output_zero_point;
  if (zero_point >= 0) set(step, 0, std::nullopt, type(step, static_cast<std::size_t>(zero_point)));
}

// Add to Where: any number of operands, numbers followed through where they are few.
void OnnxShapes::arithmetic(const OnnxStep& step) {
  const bool where = step.row->rule == OnnxRule::kWhere;
  std::optional<Dims> out;
  for (std::size_t i = 0; i < step.inputs.size(); ++i) {
    const Dims* in = dims(step, i);
    if (in == nullptr) {
      out.reset();
      break;
    }
    out = i == 0 ? std::optional<Dims>(*in) : broadcast(*out, *in);
    // Before opset 7 the second operand was broadcast along an axis of the first.
    if (!out && step.opset > 0 && step.opset < 7) out = *dims(step, 0);
    if (!out) break;
  }
  const DataType result_type = step.row->rule == OnnxRule::kCompare ? DataType::kBoolean : type(step, where ? 1 : 0);
  set(step, 0, out, result_type);
  if (!out) return;
  std::vector<const OnnxNumbers*> operands;
  std::size_t size = 1;
  for (std::size_t i = 0; i < step.inputs.size(); ++i) {
    const OnnxNumbers* known = numbers(step, i);
    const Dims* in = dims(step, i);
    if (known == nullptr || in == nullptr || in->size() > 1) return;
    operands.push_back(known);
    if (known->size() != 1) size = known->size();
  }
  const auto at = [](const OnnxNumbers& list, std::size_t i) { return list.size() == 1 ? list[0] : list[i]; };
  OnnxNumbers results;
  for (std::size_t i = 0; i < size; ++i) {
    if (std::any_of(operands.begin(), operands.end(),
                    [&](const OnnxNumbers* list) { return list->size() != 1 && list->size() <= i; })) {
      return;
    }
    std::optional<double> result;
    if (where && operands.size() == 3) {
      result = at(*operands[at(*operands[0], i) != 0 ? 1 : 2], i);
    } else if (!where && !operands.empty()) {
      result = at(*operands[0], i);
      for (std::size_t k = 1; k < operands.size() && result; ++k) {
        result = result_type == DataType::kBoolean
                     ? compare(step.node->op_type, *result, at(*operands[k], i))
                     : calculate(step.row->kind, *result, at(*operands[k], i), is_integer_type(result_type));
      }
      if (operands.size() == 1) result.reset();
    }
    if (!result) return;
    results.push_back(*result);
  }
  set_numbers(step, std::move(results));
}

void OnnxShapes::constant(const OnnxStep& step) {
  const OnnxNode& node = *step.node;
  if (step.row->rule == OnnxRule::kConstantOfShape) {
    const OnnxAttribute* value = node.attribute("value");
    const bool stated = value != nullptr && value->tensor.has_value();
    const auto shape = integers(step, 0);
    set(step, 0, shape ? std::optional<Dims>(*shape) : std::nullopt,
        stated ? data_type_of_onnx(value->tensor->type) : DataType::kFloat32);
    const std::uint32_t result = step.output(0);
    if (!shape || shape->size() > 1 || result == kNoValue || !values_[result].dims) return;
    const std::int64_t count = shape->empty() ? 1 : shape->front();
    if (count > static_cast<std::int64_t>(kMaxOnnxNumbers)) return;
    const auto fill = stated ? value->tensor->numbers(1) : OnnxNumbers{0};
    if (fill && fill->size() == 1) set_numbers(step, OnnxNumbers(static_cast<std::size_t>(count), fill->front()));
    return;
  }
  for (const OnnxAttribute& attribute : node.attributes) {
    const auto count = [](std::size_t size) { return Dims{static_cast<std::int64_t>(size)}; };
    if (attribute.tensor && (attribute.name == "value" || attribute.name == "sparse_value")) {
      set(step, 0, attribute.tensor->dims, data_type_of_onnx(attribute.tensor->type));
      if (auto known = attribute.tensor->numbers(kMaxOnnxNumbers)) set_numbers(step, std::move(*known));
    } else if (attribute.name == "value_int") {
      set(step, 0, Dims{}, DataType::kInt64);
      set_numbers(step, {static_cast<double>(attribute.i)});
    } else if (attribute.long_list) {
      set(step, 0, std::nullopt, attribute.name == "value_ints" ? DataType::kInt64 : DataType::kFloat32);
    } else if (attribute.name == "value_ints") {
      set(step, 0, count(attribute.ints.size()), DataType::kInt64);
      set_numbers(step, OnnxNumbers(attribute.ints.begin(), attribute.ints.end()));
    } else if (attribute.name == "value_float") {
      set(step, 0, Dims{}, DataType::kFloat32);
      set_numbers(step, {static_cast<double>(attribute.f)});
    } else if (attribute.name == "value_floats") {
      set(step, 0, count(attribute.floats.size()), DataType::kFloat32);
      set_numbers(step, OnnxNumbers(attribute.floats.begin(), attribute.floats.end()));
    } else if (attribute.name == "value_string") {
      set(step, 0, Dims{}, DataType::kString);
    }
  }
}

void OnnxShapes::reduce(const OnnxStep& step) {
  const Dims* in = dims(step, 0);
  const bool arg = step.row->rule == OnnxRule::kArg;
  const DataType result_type = arg ? DataType::kInt64 : type(step, 0);
  set(step, 0, std::nullopt, result_type);
  if (in == nullptr) return;
  const bool keep = step.node->integer("keepdims", 1) != 0;
  Integers axes;
  if (arg) {
    axes = {step.node->integer("axis", 0)};
  } else {
    const bool quantised = step.row->operands.output_zero_point >= 0;
    const auto stated = quantised ? step.node->ints("axes") : integers(step, "axes", 1);
    if (!stated && step.input(1) != kNoValue) return;
    if (stated) axes = *stated;
    if (axes.empty() && step.node->integer("noop_with_empty_axes", 0) != 0) {
      set(step, 0, *in, result_type);
      return;
    }
  }
  std::vector<bool> gone(in->size(), axes.empty());
  for (const std::int64_t stated : axes) {
    const auto axis = axis_of(stated, in->size());
    if (!axis) return;
    gone[*axis] = true;
  }
  Dims out;
  for (std::size_t i = 0; i < in->size(); ++i) {
    if (!gone[i]) out.push_back((*in)[i]);
    if (gone[i] && keep) out.push_back(1);
  }
  set(step, 0, std::move(out), result_type);
  const OnnxNumbers* known = numbers(step, 0);
  if (known == nullptr || known->empty() || in->size() > 1 || arg) return;
  double total = known->front();
  for (std::size_t i = 1; i < known->size(); ++i) {
    switch (step.row->kind) {
      case OpKind::kReduceProd: total *= (*known)[i]; break;
      case OpKind::kReduceMax: total = std::max(total, (*known)[i]); break;
      case OpKind::kReduceMin: total = std::min(total, (*known)[i]); break;
      default:
        if (step.node->op_type != "ReduceSum") return;
        total += (*known)[i];
    }
  }
  if (step.row->kind != OpKind::kMean) set_numbers(step, {total});
}

void OnnxShapes::top_k(const OnnxStep& step) {
  const Dims* in = dims(step, 0);
  set(step, 0, std::nullopt, type(step, 0));
  set(step, 1, std::nullopt, DataType::kInt64);
  if (in == nullptr) return;
  const auto axis = axis_of(step.node->integer("axis", -1), in->size());
  if (!axis) return;
  Dims out = *in;
  const auto k = integers(step, 1);
  const std::int64_t stated = step.node->integer("k", k && k->size() == 1 ? k->front() : -1);
  if (stated < 0) {
    ++bounded_results_;
  } else {
    out[*axis] = std::min(stated, out[*axis]);
  }
  set(step, 0, out, type(step, 0));
  set(step, 1, std::move(out), DataType::kInt64);
}

void OnnxShapes::range(const OnnxStep& step) {
  const OnnxNumbers* start = numbers(step, 0);
  const OnnxNumbers* limit = numbers(step, 1);
  const OnnxNumbers* delta = numbers(step, 2);
  set(step, 0, std::nullopt, type(step, 0));
  if (start == nullptr || limit == nullptr || delta == nullptr) return;
  if (start->size() != 1 || limit->size() != 1 || delta->size() != 1 || delta->front() == 0) return;
  const double count = std::max(0.0, std::ceil((limit->front() - start->front()) / delta->front()));
  if (!(count <= static_cast<double>(kMaxExtent))) return;
  set(step, 0, Dims{to_integer(count)}, type(step, 0));
  if (count > static_cast<double>(kMaxOnnxNumbers)) return;
  OnnxNumbers out;
  for (std::int64_t i = 0; i < to_integer(count); ++i)
    out.push_back(start->front() + static_cast<double>(i) * delta->front());
  set_numbers(step, std::move(out));
}

}  // namespace edgejoule::import
