// Ops that only look at, cut, join or rearrange tensors.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "import/onnx/numbers.h"
#include "import/onnx/shapes.h"

namespace edgejoule::import {

void OnnxShapes::shape_of(const OnnxStep& step) {
  const Dims* in = dims(step, 0);
  if (in == nullptr) {
    set(step, 0, std::nullopt, DataType::kInt64);
    return;
  }
  if (step.row->rule == OnnxRule::kSize) {
    set(step, 0, Dims{}, DataType::kInt64);
    set_numbers(step, {static_cast<double>(elements_of(*in, std::string(step.node->name.substr(0, 80))))});
    return;
  }
  const auto rank = static_cast<std::int64_t>(in->size());
  const auto clamp = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank); };
  const std::int64_t first = clamp(std::max(step.node->integer("start", 0), -rank));
  const std::int64_t last = std::max(first, clamp(std::max(step.node->integer("end", rank), -rank - 1)));
  set(step, 0, Dims{last - first}, DataType::kInt64);
  set_numbers(step, OnnxNumbers(in->begin() + first, in->begin() + last));
}

void OnnxShapes::reshape(const OnnxStep& step) {
  const Dims* in = dims(step, 0);
  auto to = integers(step, "shape", 1);
  set(step, 0, std::nullopt, type(step, 0));
  if (!to) return;
  const bool copy_zeros = step.node->integer("allowzero", 0) == 0;
  std::optional<std::size_t> open;
  std::uint64_t known = 1;
  for (std::size_t i = 0; i < to->size(); ++i) {
    std::int64_t& dim = (*to)[i];
    if (dim == 0 && copy_zeros) {
      if (in == nullptr || i >= in->size()) return;
      dim = (*in)[i];
    }
    if (dim == -1) {
      if (open) return;
      open = i;
    } else if (dim < 0 || __builtin_mul_overflow(known, extent_of(dim), &known)) {
      return;
    }
  }
  if (in != nullptr) {
    const std::uint64_t elements = elements_of(*in, std::string(step.node->name.substr(0, 80)));
    if (open) {
      if (known == 0 || elements % known != 0) return;
      (*to)[*open] = static_cast<std::int64_t>(elements / known);
    }
  } else if (open) {
    return;
  }
  set(step, 0, std::move(*to), type(step, 0));
  copy_numbers(step);
}

void OnnxShapes::squeeze(const OnnxStep& step) {
  const Dims* in = dims(step, 0);
  set(step, 0, std::nullopt, type(step, 0));
  if (in == nullptr) return;
  const auto axes = integers(step, "axes", 1);
  if (!axes && step.input(1) != kNoValue) return;
  std::vector<bool> gone(in->size(), false);
  if (axes) {
    for (const std::int64_t stated : *axes) {
      const auto axis = axis_of(stated, in->size());
      if (!axis) return;
      gone[*axis] = true;
    }
  } else {
    for (std::size_t i = 0; i < in->size(); ++i) gone[i] = (*in)[i] == 1;
  }
  Dims out;
  for (std::size_t i = 0; i < in->size(); ++i) {
    if (!gone[i]) out.push_back((*in)[i]);
  }
  set(step, 0, std::move(out), type(step, 0));
  copy_numbers(step);
}

void OnnxShapes::unsqueeze(const OnnxStep& step) {
  const Dims* in = dims(step, 0);
  set(step, 0, std::nullopt, type(step, 0));
  const auto axes = integers(step, "axes", 1);
  if (in == nullptr || !axes || in->size() + axes->size() > kMaxRank) return;
  std::vector<bool> added(in->size() + axes->size(), false);
  for (const std::int64_t stated : *axes) {
    const auto axis = axis_of(stated, added.size());
    if (!axis || added[*axis]) return;
    added[*axis] = true;
  }
  Dims out;
  auto next = in->begin();
  for (const bool one : added) out.push_back(one ? 1 : *next++);
  set(step, 0, std::move(out), type(step, 0));
  copy_numbers(step);
}

