// Results of operators that move, select and repeat elements.
#include <algorithm>

#include "import/tflite/operator_shapes.h"

namespace edgejoule::import {

using namespace tflite_wire;

OperatorShapes::Shape OperatorShapes::reshape() const {
  const Shape in = shape(0);
  std::optional<Ints> to = values(1);
  const auto* options = op_.wire->builtin_options_as_ReshapeOptions();
  if (!to && op_.inputs.size() < 2 && options != nullptr && options->new_shape() != nullptr) {
    to.emplace(options->new_shape()->begin(), options->new_shape()->end());
  }
  if (!to) return std::nullopt;
  const auto open = std::find(to->begin(), to->end(), -1);
  if (open == to->end()) return to;
  *open = 1;
  const auto rest = product(*to);
  if (!in || !rest || *rest <= 0) return std::nullopt;
  const auto count = product(*in);
  if (!count || *count % *rest != 0) return std::nullopt;
  *open = *count / *rest;
  return to;
}

OperatorShapes::Shape OperatorShapes::squeeze() const {
  const Shape in = shape(0);
  const auto* options = op_.wire->builtin_options_as_SqueezeOptions();
  if (!in) return std::nullopt;
  std::vector<bool> drop(in->size());
  if (options == nullptr || options->squeeze_dims() == nullptr || options->squeeze_dims()->size() == 0) {
    for (std::size_t i = 0; i < in->size(); ++i) drop[i] = (*in)[i] == 1;
  } else {
    for (const std::int32_t dim : *options->squeeze_dims()) {
      const auto axis = axis_of(dim, in->size());
      if (!axis) return std::nullopt;
      drop[*axis] = true;
    }
  }
  Dims out;
  for (std::size_t i = 0; i < in->size(); ++i) {
    if (!drop[i]) out.push_back((*in)[i]);
  }
  return out;
}

OperatorShapes::Shape OperatorShapes::expand_dims() const {
  Shape in = shape(0);
  const auto at = value(1);
  if (!in || !at) return std::nullopt;
  const auto axis = axis_of(*at, in->size() + 1);
  if (!axis) return std::nullopt;
  in->insert(in->begin() + static_cast<std::ptrdiff_t>(*axis), 1);
  return in;
}

OperatorShapes::Shape OperatorShapes::concatenation() const {
  Shape out = shape(0);
  const auto* options = op_.wire->builtin_options_as_ConcatenationOptions();
  if (!out || options == nullptr) return std::nullopt;
  const auto axis = axis_of(options->axis(), out->size());
  if (!axis) return std::nullopt;
  for (std::size_t i = 1; i < op_.inputs.size(); ++i) {
    const Shape next = ranked(i, out->size());
    if (!next) return std::nullopt;
    (*out)[*axis] += (*next)[*axis];
  }
  return out;
}

OperatorShapes::Shape OperatorShapes::pack() const {
  Shape out = shape(0);
  const auto* options = op_.wire->builtin_options_as_PackOptions();
  if (!out) return std::nullopt;
  const auto axis = axis_of(options == nullptr ? 0 : options->axis(), out->size() + 1);
  if (!axis) return std::nullopt;
  out->insert(out->begin() + static_cast<std::ptrdiff_t>(*axis), static_cast<std::int64_t>(op_.inputs.size()));
  return out;
}

OperatorShapes::Shapes OperatorShapes::unpack() const {
  Shape out = shape(0);
  const auto* options = op_.wire->builtin_options_as_UnpackOptions();
  if (!out || out->empty()) return {};
  const auto axis = axis_of(options == nullptr ? 0 : options->axis(), out->size());
  if (!axis) return {};
  out->erase(out->begin() + static_cast<std::ptrdiff_t>(*axis));
  return Shapes(op_.outputs.size(), out);
}

OperatorShapes::Shapes OperatorShapes::split() const {  // (axis, value)
  Shape out = shape(1);
  const auto at = value(0);
  if (!out || !at || op_.outputs.empty()) return {};
  const auto axis = axis_of(*at, out->size());
  if (!axis) return {};
  (*out)[*axis] /= static_cast<std::int64_t>(op_.outputs.size());
  return Shapes(op_.outputs.size(), out);
}

OperatorShapes::Shapes OperatorShapes::split_v() const {  // (value, sizes, axis)
  const Shape in = shape(0);
  const auto sizes = values(1);
  const auto at = value(2);
  if (!in || !sizes || !at || sizes->size() != op_.outputs.size()) return {};
  const auto axis = axis_of(*at, in->size());
  if (!axis) return {};
  std::int64_t stated = 0;
  for (const std::int64_t size : *sizes) stated += std::max<std::int64_t>(size, 0);
  Shapes out;
  for (const std::int64_t size : *sizes) {
    out.push_back(in);
    (*out.back())[*axis] = size >= 0 ? size : (*in)[*axis] - stated;
  }
  return out;
}

OperatorShapes::Shape OperatorShapes::slice() const {
  const Shape in = shape(0);
  const auto begin = values(1);
  auto size = values(2);
  if (!size) return std::nullopt;
  for (std::size_t i = 0; i < size->size(); ++i) {
    if ((*size)[i] != -1) continue;
    if (!in || !begin || in->size() != size->size() || begin->size() != size->size()) return std::nullopt;
    (*size)[i] = (*in)[i] - (*begin)[i];
  }
  return size;
}

OperatorShapes::Shape OperatorShapes::strided_slice() const {
  const Shape in = shape(0);
  if (!in) return std::nullopt;
  return with_slice([&](const StridedSlice& slice) { return sliced_dims(*in, slice); });
}

OperatorShapes::Shape OperatorShapes::transpose() const {
  const Shape in = shape(0);
  const auto order = values(1);
  if (!in || !order || order->size() != in->size()) return std::nullopt;
  Dims out;
  for (const std::int64_t from : *order) {
    const auto axis = axis_of(from, in->size());
    if (!axis) return std::nullopt;
    out.push_back((*in)[*axis]);
  }
  return out;
}

OperatorShapes::Shape OperatorShapes::pad() const {
  Shape out = shape(0);
  const auto amounts = values(1);
  if (!out || !amounts || amounts->size() != 2 * out->size()) return std::nullopt;
  for (std::size_t i = 0; i < out->size(); ++i) (*out)[i] += (*amounts)[2 * i] + (*amounts)[2 * i + 1];
  return out;
}

OperatorShapes::Shape OperatorShapes::reduce() const {
  const Shape in = shape(0);
  const auto axes = values(1);
  const auto* options = op_.wire->builtin_options_as_ReducerOptions();
  if (!in || !axes) return std::nullopt;
  std::vector<bool> reduced(in->size());
  for (const std::int64_t at : *axes) {
    const auto axis = axis_of(at, in->size());
    if (!axis) return std::nullopt;
    reduced[*axis] = true;
  }
  Dims out;
  for (std::size_t i = 0; i < in->size(); ++i) {
    if (!reduced[i]) {
      out.push_back((*in)[i]);
    } else if (options != nullptr && options->keep_dims()) {
      out.push_back(1);
    }
  }
  return out;
}

OperatorShapes::Shape OperatorShapes::arg() const {
  Shape out = shape(0);
  const auto at = value(1);
  if (!out || !at) return std::nullopt;
  const auto axis = axis_of(*at, out->size());
  if (!axis) return std::nullopt;
  out->erase(out->begin() + static_cast<std::ptrdiff_t>(*axis));
  return out;
}

OperatorShapes::Shapes OperatorShapes::top_k() const {
  Shape out = shape(0);
  const auto k = value(1);
  if (!out || out->empty() || !k) return {};
  out->back() = *k;
  return {out, out};
}

OperatorShapes::Shape OperatorShapes::resize() const {
  const Shape in = ranked(0, 4);
  const auto size = values(1);
  if (!in || !size || size->size() != 2) return std::nullopt;
  return Dims{(*in)[0], (*size)[0], (*size)[1], (*in)[3]};
}

OperatorShapes::Shape OperatorShapes::space_to_depth() const {
  const Shape in = ranked(0, 4);
  const auto* options = op_.wire->builtin_options_as_SpaceToDepthOptions();
  if (!in || options == nullptr || options->block_size() <= 0) return std::nullopt;
  const std::int64_t b = options->block_size();
  const auto depth = product({(*in)[3], b, b});
  if (!depth) return std::nullopt;
  return Dims{(*in)[0], (*in)[1] / b, (*in)[2] / b, *depth};
}

OperatorShapes::Shape OperatorShapes::depth_to_space() const {
  const Shape in = ranked(0, 4);
  const auto* options = op_.wire->builtin_options_as_DepthToSpaceOptions();
  if (!in || options == nullptr || options->block_size() <= 0) return std::nullopt;
  const std::int64_t b = options->block_size();
  const auto h = product({(*in)[1], b});
  const auto w = product({(*in)[2], b});
  if (!h || !w) return std::nullopt;
  return Dims{(*in)[0], *h, *w, (*in)[3] / (b * b)};
}

OperatorShapes::Shape OperatorShapes::space_to_batch() const {  // (value, block, paddings)
  Shape out = shape(0);
  const auto block = values(1);
  const auto pads = values(2);
  if (!out || !block || !pads || pads->size() != 2 * block->size() || out->size() <= block->size()) return std::nullopt;
  for (std::size_t i = 0; i < block->size(); ++i) {
    const std::int64_t b = (*block)[i];
    if (b <= 0) return std::nullopt;
    (*out)[i + 1] = ((*out)[i + 1] + (*pads)[2 * i] + (*pads)[2 * i + 1]) / b;
    if (__builtin_mul_overflow((*out)[0], b, out->data())) return std::nullopt;
  }
  return out;
}

OperatorShapes::Shape OperatorShapes::batch_to_space() const {  // (value, block, crops)
  Shape out = shape(0);
  const auto block = values(1);
  const auto crops = values(2);
  if (!out || !block || !crops || crops->size() != 2 * block->size() || out->size() <= block->size()) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < block->size(); ++i) {
    const std::int64_t b = (*block)[i];
    if (b <= 0) return std::nullopt;
    if (__builtin_mul_overflow((*out)[i + 1], b, &(*out)[i + 1])) return std::nullopt;
    (*out)[i + 1] -= (*crops)[2 * i] + (*crops)[2 * i + 1];
    (*out)[0] /= b;
  }
  return out;
}

