#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

#include "files/io.h"
#include "files/json.h"
#include "files/reflection.h"
#include "text/escape.h"
#include "text/utf8.h"

namespace edgejoule::files {
namespace {

using flatbuffers::ElementaryType;
using flatbuffers::ReadScalar;
using flatbuffers::TypeTable;

constexpr std::size_t kWidth = 100;
constexpr std::size_t kIndent = 2;

// A place in the file, chained on the stack; spelled out only for an error.
struct Path {
  const Path* parent = nullptr;
  const ReflectedField* field = nullptr;
  std::size_t index = 0;

  [[nodiscard]] std::string text() const {
    if (field == nullptr) return {};
    std::string name = parent->text();
    if (!name.empty()) name += '.';
    name += field->name;
    if (field->is_vector) name += fmt::format("[{}]", index);
    return name;
  }
};

class Writer {
 public:
  explicit Writer(std::string_view file_name) : file_name_(file_name) {}

  std::string write(const std::uint8_t* root, const TypeTable& type) {
    write_object(root, type, 0, Path{});
    out_ += '\n';
    return std::move(out_);
  }

 private:
  [[noreturn]] void refuse(const Path& path, std::string_view why) const {
    throw FileError(fmt::format("{}: {} {}", text::printable(file_name_), path.text(), why));
  }

  template <class Number>
  void append_number(Number value) {
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out_.append(digits.data(), end);
  }

  // The name where the enumerator is known, else the number: a newer file keeps its value.
  // flatc appends '_' to names that are keywords of C++ ("module"); the schema's name, which
  // no schema of ours ends so, is read back.
  template <class Integer>
  void append_integer(Integer value, const TypeTable* enumeration) {
    const char* name = enumeration == nullptr ? nullptr : flatbuffers::EnumName(value, enumeration);
    if (name == nullptr) {
      append_number(value);
    } else {
      std::string_view wire_name = name;
      if (wire_name.ends_with('_')) wire_name.remove_suffix(1);
      out_ += fmt::format("\"{}\"", wire_name);
    }
  }

  template <class Float>
  void append_float(Float value, const Path& path) {
    if (!std::isfinite(value))
      refuse(path, "is NaN or infinite, for which JSON has no number: correct the file's source");
    append_number(value);
  }

  void append_string(std::string_view string, const Path& path) {
    out_ += '"';
    while (!string.empty()) {
      const text::CodePoint c = text::decode_utf8(string);
      if (c.bytes == 0) refuse(path, "is not UTF-8 text, which JSON requires: correct the file's source");
      append_code_point(c, string.substr(0, c.bytes));
      string.remove_prefix(c.bytes);
    }
    out_ += '"';
  }

  void append_code_point(text::CodePoint c, std::string_view bytes) {
    switch (c.value) {
      case '"': out_ += "\\\""; return;
      case '\\': out_ += "\\\\"; return;
      case '\n': out_ += "\\n"; return;
      case '\r': out_ += "\\r"; return;
      case '\t': out_ += "\\t"; return;
      default: break;
    }
    if (text::is_deceptive(c.value)) {  // all of them lie below U+10000
      out_ += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(c.value));
    } else {
      out_ += bytes;
    }
  }

  void append_scalar(const ReflectedField& field, std::size_t index, const Path& path) {
    const std::uint8_t* at = field.element(index);
    switch (field.type) {
      case ElementaryType::ET_BOOL: out_ += ReadScalar<std::uint8_t>(at) != 0 ? "true" : "false"; return;
      case ElementaryType::ET_UTYPE:
      case ElementaryType::ET_UCHAR: append_integer(ReadScalar<std::uint8_t>(at), field.type_table); return;
      case ElementaryType::ET_CHAR: append_integer(ReadScalar<std::int8_t>(at), field.type_table); return;
      case ElementaryType::ET_SHORT: append_integer(ReadScalar<std::int16_t>(at), field.type_table); return;
      case ElementaryType::ET_USHORT: append_integer(ReadScalar<std::uint16_t>(at), field.type_table); return;
      case ElementaryType::ET_INT: append_integer(ReadScalar<std::int32_t>(at), field.type_table); return;
      case ElementaryType::ET_UINT: append_integer(ReadScalar<std::uint32_t>(at), field.type_table); return;
      case ElementaryType::ET_LONG: append_integer(ReadScalar<std::int64_t>(at), field.type_table); return;
      case ElementaryType::ET_ULONG: append_number(ReadScalar<std::uint64_t>(at)); return;
      case ElementaryType::ET_FLOAT: append_float(ReadScalar<float>(at), path); return;
      case ElementaryType::ET_DOUBLE: append_float(ReadScalar<double>(at), path); return;
      case ElementaryType::ET_STRING: {
        const auto* string = reinterpret_cast<const flatbuffers::String*>(at + ReadScalar<flatbuffers::uoffset_t>(at));
        append_string({string->c_str(), string->size()}, path);
        return;
      }
      case ElementaryType::ET_SEQUENCE: break;
    }
    throw std::logic_error("an object is not a scalar");
  }