void OnnxShapes::concatenation(const OnnxStep& step, std::size_t first, std::size_t stride) {
  const Dims* in = dims(step, first);
  set(step, 0, std::nullopt, type(step, first));
  if (in == nullptr) return;
  const auto axis = axis_of(step.node->integer("axis", 1), in->size());
  if (!axis) return;
  Dims out = *in;
  OnnxNumbers joined;
  bool all_known = in->size() == 1;
  for (std::size_t i = first; i < step.inputs.size(); i += stride) {
    const Dims* part = dims(step, i);
    if (part == nullptr || part->size() != out.size()) return;
    if (i > first && __builtin_add_overflow(out[*axis], (*part)[*axis], &out[*axis])) return;
    const OnnxNumbers* known = numbers(step, i);
    all_known = all_known && known != nullptr && joined.size() <= kMaxOnnxNumbers;
    if (all_known) joined.insert(joined.end(), known->begin(), known->end());
  }
  set(step, 0, std::move(out), type(step, first));
  if (all_known) set_numbers(step, std::move(joined));
}

void OnnxShapes::split(const OnnxStep& step) {
  const Dims* in = dims(step, 0);
  for (std::size_t i = 0; i < step.outputs.size(); ++i) set(step, i, std::nullopt, type(step, 0));
  if (in == nullptr || step.outputs.empty()) return;
  const auto axis = axis_of(step.node->integer("axis", 0), in->size());
  if (!axis) return;
  const auto parts = integers(step, "split", 1);
  if (!parts && step.input(1) != kNoValue) return;
  const auto count = static_cast<std::int64_t>(step.outputs.size());
  const std::int64_t even = ((*in)[*axis] + count - 1) / count;
  std::int64_t left = (*in)[*axis];
  const OnnxNumbers* known = in->size() == 1 ? numbers(step, 0) : nullptr;
  for (std::size_t i = 0; i < step.outputs.size(); ++i) {
    if (parts && i >= parts->size()) return;
    const std::int64_t part = parts ? (*parts)[i] : std::min(even, left);
    if (part < 0 || part > left) return;
    Dims out = *in;
    out[*axis] = part;
    set(step, i, std::move(out), type(step, 0));
    if (known != nullptr && step.outputs[i] != kNoValue) {
      const auto begin = known->end() - left;
      values_[step.outputs[i]].numbers = OnnxNumbers(begin, begin + part);
    }
    left -= part;
  }
}

void OnnxShapes::slice(const OnnxStep& step) {
  const Dims* in = dims(step, 0);
  set(step, 0, std::nullopt, type(step, 0));
  const auto starts = integers(step, "starts", 1);
  const auto ends = integers(step, "ends", 2);
  auto axes = integers(step, "axes", 3);
  auto steps = integers(step, 4);
  if (in == nullptr || !starts || !ends || starts->size() != ends->size()) return;
  if ((!axes && step.input(3) != kNoValue) || (!steps && step.input(4) != kNoValue)) return;
  if (!axes) {
    axes.emplace(starts->size());
    std::iota(axes->begin(), axes->end(), 0);
  }
  if (!steps) steps.emplace(starts->size(), 1);
  if (axes->size() != starts->size() || steps->size() != starts->size()) return;
  Dims out = *in;
  std::int64_t picked_from = 0;
  std::int64_t picked_step = 1;
  for (std::size_t i = 0; i < starts->size(); ++i) {
    const auto axis = axis_of((*axes)[i], in->size());
    const std::int64_t by = (*steps)[i];
    if (!axis || by == 0) return;
    const std::int64_t size = (*in)[*axis];
    const auto place = [&](std::int64_t at, std::int64_t low, std::int64_t high) {
      return std::clamp(at < 0 ? at + size : at, low, high);
    };
    const std::int64_t first =
        by > 0 ? place((*starts)[i], 0, size) : place((*starts)[i], 0, std::max<std::int64_t>(size - 1, 0));
    const std::int64_t last = by > 0 ? place((*ends)[i], 0, size) : place((*ends)[i], -1, size - 1);
    const std::int64_t span = by > 0 ? last - first : first - last;
    const std::int64_t magnitude = by > 0 ? by : -std::max(by, -kMaxExtent);
    out[*axis] = span <= 0 ? 0 : (span - 1) / magnitude + 1;
    picked_from = first;
    picked_step = by;
  }
  const bool vector = in->size() == 1 && starts->size() == 1;
  const std::int64_t count = out.empty() ? 0 : out.front();
  set(step, 0, std::move(out), type(step, 0));
  const OnnxNumbers* known = numbers(step, 0);
  if (!vector || known == nullptr) return;
  OnnxNumbers picked;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t at = picked_from + i * picked_step;
    if (at < 0 || at >= static_cast<std::int64_t>(known->size())) return;
    picked.push_back((*known)[static_cast<std::size_t>(at)]);
  }
  set_numbers(step, std::move(picked));
}

