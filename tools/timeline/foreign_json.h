// JSON that other programs wrote: read whole into a tree, after a look at what the
// parser would pass over.
//
// Source: FlatBuffers' Parser::ParseFlexBuffer takes array roots and free-form objects; a
// text that ends within an array and integers beyond 64 bits are found before it runs.
// Errors: TimelineError: file and line, what, what to do next.
#pragma once

#include <flatbuffers/flexbuffers.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace edgejoule::timeline {

class ForeignJson {
 public:
  // `file_name` is for messages, `next` what to do where the text is damaged.
  ForeignJson(std::string_view text, std::string file_name, std::string next);

  [[nodiscard]] flexbuffers::Reference root() const { return flexbuffers::GetRoot(bytes_); }

  // Of a damaged file; `place` says where in it ("[3].timeMs").
  [[noreturn]] void damaged(std::string_view place, std::string_view what) const;

  // Never negative, always finite; `place` is for messages.
  [[nodiscard]] double number(const flexbuffers::Map& object, const char* key, const std::string& place) const;
  [[nodiscard]] std::string text(const flexbuffers::Map& object, const char* key, const std::string& place) const;

 private:
  void check_whole(std::string_view text) const;

  std::string file_name_;
  std::string next_;
  std::vector<std::uint8_t> bytes_;
};

}  // namespace edgejoule::timeline
