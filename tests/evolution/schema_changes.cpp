#include "evolution/schema_changes.h"

#include <fmt/format.h>

#include <string_view>

namespace edgejoule::test {
namespace {

std::string_view text(const flatbuffers::String* string) {
  return string == nullptr ? std::string_view() : std::string_view(string->c_str(), string->size());
}

// Types refer to objects and enums by index, which differs between schemas: by name.
std::string type_name(const reflection::Type& type, const reflection::Schema& schema) {
  const reflection::BaseType innermost = type.base_type() == reflection::Vector || type.base_type() == reflection::Array
                                             ? type.element()
                                             : type.base_type();
  std::string name = reflection::EnumNameBaseType(innermost);
  if (type.index() >= 0) {
    const auto index = static_cast<flatbuffers::uoffset_t>(type.index());
    name += ' ';
    name += innermost == reflection::Obj ? text(schema.objects()->Get(index)->name())
                                         : text(schema.enums()->Get(index)->name());
  }
  if (type.base_type() == reflection::Vector) return "vector of " + name;
  if (type.base_type() == reflection::Array) return fmt::format("array of {} {}", type.fixed_length(), name);
  return name;
}

class Comparison {
 public:
  Comparison(const reflection::Schema& released, const reflection::Schema& current)
      : released_(released), current_(current) {}

  std::vector<std::string> run() {
    differ("", "the file identifier", text(released_.file_ident()), text(current_.file_ident()));
    differ("", "the file extension", text(released_.file_ext()), text(current_.file_ext()));
    const auto root_name = [](const reflection::Schema& schema) {
      return schema.root_table() == nullptr ? std::string_view() : text(schema.root_table()->name());
    };
    differ("", "the root table", root_name(released_), root_name(current_));
    for (const auto* old_enum : *released_.enums()) compare_enum(*old_enum);
    for (const auto* old_object : *released_.objects()) compare_object(*old_object);
    return std::move(changes_);
  }

 private:
  void add(std::string change) { changes_.push_back(std::move(change)); }

  template <class Old, class New>
  void differ(std::string_view where, std::string_view what, const Old& before, const New& after) {
    if (before != after) {
      add(fmt::format("{}{}{} was '{}' and is '{}'", where, where.empty() ? "" : ": ", what, before, after));
    }
  }

  void compare_enum(const reflection::Enum& before) {
    const std::string_view name = text(before.name());
    const auto* after = current_.enums()->LookupByKey(before.name()->c_str());
    if (after == nullptr) return add(fmt::format("enum {} is gone", name));
    differ(name, "its size in bytes", reflection::EnumNameBaseType(before.underlying_type()->base_type()),
           std::string_view(reflection::EnumNameBaseType(after->underlying_type()->base_type())));
    for (const auto* value : *before.values()) {
      const std::string enumerator = fmt::format("{}.{}", name, text(value->name()));
      const reflection::EnumVal* found = nullptr;
      for (const auto* candidate : *after->values()) {
        if (text(candidate->name()) == text(value->name())) found = candidate;
      }
      if (found == nullptr) {
        add(fmt::format("enumerator {} is gone", enumerator));
      } else {
        differ(enumerator, "its value", value->value(), found->value());
      }
    }
  }

  void compare_object(const reflection::Object& before) {
    const std::string_view name = text(before.name());
    const auto* after = current_.objects()->LookupByKey(before.name()->c_str());
    if (after == nullptr) return add(fmt::format("table or struct {} is gone", name));
    differ(name, "being a struct", before.is_struct(), after->is_struct());
    if (before.is_struct()) {
      differ(name, "its size in bytes", before.bytesize(), after->bytesize());
      differ(name, "its alignment", before.minalign(), after->minalign());
    }
    for (const auto* field : *before.fields()) compare_field(name, *field, *after);
    for (const auto* field : *after->fields()) {
      if (field->required() && before.fields()->LookupByKey(field->name()->c_str()) == nullptr) {
        add(fmt::format("{}.{}: new and required, so no old file has it", name, text(field->name())));
      }
    }
  }

  void compare_field(std::string_view object, const reflection::Field& before, const reflection::Object& now) {
    const std::string name = fmt::format("{}.{}", object, text(before.name()));
    const auto* after = now.fields()->LookupByKey(before.name()->c_str());
    if (after == nullptr) return add(fmt::format("field {} is gone: deprecate instead", name));
    differ(name, "its id", before.id(), after->id());
    differ(name, "its offset", before.offset(), after->offset());
    differ(name, "its type", type_name(*before.type(), released_), type_name(*after->type(), current_));
    differ(name, "its default", before.default_integer(), after->default_integer());
    differ(name, "its default", before.default_real(), after->default_real());
    differ(name, "being optional", before.optional(), after->optional());
    differ(name, "being required", before.required(), after->required());
    if (before.deprecated() && !after->deprecated()) {
      add(fmt::format("{}: it was deprecated and is in use again", name));
    }
  }

  const reflection::Schema& released_;
  const reflection::Schema& current_;
  std::vector<std::string> changes_;
};

}  // namespace

std::vector<std::string> breaking_changes(const reflection::Schema& released, const reflection::Schema& current) {
  return Comparison(released, current).run();
}

}  // namespace edgejoule::test
