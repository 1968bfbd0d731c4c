#include "import/onnx/file.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "import/import.h"
#include "import/onnx/wire.h"

namespace edgejoule::import {
namespace {

constexpr const char* kCutShort = "the file is damaged or cut short: copy or export it again";
// A small file can describe endless structure in few bytes each; these are far above
// what any model has.
constexpr std::size_t kMaxItems = std::size_t{1} << 22U;
constexpr std::size_t kMaxGraphDepth = 16;
// Longer lists (tree ensembles, tables) say nothing about shapes.
constexpr std::size_t kMaxAttributeNumbers = 1024;

float float_of(std::uint64_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
}

class OnnxReader {
 public:
  OnnxFile read(Span<const std::byte> bytes) {
    WireReader fields(bytes);
    bool has_graph = false;
    file_.graphs.emplace_back();
    while (const auto field = fields.next()) {
      switch (field->number) {
        case 1: file_.ir_version = field->integer(); break;
        case 2: file_.producer = field->text(); break;
        case 7:
          // A graph in several pieces is merged, as protobuf does.
          read_graph(message(*field), 0, 0);
          has_graph = true;
          break;
        case 8: file_.opsets.push_back(opset(message(*field))); break;
        case 20: file_.has_training = true; break;
        case 25: file_.functions.push_back(function(message(*field))); break;
        default: break;
      }
    }
    if (!has_graph) throw WireError("it holds no graph");
    return std::move(file_);
  }

 private:
  void count() {
    if (++items_ > kMaxItems) throw WireError(fmt::format("it has more than {} nodes, names and tensors", kMaxItems));
  }

  static Span<const std::byte> message(const WireField& field) {
    if (field.type != WireType::kBytes) throw WireError(fmt::format("field {} is no message", field.number));
    return field.bytes;
  }

  std::string_view name(const WireField& field) {
    count();
    if (field.type != WireType::kBytes) throw WireError(fmt::format("field {} is no text", field.number));
    return field.text();
  }

  // Indices, not references: a nested graph makes the vector move.
  void read_graph(Span<const std::byte> bytes, std::size_t index, std::size_t depth) {
    if (depth > kMaxGraphDepth) throw WireError(fmt::format("graphs nest more than {} deep", kMaxGraphDepth));
    WireReader fields(bytes);
    while (const auto field = fields.next()) {
      count();
      switch (field->number) {
        case 1: {
          OnnxNode read = node(message(*field), depth);
          file_.graphs[index].nodes.push_back(std::move(read));
          break;
        }
        case 2: file_.graphs[index].name = name(*field); break;
        case 5: file_.graphs[index].initializers.push_back(tensor(message(*field))); break;
        case 11: file_.graphs[index].inputs.push_back(value_info(message(*field))); break;
        case 12: file_.graphs[index].outputs.push_back(value_info(message(*field))); break;
        case 13: file_.graphs[index].value_infos.push_back(value_info(message(*field))); break;
        case 15: file_.graphs[index].initializers.push_back(sparse_tensor(message(*field))); break;
        default: break;
      }
    }
  }

  OnnxNode node(Span<const std::byte> bytes, std::size_t depth) {
    OnnxNode out;
    out.message = bytes;
    WireReader fields(bytes);
    while (const auto field = fields.next()) {
      switch (field->number) {
        case 1: out.inputs.push_back(name(*field)); break;
        case 2: out.outputs.push_back(name(*field)); break;
        case 3: out.name = name(*field); break;
        case 4: out.op_type = name(*field); break;
        case 5: out.attributes.push_back(attribute(message(*field), depth)); break;
        case 7:
          out.domain = name(*field);
          if (out.domain == "ai.onnx") out.domain = "";
          break;
        case 8: out.overload = name(*field); break;
        case 9: module_path(message(*field), out.module_path); break;
        default: break;
      }
    }
    return out;
  }

  // StringStringEntryProto: PyTorch's exporters state the path of the module.
  void module_path(Span<const std::byte> bytes, std::string_view& out) {
    std::string_view key;
    std::string_view value;
    WireReader fields(bytes);
    while (const auto field = fields.next()) {
      if (field->number == 1) key = name(*field);
      if (field->number == 2) value = name(*field);
    }
    if (key == "pkg.torch.onnx.name_scopes") out = value;
  }

