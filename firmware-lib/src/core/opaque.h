// The structs of the C interface: their opaque bytes are the C++ value, for nothing in core
// points to itself.
#pragma once

#include <cstddef>
#include <cstring>
#include <type_traits>

#include "edgejoule/core/result.h"
#include "edgejoule/core/span.h"
#include "edgejoule/edgejoule.h"

namespace edgejoule::opaque {

template <class Value, class Opaque>
void store(const Value& value, Opaque* out) noexcept {
  static_assert(std::is_trivially_copyable_v<Value>);
  static_assert(sizeof(Value) <= sizeof(Opaque) && alignof(Value) <= alignof(Opaque), "edgejoule.h: too few words");
  std::memcpy(static_cast<void*>(out->opaque), static_cast<const void*>(&value), sizeof value);
}

template <class Value, class Opaque>
const Value& load(const Opaque* in) noexcept {
  const void* const bytes = in;
  return *static_cast<const Value*>(bytes);
}

template <class Value, class Opaque>
edgejoule_status finish(const Result<Value>& result, Opaque* out) noexcept {
  if (!result) {
    return static_cast<edgejoule_status>(result.error());
  }
  store(*result, out);
  return EDGEJOULE_OK;
}

inline Span<const std::byte> bytes_of(const void* data, std::size_t size) noexcept {
  return {static_cast<const std::byte*>(data), size};
}

inline Span<std::byte> bytes_of(void* data, std::size_t size) noexcept {
  return {static_cast<std::byte*>(data), size};
}

}  // namespace edgejoule::opaque
