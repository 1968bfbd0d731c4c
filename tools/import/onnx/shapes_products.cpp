// The operators that multiply matrices or slide windows: convolutions, pools, products,
// attention, recurrent layers.
#include <algorithm>
#include <cctype>
#include <map>
#include <utility>

#include "import/onnx/shapes.h"
#include "import/onnx/window.h"

namespace edgejoule::import {
namespace {

using Integers = std::vector<std::int64_t>;

bool in_range(const Integers& values, std::int64_t low) {
  return std::all_of(values.begin(), values.end(), [&](std::int64_t v) { return v >= low && v <= kMaxExtent; });
}

}  // namespace

std::optional<OnnxWindow> window_of(const OnnxNode& node, std::size_t spatial_rank, Integers kernel) {
  OnnxWindow out;
  out.kernel = std::move(kernel);
  out.strides = node.ints("strides");
  out.dilations = node.ints("dilations");
  out.pads = node.ints("pads");
  out.auto_pad = node.text("auto_pad");
  out.ceil_mode = node.integer("ceil_mode", 0) != 0;
  if (out.strides.empty()) out.strides.assign(spatial_rank, 1);
  if (out.dilations.empty()) out.dilations.assign(spatial_rank, 1);
  if (out.pads.empty()) out.pads.assign(2 * spatial_rank, 0);
  if (out.kernel.size() != spatial_rank || out.strides.size() != spatial_rank || out.dilations.size() != spatial_rank ||
      out.pads.size() != 2 * spatial_rank || !in_range(out.kernel, 1) || !in_range(out.strides, 1) ||
      !in_range(out.dilations, 1) || !in_range(out.pads, -kMaxExtent)) {
    return std::nullopt;
  }
  return out;
}

std::optional<std::int64_t> window_extent(const OnnxWindow& window, std::size_t i, std::int64_t input) {
  if (input > kMaxExtent) return std::nullopt;
  const std::int64_t stride = window.strides[i];
  if (window.auto_pad == "SAME_UPPER" || window.auto_pad == "SAME_LOWER") return (input + stride - 1) / stride;
  const bool padded = window.auto_pad != "VALID";
  const std::int64_t before = padded ? window.pads[i] : 0;
  const std::int64_t after = padded ? window.pads[i + window.kernel.size()] : 0;
  std::int64_t reach = 0;
  if (__builtin_mul_overflow(window.kernel[i] - 1, window.dilations[i], &reach)) return std::nullopt;
  const std::int64_t slide = input + before + after - (reach + 1);
  if (slide < 0) return std::nullopt;
  std::int64_t out = slide / stride + 1;
  // The last window must begin within the input or its padding in front.
  if (window.ceil_mode && slide % stride != 0 && out * stride < input + before) ++out;
  return out;
}

void OnnxShapes::convolution(const OnnxStep& step) {
  const OnnxOperands& at = step.row->operands;
  const Dims* in = dims(step, static_cast<std::size_t>(at.data));
  const Dims* filter = dims(step, static_cast<std::size_t>(at.weights));
  const bool integer = step.node->op_type == "ConvInteger";
  set(step, 0, std::nullopt, integer ? DataType::kInt32 : type(step, 0));
  if (at.output_zero_point >= 0) {
    set(step, 0, std::nullopt, type(step, static_cast<std::size_t>(at.output_zero_point)));
  }
  if (in == nullptr || filter == nullptr || in->size() < 3 || filter->size() != in->size()) return;
  const auto window = window_of(*step.node, in->size() - 2, Integers(filter->begin() + 2, filter->end()));
  if (!window) return;
  Dims out{(*in)[0], (*filter)[0]};
  for (std::size_t i = 2; i < in->size(); ++i) {
    const auto extent = window_extent(*window, i - 2, (*in)[i]);
    if (!extent) return;
    out.push_back(*extent);
  }
  set(step, 0, std::move(out), DataType::kUnknown);
}

void OnnxShapes::transposed_convolution(const OnnxStep& step) {
  const Dims* in = dims(step, 0);
  const Dims* filter = dims(step, 1);
  set(step, 0, std::nullopt, type(step, 0));
  if (in == nullptr || filter == nullptr || in->size() < 3 || filter->size() != in->size()) return;
  const std::size_t rank = in->size() - 2;
  const auto window = window_of(*step.node, rank, Integers(filter->begin() + 2, filter->end()));
  const std::int64_t groups = step.node->integer("group", 1);
  Integers extra = step.node->ints("output_padding");
  if (extra.empty()) extra.assign(rank, 0);
  const Integers stated = step.node->ints("output_shape");
  if (!window || groups < 1 || groups > kMaxExtent || (*filter)[1] > kMaxExtent || extra.size() != rank ||
      !in_range(extra, 0)) {
    return;
  }
  Dims out{(*in)[0], (*filter)[1] * groups};
  for (std::size_t i = 0; i < rank; ++i) {
    const std::int64_t size = (*in)[i + 2];
    if (size > kMaxExtent || size < 1) return;
    if (stated.size() >= rank) {
      out.push_back(stated[stated.size() - rank + i]);
    } else if (window->auto_pad.substr(0, 4) == "SAME") {
      out.push_back(size * window->strides[i]);
    } else {
      std::int64_t reach = 0;
      std::int64_t spread = 0;
      if (__builtin_mul_overflow(window->kernel[i] - 1, window->dilations[i], &reach) ||
          __builtin_mul_overflow(window->strides[i], size - 1, &spread) ||
          __builtin_add_overflow(spread, reach + 1 + extra[i] - window->pads[i] - window->pads[i + rank], &spread)) {
        return;
      }
      out.push_back(spread);
    }
  }
  set(step, 0, std::move(out), DataType::kUnknown);
}

void OnnxShapes::pool(const OnnxStep& step) {
  const bool last = step.node->integer("channels_last", 0) != 0;
  const Dims* in = dims(step, 0);
  set(step, 0, std::nullopt, type(step, 0));
  set(step, 1, std::nullopt, DataType::kInt64);
  if (in == nullptr || in->size() < 3 || last) return;
  Dims out{(*in)[0], (*in)[1]};
  if (step.row->rule == OnnxRule::kGlobalPool) {
    out.resize(in->size(), 1);
  } else {
    const auto window = window_of(*step.node, in->size() - 2, step.node->ints("kernel_shape"));
    if (!window) return;
    for (std::size_t i = 2; i < in->size(); ++i) {
      const auto extent = window_extent(*window, i - 2, (*in)[i]);
      if (!extent) return;
      out.push_back(*extent);
    }
  }
  set(step, 0, out, DataType::kUnknown);
  if (step.row->rule == OnnxRule::kPool) set(step, 1, std::move(out), DataType::kInt64);
}

void OnnxShapes::gemm(const OnnxStep& step) {
  const OnnxOperands& at = step.row->operands;
  const Dims* a = dims(step, 0);
  const Dims* b = dims(step, static_cast<std::size_t>(at.weights));
  DataType result = type(step, 0);
  if (step.node->op_type == "QGemm") {
    result = type(step, static_cast<std::size_t>(at.output_zero_point));
    if (result == DataType::kUnknown) result = DataType::kFloat32;
  }
  set(step, 0, std::nullopt, result);
  if (a == nullptr || b == nullptr || a->size() != 2 || b->size() != 2) return;
  const bool left = step.node->integer("transA", 0) != 0;
  const bool right = step.node->integer("transB", 0) != 0;
  set(step, 0, Dims{(*a)[left ? 1 : 0], (*b)[right ? 0 : 1]}, DataType::kUnknown);
}

void OnnxShapes::matmul(const OnnxStep& step) {
  const OnnxOperands& at = step.row->operands;
  const Dims* a = dims(step, 0);
  const std::string_view op = step.node->op_type;
  DataType result = type(step, 0);
  if (op == "MatMulInteger" || op == "MatMulInteger16") result = DataType::kInt32;
  if (op == "MatMulIntegerToFloat") result = type(step, 2);
  if (at.output_zero_point >= 0) result = type(step, static_cast<std::size_t>(at.output_zero_point));
  set(step, 0, std::nullopt, result);
  if (a == nullptr || a->empty()) return;
  if (step.row->rule == OnnxRule::kMatmulNBits) {
    Dims out(a->begin(), a->end() - 1);
    out.push_back(step.node->integer("N", -1));
    set(step, 0, std::move(out), DataType::kUnknown);
    return;
  }
  const Dims* b = dims(step, static_cast<std::size_t>(at.weights));
  if (b == nullptr || b->empty()) return;
  const bool trans_a = step.node->integer("transA", 0) != 0;
  const bool trans_b = step.node->integer("transB", 0) != 0;
  const std::size_t left_inner = a->size() == 1 ? 0 : a->size() - (trans_a ? 2 : 1);
  const std::size_t right_inner = b->size() == 1 ? 0 : b->size() - (trans_b ? 1 : 2);
  if ((*a)[left_inner] != (*b)[right_inner]) return;
  const Dims left_outer(a->begin(), a->end() - std::min<std::ptrdiff_t>(2, std::ssize(*a)));
  const Dims right_outer(b->begin(), b->end() - std::min<std::ptrdiff_t>(2, std::ssize(*b)));
  auto out = broadcast(left_outer, right_outer);
  if (!out) return;
  if (a->size() > 1) out->push_back((*a)[a->size() - (trans_a ? 1 : 2)]);
  if (b->size() > 1) out->push_back((*b)[b->size() - (trans_b ? 2 : 1)]);
  set(step, 0, std::move(out), DataType::kUnknown);
}

// Each subscript a letter; an ellipsis becomes digits, counted from the right, so that
// those of both operands meet.
std::optional<EinsumTerms> einsum_terms(std::string_view equation, std::size_t left_rank, std::size_t right_rank) {
  constexpr std::size_t kMaxEllipsis = 10;
  std::string text;
  for (const char c : equation) {
    if (c != ' ') text += c;
  }
  const std::size_t arrow = text.find("->");
  const std::string operands = text.substr(0, arrow);
  const std::size_t comma = operands.find(',');
  if (comma == std::string::npos || operands.find(',', comma + 1) != std::string::npos) return std::nullopt;
  std::size_t widest = 0;
  const auto expand = [&](std::string term, std::size_t rank) -> std::optional<std::string> {
    const std::size_t dots = term.find("...");
    if (dots != std::string::npos) {
      const std::size_t letters = term.size() - 3;
      if (rank < letters || rank - letters > kMaxEllipsis) return std::nullopt;
      std::string digits;
      for (std::size_t i = rank - letters; i-- > 0;) digits += static_cast<char>('0' + i);
      widest = std::max(widest, digits.size());
      term.replace(dots, 3, digits);
    }
    const bool clean =
        std::all_of(term.begin(), term.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; });
    if (!clean || term.size() != rank) return std::nullopt;
    return term;
  };
  EinsumTerms out;
  const auto left = expand(operands.substr(0, comma), left_rank);
  const auto right = expand(operands.substr(comma + 1), right_rank);
  if (!left || !right) return std::nullopt;
  out.left = *left;
  out.right = *right;
  if (arrow != std::string::npos) {
    std::string result = text.substr(arrow + 2);
    const std::size_t dots = result.find("...");
    if (dots != std::string::npos) {
      const auto full = expand(result, result.size() - 3 + widest);
      if (!full) return std::nullopt;
      result = *full;
    }
    out.result = result;
  } else {
    // Implicit: what stands once, in alphabetical order (digits first).
    std::map<char, int> seen;
    for (const char c : out.left + out.right) ++seen[c];
    for (const auto& [letter, count] : seen) {
      if (count == 1 || std::isdigit(static_cast<unsigned char>(letter)) != 0) out.result += letter;
    }
  }
  return out;
}