  void new_line(std::size_t indent) {
    out_ += '\n';
    out_.append(indent, ' ');
  }

  // Objects without objects inside, where they fit the line; otherwise nothing is
  // written and the answer is false.
  bool write_on_one_line(const std::uint8_t* object, const TypeTable& type, const Path& path) {
    const std::size_t start = out_.size();
    const std::size_t line_start = out_.rfind('\n') + 1;  // npos + 1 is 0
    bool fits = true;
    out_ += '{';
    for_each_field(object, type, [&](const ReflectedField& field) {
      fits = fits && !field.is_object();
      if (!fits) return;
      out_ += out_.back() == '{' ? " " : ", ";
      out_ += fmt::format("\"{}\": ", field.name);
      if (field.is_vector) out_ += '[';
      for (std::size_t i = 0; fits && i < field.count; ++i) {
        if (i > 0) out_ += ", ";
        append_scalar(field, i, Path{&path, &field, i});
        fits = out_.size() - line_start < kWidth - 3;
      }
      if (field.is_vector) out_ += ']';
    });
    if (!fits) {
      out_.resize(start);
      return false;
    }
    out_ += out_.back() == '{' ? "}" : " }";
    return true;
  }

  void write_object(const std::uint8_t* object, const TypeTable& type, std::size_t indent, const Path& path) {
    const bool is_root = path.field == nullptr;
    if (!is_root && write_on_one_line(object, type, path)) return;
    bool first = true;
    out_ += '{';
    for_each_field(object, type, [&](const ReflectedField& field) {
      if (!first) out_ += ',';
      first = false;
      new_line(indent + kIndent);
      out_ += fmt::format("\"{}\": ", field.name);
      if (field.is_vector) {
        write_vector(field, indent + kIndent, path);
      } else if (field.is_object()) {
        write_object(field.object(0), *field.type_table, indent + kIndent, Path{&path, &field, 0});
      } else {
        append_scalar(field, 0, Path{&path, &field, 0});
      }
    });
    if (!first) new_line(indent);
    out_ += '}';
  }

  void write_vector(const ReflectedField& field, std::size_t indent, const Path& path) {
    if (field.count == 0) {
      out_ += "[]";
    } else if (field.is_object()) {
      out_ += '[';
      for (std::size_t i = 0; i < field.count; ++i) {
        if (i > 0) out_ += ',';
        new_line(indent + kIndent);
        write_object(field.object(i), *field.type_table, indent + kIndent, Path{&path, &field, i});
      }
      new_line(indent);
      out_ += ']';
    } else {
      write_scalars(field, indent, path);
    }
  }

  // On one line where that fits; else numbers fill lines and strings have one each.
  void write_scalars(const ReflectedField& field, std::size_t indent, const Path& path) {
    const std::size_t start = out_.size();
    const std::size_t line_start = out_.rfind('\n') + 1;
    bool fits = true;
    out_ += '[';
    for (std::size_t i = 0; fits && i < field.count; ++i) {
      if (i > 0) out_ += ", ";
      append_scalar(field, i, Path{&path, &field, i});
      fits = out_.size() - line_start < kWidth - 2;
    }
    if (fits) {
      out_ += ']';
      return;
    }
    out_.resize(start);
    out_ += '[';
    std::size_t line_end = 0;
    for (std::size_t i = 0; i < field.count; ++i) {
      if (i > 0) out_ += ',';
      const std::size_t before = out_.size();
      append_scalar(field, i, Path{&path, &field, i});
      const std::string item = out_.substr(before);
      out_.resize(before);
      if (i == 0 || field.type == ElementaryType::ET_STRING || before + 2 + item.size() > line_end) {
        new_line(indent + kIndent);
        line_end = out_.size() - (indent + kIndent) + kWidth;
      } else {
        out_ += ' ';
      }
      out_ += item;
    }
    new_line(indent);
    out_ += ']';
  }

  std::string_view file_name_;
  std::string out_;
};

}  // namespace

std::string to_json(Span<const std::byte> bytes, FileKind kind, std::string_view file_name) {
  const FileKindInfo& info = info_of(kind);
  if (!info.verify(bytes)) {
    throw FileError(fmt::format("{} is damaged or not {} ({}): get it again from its source",
                                text::printable(file_name), info.what, info.identifier));
  }
  const auto* root = flatbuffers::GetRoot<std::uint8_t>(bytes.data());
  return Writer(file_name).write(root, *info.type_table());
}

}  // namespace edgejoule::files
