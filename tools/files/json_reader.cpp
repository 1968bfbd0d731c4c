#include <flatbuffers/idl.h>
#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <string>
#include <string_view>

#include "files/io.h"
#include "files/json.h"
#include "files/reflection.h"
#include "text/escape.h"

namespace edgejoule::files {
namespace {

flatbuffers::IDLOptions strict_options() {
  flatbuffers::IDLOptions options;
  options.strict_json = true;
  options.skip_unexpected_fields_in_json = false;
  // What is present in the text is present in the file, also where it equals a default
  // or is empty: only so does a file come back as it was.
  options.force_defaults = true;
  options.set_empty_strings_to_null = false;
  options.set_empty_vectors_to_null = false;
  return options;
}

// "file:line: column: error: message" of the parser -> "file:line:column: message".
std::string readable(std::string_view parser_error, std::string_view file_name, const FileKindInfo& info) {
  constexpr std::string_view kMark = ": error: ";
  const std::size_t mark = parser_error.find(kMark);
  if (mark == std::string_view::npos) {
    return fmt::format("{}: {}", text::printable(file_name), text::printable(parser_error));
  }
  const std::string_view place = parser_error.substr(0, mark);
  const std::size_t column = place.rfind(": ");
  const std::size_t line = place.rfind(':', column == 0 ? 0 : column - 1);
  std::string message = text::printable(parser_error.substr(mark + kMark.size()));
  if (message.starts_with("unknown field") || message.starts_with("unknown enum value")) {
    message += fmt::format(" (names are listed in {} and schemas/kinds.fbs)", info.schema_file);
  }
  return fmt::format("{}:{}:{}: {}", text::printable(file_name), place.substr(line + 1, column - line - 1),
                     place.substr(column + 2), message);
}

// The parser takes 1e999, nan and inf; no file of ours means them.
std::optional<std::string> first_not_finite(const std::uint8_t* object, const flatbuffers::TypeTable& type) {
  std::optional<std::string> found;
  for_each_field(object, type, [&](const ReflectedField& field) {
    for (std::size_t i = 0; !found && i < field.count; ++i) {
      const std::string index = field.is_vector ? fmt::format("[{}]", i) : "";
      if (field.is_object()) {
        const auto inner = first_not_finite(field.object(i), *field.type_table);
        if (inner) found = fmt::format("{}{}.{}", field.name, index, *inner);
      } else if ((field.type == flatbuffers::ET_FLOAT &&
                  !std::isfinite(flatbuffers::ReadScalar<float>(field.element(i)))) ||
                 (field.type == flatbuffers::ET_DOUBLE &&
                  !std::isfinite(flatbuffers::ReadScalar<double>(field.element(i))))) {
        found = fmt::format("{}{}", field.name, index);
      }
    }
  });
  return found;
}

}  // namespace

FileBytes from_json(std::string_view json, FileKind kind, std::string_view file_name) {
  const FileKindInfo& info = info_of(kind);
  if (const std::size_t nul = json.find('\0'); nul != std::string_view::npos) {
    throw FileError(fmt::format("{}: byte {} is zero: this is not JSON text", text::printable(file_name), nul));
  }
  flatbuffers::Parser parser(strict_options());
  const Span<const std::uint8_t> schema = info.binary_schema();
  const FileBytes aligned_schema(schema.data(), schema.size());
  if (!parser.Deserialize(reinterpret_cast<const std::uint8_t*>(aligned_schema.span().data()), schema.size())) {
    throw std::logic_error("the schema inside this program does not read: it was built with a mismatched flatc");
  }
  const std::string terminated(json);
  if (!parser.ParseJson(terminated.c_str(), "json")) {
    throw FileError(readable(parser.error_, file_name, info));
  }
  FileBytes bytes(parser.builder_.GetBufferPointer(), parser.builder_.GetSize());
  const auto* root = flatbuffers::GetRoot<std::uint8_t>(bytes.span().data());
  if (const auto field = first_not_finite(root, *info.type_table())) {
    throw FileError(fmt::format("{}: {} is NaN, infinite or too large for its type: a finite number is expected",
                                text::printable(file_name), *field));
  }
  return bytes;
}

}  // namespace edgejoule::files