  OnnxAttribute attribute(Span<const std::byte> bytes, std::size_t depth) {
    count();
    OnnxAttribute out;
    out.message = bytes;
    WireReader fields(bytes);
    while (const auto field = fields.next()) {
      switch (field->number) {
        case 1: out.name = name(*field); break;
        case 2:
          out.f = float_of(field->value);
          out.has_f = true;
          break;
        case 3:
          out.i = field->integer();
          out.has_i = true;
          break;
        case 4: out.s = name(*field); break;
        case 5: out.tensor = tensor(message(*field)); break;
        case 6: {
          const auto index = file_.graphs.size();
          file_.graphs.emplace_back();
          read_graph(message(*field), index, depth + 1);
          out.graph = static_cast<std::uint32_t>(index);
          break;
        }
        case 7: out.long_list = !append_floats(*field, out.floats) || out.long_list; break;
        case 8: out.long_list = !append_varints(*field, kMaxAttributeNumbers, out.ints) || out.long_list; break;
        case 21: out.reference = name(*field); break;
        case 22: out.tensor = sparse_tensor(message(*field)); break;
        default: break;
      }
    }
    if (out.long_list) {
      out.ints = {};
      out.floats = {};
    }
    return out;
  }

  // false where there are more than an attribute keeps.
  static bool append_floats(const WireField& field, std::vector<float>& out) {
    if (field.type == WireType::kFixed32) {
      if (out.size() >= kMaxAttributeNumbers) return false;
      out.push_back(float_of(field.value));
      return true;
    }
    if (field.type != WireType::kBytes) return true;
    for (std::size_t i = 0; i + 4 <= field.bytes.size(); i += 4) {
      if (out.size() >= kMaxAttributeNumbers) return false;
      std::uint32_t bits = 0;
      for (std::size_t b = 0; b < 4; ++b) bits |= static_cast<std::uint32_t>(field.bytes[i + b]) << (8 * b);
      out.push_back(std::bit_cast<float>(bits));
    }
    return true;
  }

  void tensor_dims(const WireField& field, Dims& dims, std::string_view tensor_name) {
    if (!append_varints(field, kMaxRank, dims)) {
      throw WireError(fmt::format("tensor '{}' has more than {} dimensions", tensor_name.substr(0, 80), kMaxRank));
    }
  }

  void check_dims(const OnnxTensor& read) const {
    for (const std::int64_t dim : read.dims) {
      if (dim < 0) {
        throw WireError(fmt::format("tensor '{}' has a dimension of {}", read.name.substr(0, 80), dim));
      }
    }
  }

  OnnxTensor tensor(Span<const std::byte> bytes) {
    count();
    OnnxTensor out;
    out.message = bytes;
    WireReader fields(bytes);
    while (const auto field = fields.next()) {
      switch (field->number) {
        case 1: tensor_dims(*field, out.dims, out.name); break;
        case 2: out.type = field->integer(); break;
        case 8: out.name = name(*field); break;
        case 14: out.external = field->value == 1; break;
        default: break;  // data: not touched
      }
    }
    check_dims(out);
    file_.external_tensors += out.external ? 1U : 0U;
    return out;
  }

  // Counted as dense: its own dimensions, the name and type of its values.
  OnnxTensor sparse_tensor(Span<const std::byte> bytes) {
    OnnxTensor out;
    Dims dims;
    WireReader fields(bytes);
    while (const auto field = fields.next()) {
      if (field->number == 1) out = tensor(message(*field));
      if (field->number == 3) tensor_dims(*field, dims, out.name);
    }
    out.dims = std::move(dims);
    out.message = {};  // its values are not in dense order
    check_dims(out);
    return out;
  }

  OnnxValueInfo value_info(Span<const std::byte> bytes) {
    OnnxValueInfo out;
    WireReader fields(bytes);
    while (const auto field = fields.next()) {
      if (field->number == 1) out.name = name(*field);
      if (field->number == 2) type(message(*field), out);
    }
    return out;
  }

  void type(Span<const std::byte> bytes, OnnxValueInfo& out) {
    WireReader fields(bytes);
    while (const auto field = fields.next()) {
      if (field->number != 1 && field->number != 8) continue;  // a tensor, dense or sparse
      out.is_tensor = true;
      WireReader inner(message(*field));
      while (const auto part = inner.next()) {
        if (part->number == 1) out.type = part->integer();
        if (part->number == 2) shape(message(*part), out);
      }
    }
  }

  void shape(Span<const std::byte> bytes, OnnxValueInfo& out) {
    out.dims.emplace();
    WireReader fields(bytes);
    while (const auto field = fields.next()) {
      if (field->number != 1) continue;
      count();
      if (out.dims->size() >= kMaxRank) {
        throw WireError(fmt::format("'{}' has more than {} dimensions", out.name.substr(0, 80), kMaxRank));
      }
      OnnxDim dim;
      WireReader inner(message(*field));
      while (const auto part = inner.next()) {
        if (part->number == 1) dim.value = part->integer();
        if (part->number == 2) dim.name = name(*part);
      }
      out.dims->push_back(dim);
    }
  }

