#include "import/tflite/file.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "import/import.h"

namespace edgejoule::import {
namespace {

using namespace tflite_wire;

constexpr std::uint32_t kSchemaVersion = 3;
// Offsets of FlatBuffers are 31 bits; what a larger file holds behind them is only
// reachable through Buffer.offset.
constexpr std::uint64_t kMaxFlatBuffer = (1ULL << 31U) - 1;
constexpr flatbuffers::uoffset_t kMaxTableDepth = 16;
constexpr flatbuffers::uoffset_t kMaxTables = 1U << 22U;
// FlatBuffers may share a vector between tables, so a small file can describe a huge
// model. No real file comes near this.
constexpr std::uint64_t kMaxIndexEntries = 1U << 25U;
constexpr std::size_t kMaxTensorRank = 32;

template <class T>
std::size_t size_of(const T* vector) {
  return vector == nullptr ? 0 : vector->size();
}

std::string_view text_of(const flatbuffers::String* text) {
  return text == nullptr ? std::string_view() : std::string_view(text->c_str(), text->size());
}

class TfliteReader {
 public:
  TfliteReader(Span<const std::byte> bytes, std::string_view file) : bytes_(bytes), file_(file) {}

  TfliteFile read() {
    const Model& model = verified();
    if (model.version() != kSchemaVersion) {
      fail("the model", fmt::format("schema version {} instead of {}", model.version(), kSchemaVersion),
           "convert the model with a TFLite converter of 2018 or newer");
    }
    if (size_of(model.subgraphs()) == 0) {
      fail("the model", "no subgraph: there is nothing to run", "export the model again");
    }
    TfliteFile out;
    out.description = text_of(model.description());
    read_buffers(model);
    out.subgraphs.reserve(model.subgraphs()->size());
    for (const SubGraph* graph : *model.subgraphs()) {
      out.subgraphs.push_back(read_subgraph(model, *graph, out));
    }
    if (model.signature_defs() != nullptr) {
      for (const SignatureDef* signature : *model.signature_defs()) {
        if (signature->subgraph_index() >= out.subgraphs.size()) {
          fail(fmt::format("signature '{}'", text_of(signature->signature_key()).substr(0, 80)),
               fmt::format("subgraph {} of {}", signature->subgraph_index(), out.subgraphs.size()), kDamaged);
        }
        out.entry_points.push_back(signature->subgraph_index());
      }
    }
    check_references(out);
    return out;
  }

 private:
  static constexpr const char* kDamaged =
      "the file is damaged or was not written by a TFLite converter: export it again";

  [[noreturn]] void fail(const std::string& where, const std::string& what, const char* next) const {
    throw ImportError(fmt::format("{}: {}", file_, where), what, next);
  }

  const Model& verified() const {
    const auto* data = reinterpret_cast<const std::uint8_t*>(bytes_.data());
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(bytes_.size(), kMaxFlatBuffer - 1));
    flatbuffers::Verifier verifier(data, size, kMaxTableDepth, kMaxTables);
    if (!VerifyModelBuffer(verifier)) {
      fail("the FlatBuffer", "it does not verify (cut short, damaged, or more than four million tables)",
           "compare its size and checksum with the source and download it again");
    }
    return *GetModel(data);
  }

  void read_buffers(const Model& model) {
    buffers_.resize(size_of(model.buffers()));
    const auto* file = reinterpret_cast<const std::uint8_t*>(bytes_.data());
    for (std::size_t i = 0; i < buffers_.size(); ++i) {
      const Buffer& buffer = *model.buffers()->Get(static_cast<flatbuffers::uoffset_t>(i));
      if (size_of(buffer.data()) > 0) {
        buffers_[i] = {buffer.data()->data(), buffer.data()->size()};
      } else if (buffer.offset() > 1 && buffer.size() > 0) {
        if (buffer.offset() > bytes_.size() || buffer.size() > bytes_.size() - buffer.offset()) {
          fail(fmt::format("buffer {}", i),
               fmt::format("bytes {}..+{} of a file of {}", buffer.offset(), buffer.size(), bytes_.size()),
               "the file is cut short: compare its size with the source and download it again");
        }
        buffers_[i] = {file + buffer.offset(), static_cast<std::size_t>(buffer.size())};
      }
    }
  }