OperatorShapes::Shape OperatorShapes::gather() const {
  const Shape in = shape(0);
  const Shape at = shape(1);
  const auto* options = op_.wire->builtin_options_as_GatherOptions();
  if (!in || !at) return std::nullopt;
  const auto axis = axis_of(options == nullptr ? 0 : options->axis(), in->size());
  const std::int64_t batch = options == nullptr ? 0 : options->batch_dims();
  if (!axis || batch < 0 || batch > static_cast<std::int64_t>(std::min(*axis, at->size()))) return std::nullopt;
  Dims out(in->begin(), in->begin() + static_cast<std::ptrdiff_t>(*axis));
  out.insert(out.end(), at->begin() + batch, at->end());
  out.insert(out.end(), in->begin() + static_cast<std::ptrdiff_t>(*axis) + 1, in->end());
  return out;
}

OperatorShapes::Shape OperatorShapes::gather_nd() const {
  const Shape in = shape(0);
  const Shape at = shape(1);
  if (!in || !at || at->empty() || at->back() < 0 || at->back() > static_cast<std::int64_t>(in->size())) {
    return std::nullopt;
  }
  Dims out(at->begin(), at->end() - 1);
  out.insert(out.end(), in->begin() + at->back(), in->end());
  return out;
}

OperatorShapes::Shape OperatorShapes::embedding() const {  // (ids, table)
  const Shape ids = shape(0);
  const Shape table = shape(1);
  if (!ids || !table || table->empty()) return std::nullopt;
  Dims out = *ids;
  out.insert(out.end(), table->begin() + 1, table->end());
  return out;
}

