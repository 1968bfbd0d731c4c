// Reading one line of a board file or of a command: words first, then key=value options in any order.
//
// Errors: WordsError says what is wrong with which word; callers add where.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace edgejoule::emulated_board {

struct WordsError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Words {
 public:
  // Everything from '#' on is a comment.
  explicit Words(const std::string& line);

  [[nodiscard]] bool empty() const { return position_ == words_.size(); }

  // The next word; `what` names it in the error.
  std::string next(const std::string& what);

  // The next word if it has no '='.
  std::optional<std::string> next_plain();

  // Takes key=value out of the rest of the line.
  std::optional<std::string> option(const std::string& key);

  // As option, but it must be there.
  std::string required(const std::string& key);

  // Nothing may be left over: a misspelt option is an error and not a default.
  void expect_end() const;

 private:
  std::vector<std::string> words_;
  std::size_t position_ = 0;
};

[[nodiscard]] std::int64_t to_integer(const std::string& word, std::int64_t least, std::int64_t most);  // 0x too
[[nodiscard]] double to_number(const std::string& word);

}  // namespace edgejoule::emulated_board
