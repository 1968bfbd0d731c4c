// Damaged files: every truncation, every flipped bit.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>

#include "edgejoule/core/result.h"
#include "edgejoule/core/span.h"
#include "files/file_bytes.h"

namespace edgejoule::test {

template <class View>
std::optional<Error> open_error(Span<const std::byte> bytes) {
  const auto opened = View::open(bytes);
  return opened.ok() ? std::nullopt : std::optional(opened.error());
}

// A file cut anywhere must be refused: its own last bytes are always needed.
template <class Open>
void expect_every_truncation_named(const files::FileBytes& bytes, const Open& open) {
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    // A copy of exactly this size, so that a sanitizer sees the first byte too many.
    const files::FileBytes cut(bytes.span().data(), size);
    const std::optional<Error> error = open(cut.span());
    if (!error) {
      // The last bytes may be padding that nothing refers to.
      ASSERT_GE(size + 8, bytes.size()) << "accepted when cut to " << size;
      continue;
    }
    ASSERT_TRUE(*error == Error::kTruncated || *error == Error::kCorrupt) << size << ": " << error_text(*error);
  }
}

template <class Check>
void for_every_flipped_bit(const files::FileBytes& bytes, const Check& check) {
  files::FileBytes flipped(bytes.span().data(), bytes.size());
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    const auto mask = static_cast<std::byte>(1U << (bit % 8));
    flipped.data()[bit / 8] ^= mask;
    check(flipped);
    if (testing::Test::HasFatalFailure()) {
      ADD_FAILURE() << "bit " << bit;
      return;
    }
    flipped.data()[bit / 8] ^= mask;
  }
}

// The graph file with its vector of facts moved to an address of 4 modulo 8, which
// FlatBuffers' verifier accepts because it aligns only the length.
files::FileBytes shift_vector_of_longs(const files::FileBytes& graph_file);

}  // namespace edgejoule::test