OperatorShapes::Shape OperatorShapes::one_hot() const {
  Shape out = shape(0);
  const auto depth = value(1);
  const auto* options = op_.wire->builtin_options_as_OneHotOptions();
  if (!out || !depth) return std::nullopt;
  const auto axis = axis_of(options == nullptr ? -1 : options->axis(), out->size() + 1);
  if (!axis) return std::nullopt;
  out->insert(out->begin() + static_cast<std::ptrdiff_t>(*axis), *depth);
  return out;
}

OperatorShapes::Shape OperatorShapes::tile() const {
  Shape out = shape(0);
  const auto times = values(1);
  if (!out || !times || times->size() != out->size()) return std::nullopt;
  for (std::size_t i = 0; i < out->size(); ++i) {
    if (__builtin_mul_overflow((*out)[i], (*times)[i], &(*out)[i])) return std::nullopt;
  }
  return out;
}

OperatorShapes::Shape OperatorShapes::rank_vector() const {
  const Shape in = shape(0);
  if (!in) return std::nullopt;
  return Dims{static_cast<std::int64_t>(in->size())};
}

OperatorShapes::Shape OperatorShapes::range() const {
  const auto start = value(0);
  const auto limit = value(1);
  const auto step = value(2);
  if (!start || !limit || !step || *step == 0) return std::nullopt;
  const std::int64_t distance = *step > 0 ? *limit - *start : *start - *limit;
  const std::int64_t stride = *step > 0 ? *step : -*step;
  return Dims{distance <= 0 ? 0 : (distance + stride - 1) / stride};
}

OperatorShapes::Shape OperatorShapes::matrix_diag() const {
  Shape out = shape(0);
  if (!out || out->empty()) return std::nullopt;
  out->push_back(out->back());
  return out;
}

}  // namespace edgejoule::import