  IndexSpan indices(const flatbuffers::Vector<std::int32_t>* vector) {
    if (vector == nullptr) return {};
    entries_ += vector->size();
    if (entries_ > kMaxIndexEntries) {
      fail("the model", fmt::format("more than {} tensor indices", kMaxIndexEntries), kDamaged);
    }
    return {vector->data(), vector->size()};
  }

  void check(IndexSpan tensors, std::size_t count, const std::string& where, const char* role, bool optional) const {
    for (const std::int32_t index : tensors) {
      if (optional && index == -1) continue;
      if (index < 0 || static_cast<std::size_t>(index) >= count) {
        fail(where, fmt::format("{} tensor {} of {}", role, index, count), kDamaged);
      }
    }
  }

  TfliteSubgraph read_subgraph(const Model& model, const SubGraph& graph, TfliteFile& file) {
    TfliteSubgraph out;
    const std::string where = fmt::format("subgraph {}", file.subgraphs.size());
    out.name = text_of(graph.name());
    out.tensors.reserve(size_of(graph.tensors()));
    for (flatbuffers::uoffset_t i = 0; i < size_of(graph.tensors()); ++i) {
      const Tensor& tensor = *graph.tensors()->Get(i);
      out.tensors.push_back(read_tensor(tensor, fmt::format("{} tensor {}", where, i)));
      file.external_tensors += tensor.external_buffer() != 0 ? 1U : 0U;
    }
    out.inputs = indices(graph.inputs());
    out.outputs = indices(graph.outputs());
    check(out.inputs, out.tensors.size(), where, "input", true);
    check(out.outputs, out.tensors.size(), where, "output", true);
    out.operators.reserve(size_of(graph.operators()));
    for (flatbuffers::uoffset_t i = 0; i < size_of(graph.operators()); ++i) {
      const Operator& op = *graph.operators()->Get(i);
      const std::string at = fmt::format("{} operator {}", where, i);
      if (op.opcode_index() >= size_of(model.operator_codes())) {
        fail(at, fmt::format("operator code {} of {}", op.opcode_index(), size_of(model.operator_codes())), kDamaged);
      }
      const OperatorCode& code = *model.operator_codes()->Get(op.opcode_index());
      TfliteOperator& added = out.operators.emplace_back();
      added.code = std::max<std::int32_t>(code.deprecated_builtin_code(), code.builtin_code());
      added.custom_code = text_of(code.custom_code());
      added.wire = &op;
      added.inputs = indices(op.inputs());
      added.outputs = indices(op.outputs());
      if (added.code < 0) fail(at, fmt::format("negative operator code {}", added.code), kDamaged);
      check(added.inputs, out.tensors.size(), at, "input", true);
      check(added.outputs, out.tensors.size(), at, "output", true);
    }
    return out;
  }

  TfliteTensor read_tensor(const Tensor& tensor, const std::string& where) {
    TfliteTensor out;
    out.name = text_of(tensor.name());
    out.type = tensor.type();
    out.variable = tensor.is_variable();
    out.sparse = tensor.sparsity() != nullptr;
    out.buffer = tensor.buffer();
    if (tensor.buffer() >= buffers_.size() && tensor.buffer() != 0) {
      fail(where, fmt::format("buffer {} of {}", tensor.buffer(), buffers_.size()), kDamaged);
    }
    if (tensor.buffer() < buffers_.size()) out.data = buffers_[tensor.buffer()];
    out.stored_bytes = out.data.size();
    out.constant = !out.variable && (!out.data.empty() || tensor.external_buffer() != 0);
    if (tensor.quantization() != nullptr) out.scale_count = size_of(tensor.quantization()->scale());
    read_dims(tensor, where, out);
    return out;
  }