void OnnxShapes::einsum(const OnnxStep& step) {
  const Dims* a = dims(step, 0);
  const Dims* b = dims(step, 1);
  set(step, 0, std::nullopt, type(step, 0));
  if (a == nullptr || b == nullptr || step.inputs.size() != 2) return;
  const auto terms = einsum_terms(step.node->text("equation"), a->size(), b->size());
  if (!terms) return;
  std::map<char, std::int64_t> extents;
  for (std::size_t i = 0; i < a->size(); ++i) extents[terms->left[i]] = (*a)[i];
  for (std::size_t i = 0; i < b->size(); ++i) {
    auto [entry, is_new] = extents.try_emplace(terms->right[i], (*b)[i]);
    if (!is_new && entry->second == 1) entry->second = (*b)[i];
  }
  Dims out;
  for (const char letter : terms->result) {
    const auto found = extents.find(letter);
    if (found == extents.end()) return;
    out.push_back(found->second);
  }
  set(step, 0, std::move(out), DataType::kUnknown);
}

// Shape: queries (batch, sequence, width) or (batch, heads, sequence, depth).
void OnnxShapes::attention(const OnnxStep& step) {
  const OnnxNode& node = *step.node;
  const Dims* query = dims(step, 0);
  const DataType data_type = node.op_type == "QAttention" ? type(step, 3) : type(step, 0);
  for (std::size_t i = 0; i < step.outputs.size(); ++i) set(step, i, std::nullopt, data_type);
  if (query == nullptr || query->size() < 3) return;
  Dims out = *query;
  if (step.row->rule == OnnxRule::kPackedAttention) {
    const Dims* projection = dims(step, 1);
    if (projection == nullptr || projection->size() != 2) return;
    const Integers sizes = node.ints("qkv_hidden_sizes");
    out.back() = sizes.size() == 3 ? sizes[2] : projection->back() / 3;
  } else if (step.row->rule == OnnxRule::kMultiHeadAttention) {
    const Dims* value = dims(step, 2);
    if (query->size() == 5) {  // packed: (batch, sequence, heads, 3, depth)
      if (out[2] > kMaxExtent || out[4] > kMaxExtent) return;
      out = {out[0], out[1], out[2] * out[4]};
    } else if (value != nullptr && value->size() == 3) {
      out.back() = value->back();
    } else if (value != nullptr && value->size() == 4) {
      if ((*value)[1] > kMaxExtent || (*value)[3] > kMaxExtent) return;
      out.back() = (*value)[1] * (*value)[3];
    }
  } else if (step.row->rule == OnnxRule::kGroupQueryAttention) {
    const std::int64_t heads = node.integer("num_heads", 0);
    const std::int64_t kv_heads = node.integer("kv_num_heads", 0);
    const bool packed = step.input(1) == kNoValue;
    if (heads < 1 || kv_heads < 1 || heads > kMaxExtent || kv_heads > kMaxExtent) return;
    const std::int64_t depth = out.back() / (packed ? heads + 2 * kv_heads : heads);
    if (depth > kMaxExtent) return;
    out.back() = heads * depth;
    const Dims* past = dims(step, 3);
    if (past != nullptr && past->size() == 4 && (*past)[2] <= kMaxExtent && out[1] <= kMaxExtent) {
      const Dims present{out[0], kv_heads, (*past)[2] + out[1], depth};
      set(step, 1, present, type(step, 3));
      set(step, 2, present, type(step, 3));
    }
  } else {  // ai.onnx Attention: the width of the values
    const Dims* value = dims(step, 2);
    if (value == nullptr || value->size() != query->size()) return;
    if (value->size() == 4) {
      out.back() = value->back();
    } else {
      const std::int64_t heads = node.integer("q_num_heads", 0);
      const std::int64_t kv_heads = node.integer("kv_num_heads", 0);
      if (heads < 1 || kv_heads < 1 || heads > kMaxExtent || value->back() / kv_heads > kMaxExtent) return;
      out.back() = value->back() / kv_heads * heads;
    }
  }
  set(step, 0, std::move(out), DataType::kUnknown);
  // The cache grown by this call, where the operands have a cache in heads.
  if (step.row->rule == OnnxRule::kGroupQueryAttention) return;
  const std::size_t past_at = step.row->rule == OnnxRule::kMultiHeadAttention ? 6 : 4;
  const Dims* past = dims(step, past_at);
  const Dims* key = dims(step, 1);
  if (past == nullptr || past->size() < 4) return;
  const std::int64_t added = step.row->rule == OnnxRule::kPackedAttention ? (*query)[1]
                             : key == nullptr || key->size() < 3          ? -1
                             : key->size() == 4                           ? (*key)[2]
                                                                          : (*key)[1];
  Dims present = *past;
  std::int64_t& length = present[present.size() - 2];
  if (added < 0 || __builtin_add_overflow(length, added, &length)) return;
  set(step, 1, present, DataType::kUnknown);
  if (step.row->rule != OnnxRule::kPackedAttention) {
    if (const Dims* past_value = dims(step, past_at + 1); past_value != nullptr && past_value->size() >= 4) {
      present.back() = past_value->back();
    }
    set(step, 2, std::move(present), DataType::kUnknown);
  }
}

void OnnxShapes::recurrent(const OnnxStep& step) {
  const Dims* in = dims(step, 0);
  const Dims* filter = dims(step, 2);
  for (std::size_t i = 0; i < step.outputs.size(); ++i) set(step, i, std::nullopt, type(step, 0));
  if (in == nullptr || filter == nullptr || in->size() != 3 || filter->size() != 3) return;
  const bool batch_first = step.node->integer("layout", 0) == 1;
  const std::int64_t directions = (*filter)[0];
  // The recurrence weights of DynamicQuantizeLSTM are stored transposed.
  const std::int64_t units = step.node->integer("hidden_size", filter->back());
  const std::int64_t steps = (*in)[batch_first ? 1 : 0];
  const std::int64_t batch = (*in)[batch_first ? 0 : 1];
  const Dims state = batch_first ? Dims{batch, directions, units} : Dims{directions, batch, units};
  set(step, 0, batch_first ? Dims{batch, steps, directions, units} : Dims{steps, directions, batch, units},
      DataType::kUnknown);
  set(step, 1, state, DataType::kUnknown);
  set(step, 2, state, DataType::kUnknown);
}

}  // namespace edgejoule::import
