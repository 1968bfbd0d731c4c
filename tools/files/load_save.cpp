#include <fmt/format.h>

#include "files/io.h"
#include "files/json.h"
#include "text/escape.h"

namespace edgejoule::files {
namespace {

bool looks_like_json(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // some editors put a mark before UTF-8
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{';
}

}  // namespace

FileBytes load(const std::string& path, FileKind kind) {
  FileBytes bytes = read_file(path);
  const FileKindInfo& info = info_of(kind);
  const std::string name = path == "-" ? "standard input" : text::printable(path);
  const std::optional<FileKind> found = kind_of(bytes.span());
  if (found == kind) {
    if (!info.verify(bytes.span())) {
      throw FileError(fmt::format("{} is damaged: its structure does not verify; get it again from its source", name));
    }
    return bytes;
  }
  if (found) {
    throw FileError(fmt::format("{} holds {} ({}), but {} ({}) is needed here", name, info_of(*found).what,
                                info_of(*found).identifier, info.what, info.identifier));
  }
  if (looks_like_json(bytes.text())) return from_json(bytes.text(), kind, path);
  throw FileError(fmt::format("{} is neither {} ({}) nor its JSON text{}", name, info.what, info.identifier,
                              bytes.size() == 0 ? ": it is empty" : ""));
}

void save(const std::string& path, Span<const std::byte> bytes, FileKind kind) {
  if (path == "-" || path.ends_with(".json")) {
    write_file(path, to_json(bytes, kind, path));
  } else {
    write_file(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
}

}  // namespace edgejoule::files