void OnnxShapes::pad(const OnnxStep& step) {
  const Dims* in = dims(step, 0);
  set(step, 0, std::nullopt, type(step, 0));
  auto pads = integers(step, "pads", 1);
  if (!pads) pads = integers(step, "paddings", 1);
  auto axes = integers(step, 3);
  if (in == nullptr || !pads || (!axes && step.input(3) != kNoValue)) return;
  if (!axes) {
    axes.emplace(in->size());
    std::iota(axes->begin(), axes->end(), 0);
  }
  if (pads->size() != 2 * axes->size()) return;
  Dims out = *in;
  for (std::size_t i = 0; i < axes->size(); ++i) {
    const auto axis = axis_of((*axes)[i], in->size());
    if (!axis || __builtin_add_overflow(out[*axis], (*pads)[i], &out[*axis]) ||
        __builtin_add_overflow(out[*axis], (*pads)[i + axes->size()], &out[*axis])) {
      return;
    }
  }
  set(step, 0, std::move(out), type(step, 0));
}

// Sizes win over scales. Resize of opset 10 and Upsample have the scales second.
void OnnxShapes::resize(const OnnxStep& step) {
  const Dims* in = dims(step, 0);
  set(step, 0, std::nullopt, type(step, 0));
  if (in == nullptr) return;
  std::vector<std::int64_t> axes = step.node->ints("axes");
  if (axes.empty()) {
    axes.resize(in->size());
    std::iota(axes.begin(), axes.end(), 0);
  }
  const bool early = step.node->op_type == "Upsample" || step.inputs.size() == 2;
  std::optional<OnnxNumbers> scales;
  if (const OnnxAttribute* stated = step.node->attribute("scales")) {
    scales = OnnxNumbers(stated->floats.begin(), stated->floats.end());
  } else if (const OnnxNumbers* known = numbers(step, early ? 1 : 2); known != nullptr && !known->empty()) {
    scales = *known;
  }
  const auto sizes = integers(step, 3);
  Dims out = *in;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto axis = axis_of(axes[i], in->size());
    if (!axis) return;
    if (sizes && sizes->size() == axes.size()) {
      out[*axis] = (*sizes)[i];
    } else if (scales && scales->size() == axes.size() && (*scales)[i] > 0) {
      out[*axis] = to_integer(std::floor(static_cast<double>(out[*axis]) * (*scales)[i]));
    } else {
      return;
    }
  }
  set(step, 0, std::move(out), type(step, 0));
}

void OnnxShapes::gather(const OnnxStep& step) {
  const Dims* in = dims(step, 0);
  const Dims* indices = dims(step, 1);
  const bool blocks = step.node->op_type == "GatherBlockQuantized";
  set(step, 0, std::nullopt, blocks ? type(step, 2) : type(step, 0));
  if (in == nullptr || indices == nullptr) return;
  const auto axis = axis_of(step.node->integer(blocks ? "gather_axis" : "axis", 0), in->size());
  if (!axis) return;
  const auto cut = static_cast<std::ptrdiff_t>(*axis);
  Dims out(in->begin(), in->begin() + cut);
  out.insert(out.end(), indices->begin(), indices->end());
  out.insert(out.end(), in->begin() + cut + 1, in->end());
  set(step, 0, std::move(out), DataType::kUnknown);
  const OnnxNumbers* known = numbers(step, 0);
  const auto picks = integers(step, 1);
  if (known == nullptr || !picks || in->size() != 1) return;
  OnnxNumbers picked;
  for (const std::int64_t pick : *picks) {
    const auto at = axis_of(pick, known->size());
    if (!at) return;
    picked.push_back((*known)[*at]);
  }
  set_numbers(step, std::move(picked));
}

void OnnxShapes::gather_nd(const OnnxStep& step) {
  const Dims* in = dims(step, 0);
  const Dims* indices = dims(step, 1);
  set(step, 0, std::nullopt, type(step, 0));
  const std::int64_t batch = step.node->integer("batch_dims", 0);
  if (in == nullptr || indices == nullptr || indices->empty() || batch < 0) return;
  const auto rank = static_cast<std::int64_t>(in->size());
  if (indices->back() > rank || batch > rank - indices->back()) return;
  Dims out(indices->begin(), indices->end() - 1);
  out.insert(out.end(), in->begin() + batch + indices->back(), in->end());
  set(step, 0, std::move(out), type(step, 0));
}

}  // namespace edgejoule::import