  void read_dims(const Tensor& tensor, const std::string& where, TfliteTensor& out) {
    const IndexSpan shape = indices(tensor.shape());
    const IndexSpan signature = indices(tensor.shape_signature());
    // A scalar has no dimensions either; only has_rank or data tells the two apart.
    if (shape.empty() && !tensor.has_rank() && !out.constant) {
      if (signature.empty()) return;
    }
    const IndexSpan stated = shape.empty() ? signature : shape;
    if (stated.size() > kMaxTensorRank) fail(where, fmt::format("{} dimensions", stated.size()), kDamaged);
    out.dims.emplace();
    for (std::size_t i = 0; i < stated.size(); ++i) {
      if (stated[i] < -1) fail(where, fmt::format("dimension {} is {}", i, stated[i]), kDamaged);
      const bool open = stated[i] == -1 || (signature.size() == stated.size() && signature[i] == -1);
      out.dims->push_back(stated[i] == -1 ? 1 : stated[i]);
      out.open_dims += open ? 1U : 0U;
      out.batch_open = out.batch_open || (open && i == 0);
    }
  }

  void check_references(const TfliteFile& file) const {
    for (std::size_t g = 0; g < file.subgraphs.size(); ++g) {
      for (std::size_t i = 0; i < file.subgraphs[g].operators.size(); ++i) {
        for (const SubgraphReference& reference : subgraphs_of(file.subgraphs[g].operators[i])) {
          if (reference.subgraph >= file.subgraphs.size()) {
            fail(fmt::format("subgraph {} operator {}", g, i),
                 fmt::format("it refers to subgraph {} of {}", static_cast<std::int32_t>(reference.subgraph),
                             file.subgraphs.size()),
                 kDamaged);
          }
        }
      }
    }
  }

  Span<const std::byte> bytes_;
  std::string_view file_;
  std::vector<std::span<const std::uint8_t>> buffers_;
  std::uint64_t entries_ = 0;
};

}  // namespace

bool TfliteFile::recognises(Span<const std::byte> bytes) noexcept {
  return bytes.size() >= 8 && flatbuffers::BufferHasIdentifier(bytes.data(), ModelIdentifier());
}

TfliteFile TfliteFile::open(Span<const std::byte> bytes, std::string_view file) {
  return TfliteReader(bytes, file).read();
}

std::vector<SubgraphReference> subgraphs_of(const TfliteOperator& op) {
  std::vector<SubgraphReference> out;
  const auto add = [&out](SubgraphUse use, std::int64_t subgraph) {
    out.push_back({use, static_cast<std::uint32_t>(subgraph)});
  };
  if (const auto* call = op.wire->builtin_options_as_CallOptions()) add(SubgraphUse::kCall, call->subgraph());
  if (const auto* branches = op.wire->builtin_options_as_IfOptions()) {
    add(SubgraphUse::kBranch, branches->then_subgraph());
    add(SubgraphUse::kBranch, branches->else_subgraph());
  }
  if (const auto* loop = op.wire->builtin_options_as_WhileOptions()) {
    add(SubgraphUse::kCondition, loop->cond_subgraph());
    add(SubgraphUse::kBody, loop->body_subgraph());
  }
  if (const auto* once = op.wire->builtin_options_as_CallOnceOptions()) add(SubgraphUse::kOnce, once->init_subgraph());
  if (const auto* loop = op.wire->builtin_options_2_as_StablehloWhileOptions()) {
    add(SubgraphUse::kCondition, loop->cond_subgraph());
    add(SubgraphUse::kBody, loop->body_subgraph());
  }
  if (const auto* whole = op.wire->builtin_options_2_as_StablehloCompositeOptions()) {
    add(SubgraphUse::kCall, whole->decomposition_subgraph());
  }
  if (const auto* branches = op.wire->builtin_options_2_as_StablehloCaseOptions()) {
    if (branches->branch_subgraphs() != nullptr) {
      for (const std::int32_t subgraph : *branches->branch_subgraphs()) add(SubgraphUse::kBranch, subgraph);
    }
  }
  if (const auto* reduce = op.wire->builtin_options_2_as_StablehloReduceOptions()) {
    add(SubgraphUse::kElement, reduce->body_subgraph());
  }
  if (const auto* window = op.wire->builtin_options_2_as_StablehloReduceWindowOptions()) {
    add(SubgraphUse::kElement, window->body_subgraph());
  }
  if (const auto* scatter = op.wire->builtin_options_2_as_StablehloScatterOptions()) {
    add(SubgraphUse::kElement, scatter->update_subgraph());
  }
  if (const auto* sort = op.wire->builtin_options_2_as_StablehloSortOptions()) {
    add(SubgraphUse::kElement, sort->comparator_subgraph());
  }
  return out;
}

}  // namespace edgejoule::import
