// Coefficient tables as the objects of their schema, to be changed, and as the bytes of a file.
//
// Errors: both throw the caller's exception, with `complaint` and what the core says of the bytes.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <string_view>

#include "edgejoule/core/table.h"
#include "files/file_bytes.h"
#include "schemas/table_generated.h"

namespace edgejoule::pricing {

template <class Exception>
void require_table(const files::FileBytes& bytes, std::string_view complaint) {
  if (const auto opened = CoefficientTable::open(bytes.span()); !opened) {
    throw Exception(fmt::format("{}: {}", complaint, error_text(opened.error())));
  }
}

template <class Exception>
[[nodiscard]] std::unique_ptr<wire::CoefficientTableT> unpack_table(const files::FileBytes& bytes,
                                                                    std::string_view complaint) {
  require_table<Exception>(bytes, complaint);
  return std::unique_ptr<wire::CoefficientTableT>(wire::GetCoefficientTable(bytes.span().data())->UnPack());
}

template <class Exception>
[[nodiscard]] files::FileBytes pack_table(const wire::CoefficientTableT& table, std::string_view complaint) {
  flatbuffers::FlatBufferBuilder builder;
  wire::FinishCoefficientTableBuffer(builder, wire::CreateCoefficientTable(builder, &table));
  files::FileBytes bytes(builder.GetBufferPointer(), builder.GetSize());
  require_table<Exception>(bytes, complaint);
  return bytes;
}

}  // namespace edgejoule::pricing