  std::pair<std::string_view, std::int64_t> opset(Span<const std::byte> bytes) {
    std::pair<std::string_view, std::int64_t> out;
    WireReader fields(bytes);
    while (const auto field = fields.next()) {
      if (field->number == 1) out.first = name(*field);
      if (field->number == 2) out.second = field->integer();
    }
    if (out.first == "ai.onnx") out.first = "";
    return out;
  }

  OnnxFunction function(Span<const std::byte> bytes) {
    count();
    OnnxFunction out;
    WireReader fields(bytes);
    while (const auto field = fields.next()) {
      switch (field->number) {
        case 1: out.name = name(*field); break;
        case 4: out.inputs.push_back(name(*field)); break;
        case 5: out.outputs.push_back(name(*field)); break;
        case 7: out.nodes.push_back(node(message(*field), 0)); break;
        case 9: out.opsets.push_back(opset(message(*field))); break;
        case 10: out.domain = name(*field); break;
        case 11: out.defaults.push_back(attribute(message(*field), 0)); break;
        case 13: out.overload = name(*field); break;
        default: break;
      }
    }
    if (out.domain == "ai.onnx") out.domain = "";
    return out;
  }

  OnnxFile file_;
  std::size_t items_ = 0;
};

template <class T>
T little_endian(Span<const std::byte> bytes, std::size_t at) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) bits |= static_cast<std::uint64_t>(bytes[at + i]) << (8 * i);
  if constexpr (sizeof(T) == 8) {
    return std::bit_cast<T>(bits);
  } else if constexpr (sizeof(T) == 4) {
    return std::bit_cast<T>(static_cast<std::uint32_t>(bits));
  } else if constexpr (sizeof(T) == 2) {
    return std::bit_cast<T>(static_cast<std::uint16_t>(bits));
  } else {
    return std::bit_cast<T>(static_cast<std::uint8_t>(bits));
  }
}

template <class T>
void append_raw(Span<const std::byte> bytes, std::vector<double>& out) {
  for (std::size_t i = 0; i + sizeof(T) <= bytes.size(); i += sizeof(T)) {
    out.push_back(static_cast<double>(little_endian<T>(bytes, i)));
  }
}

double half_to_double(std::uint16_t half) {
  const int exponent = (half >> 10) & 0x1F;
  const double mantissa = half & 0x3FF;
  const double sign = (half & 0x8000) != 0 ? -1.0 : 1.0;
  if (exponent == 0x1F) return sign * (mantissa == 0 ? std::numeric_limits<double>::infinity() : std::nan(""));
  return exponent == 0 ? sign * std::ldexp(mantissa, -24) : sign * std::ldexp(mantissa + 1024.0, exponent - 25);
}

// raw_data by its type; false where the type holds no numbers that shapes are made of.
bool append_raw(std::int64_t type, Span<const std::byte> bytes, std::vector<double>& out) {
  switch (data_type_of_onnx(type)) {
    case DataType::kFloat32: append_raw<float>(bytes, out); return true;
    case DataType::kFloat64: append_raw<double>(bytes, out); return true;
    case DataType::kInt64: append_raw<std::int64_t>(bytes, out); return true;
    case DataType::kUint64: append_raw<std::uint64_t>(bytes, out); return true;
    case DataType::kInt32: append_raw<std::int32_t>(bytes, out); return true;
    case DataType::kUint32: append_raw<std::uint32_t>(bytes, out); return true;
    case DataType::kInt16: append_raw<std::int16_t>(bytes, out); return true;
    case DataType::kUint16: append_raw<std::uint16_t>(bytes, out); return true;
    case DataType::kInt8: append_raw<std::int8_t>(bytes, out); return true;
    case DataType::kUint8:
    case DataType::kBoolean: append_raw<std::uint8_t>(bytes, out); return true;
    case DataType::kFloat16:
      for (std::size_t i = 0; i + 2 <= bytes.size(); i += 2) {
        out.push_back(half_to_double(little_endian<std::uint16_t>(bytes, i)));
      }
      return true;
    default: return false;
  }
}

bool append_floats(const WireField& field, bool is_double, std::vector<double>& out) {
  if (field.type == WireType::kFixed32 && !is_double) {
    out.push_back(static_cast<double>(float_of(field.value)));
  } else if (field.type == WireType::kFixed64 && is_double) {
    out.push_back(std::bit_cast<double>(field.value));
  } else if (field.type == WireType::kBytes) {
    is_double ? append_raw<double>(field.bytes, out) : append_raw<float>(field.bytes, out);
  } else {
    return false;
  }
  return true;
}

}  // namespace

