// A view of contiguous values that somebody else owns.
//
// Lifetime: valid as long as the memory it views; copying it copies no element.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

namespace edgejoule {

template <class T>
class Span {
 public:
  using value_type = std::remove_cv_t<T>;

  constexpr Span() noexcept = default;
  constexpr Span(T* data, std::size_t size) noexcept : data_(data), size_(size) {}

  template <std::size_t N>
  constexpr Span(T (&array)[N]) noexcept : data_(array), size_(N) {}

  // From any container with data() and size() whose element type is the same
  // but for const: a span of joules is never built from watts.
  template <class Container, class Element = std::remove_pointer_t<decltype(std::declval<Container&>().data())>,
            class = std::enable_if_t<std::is_same_v<std::remove_cv_t<Element>, std::remove_cv_t<T>> &&
                                     std::is_convertible_v<Element (*)[], T (*)[]>>>
  constexpr Span(Container& container) noexcept
      : data_(container.data()), size_(static_cast<std::size_t>(container.size())) {}

  template <class U, class = std::enable_if_t<std::is_same_v<const U, T>>>
  constexpr Span(Span<U> other) noexcept : data_(other.data()), size_(other.size()) {}

  [[nodiscard]] constexpr T* data() const noexcept { return data_; }
  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
  [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] constexpr T* begin() const noexcept { return data_; }
  [[nodiscard]] constexpr T* end() const noexcept { return data_ + size_; }
  [[nodiscard]] constexpr T& operator[](std::size_t i) const noexcept { return data_[i]; }

  // The caller guarantees offset + count <= size().
  [[nodiscard]] constexpr Span subspan(std::size_t offset, std::size_t count) const noexcept {
    return Span(data_ + offset, count);
  }
  [[nodiscard]] constexpr Span first(std::size_t count) const noexcept { return Span(data_, count); }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace edgejoule