DataType data_type_of_onnx(std::int64_t type) noexcept {
  switch (type) {
    case 1: return DataType::kFloat32;
    case 2: return DataType::kUint8;
    case 3: return DataType::kInt8;
    case 4: return DataType::kUint16;
    case 5: return DataType::kInt16;
    case 6: return DataType::kInt32;
    case 7: return DataType::kInt64;
    case 8: return DataType::kString;
    case 9: return DataType::kBoolean;
    case 10: return DataType::kFloat16;
    case 11: return DataType::kFloat64;
    case 12: return DataType::kUint32;
    case 13: return DataType::kUint64;
    case 14: return DataType::kComplex64;
    case 16: return DataType::kBfloat16;
    case 17:
    case 18:
    case 19:
    case 20: return DataType::kFloat8;
    case 21: return DataType::kUint4;
    case 22: return DataType::kInt4;
    default: return DataType::kUnknown;  // complex128, float4, 2-bit types and what is newer
  }
}

std::optional<std::vector<double>> OnnxTensor::numbers(std::size_t limit) const {
  std::uint64_t elements = 1;
  for (const std::int64_t dim : dims) {
    if (__builtin_mul_overflow(elements, static_cast<std::uint64_t>(dim), &elements)) return std::nullopt;
  }
  if (elements > limit || external || message.empty()) return std::nullopt;
  std::vector<double> out;
  try {
    WireReader fields(message);
    while (const auto field = fields.next()) {
      // A limit on bytes first: a field may hold more than the dimensions say.
      if (field->bytes.size() > 16 * limit + 16 || out.size() > limit) return std::nullopt;
      std::vector<std::int64_t> integers;
      switch (field->number) {
        case 4:
          if (!append_floats(*field, false, out)) return std::nullopt;
          break;
        case 10:
          if (!append_floats(*field, true, out)) return std::nullopt;
          break;
        case 5:
        case 7:
        case 11:
          if (!append_varints(*field, limit, integers)) return std::nullopt;
          // Half floats lie in int32_data as their bits.
          for (const std::int64_t value : integers) {
            out.push_back(data_type_of_onnx(type) == DataType::kFloat16
                              ? half_to_double(static_cast<std::uint16_t>(value))
                              : static_cast<double>(value));
          }
          break;
        case 9:
          if (!append_raw(type, field->bytes, out)) return std::nullopt;
          break;
        default: break;
      }
    }
  } catch (const WireError&) {
    return std::nullopt;
  }
  if (out.size() != elements) return std::nullopt;
  return out;
}

const OnnxAttribute* OnnxNode::attribute(std::string_view attribute_name) const {
  const auto found = std::find_if(attributes.begin(), attributes.end(),
                                  [&](const OnnxAttribute& a) { return a.name == attribute_name; });
  return found == attributes.end() ? nullptr : &*found;
}

std::int64_t OnnxNode::integer(std::string_view attribute_name, std::int64_t otherwise) const {
  const OnnxAttribute* found = attribute(attribute_name);
  return found == nullptr || !found->has_i ? otherwise : found->i;
}

std::string_view OnnxNode::text(std::string_view attribute_name) const {
  const OnnxAttribute* found = attribute(attribute_name);
  return found == nullptr ? std::string_view() : found->s;
}

std::vector<std::int64_t> OnnxNode::ints(std::string_view attribute_name) const {
  const OnnxAttribute* found = attribute(attribute_name);
  return found == nullptr ? std::vector<std::int64_t>() : found->ints;
}

std::int64_t opset_of(const OnnxOpsets& opsets, std::string_view domain) {
  for (const auto& [name, version] : opsets) {
    if (name == domain) return version;
  }
  return 0;
}

// A ModelProto begins with ir_version (field 1, a varint below 128), then with another
// of its fields.
bool OnnxFile::recognises(Span<const std::byte> bytes) noexcept {
  if (bytes.size() < 3 || bytes[0] != std::byte{0x08} || bytes[1] > std::byte{0x7F}) return false;
  switch (static_cast<unsigned>(bytes[2])) {
    case 0x12:               // producer_name
    case 0x1A:               // producer_version
    case 0x22:               // domain
    case 0x28:               // model_version
    case 0x32:               // doc_string
    case 0x3A:               // graph
    case 0x42:               // opset_import
    case 0x72: return true;  // metadata_props
    default: return false;
  }
}

OnnxFile OnnxFile::open(Span<const std::byte> bytes, std::string_view file) {
  try {
    return OnnxReader().read(bytes);
  } catch (const WireError& error) {
    throw ImportError(file, fmt::format("not a whole ONNX model: {}", error.what()), kCutShort);
  }
}

}  // namespace edgejoule::import
