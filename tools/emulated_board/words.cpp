#include "emulated_board/words.h"

#include <cmath>
#include <sstream>

namespace edgejoule::emulated_board {

Words::Words(const std::string& line) {
  std::istringstream stream(line.substr(0, line.find('#')));
  for (std::string word; stream >> word;) {
    words_.push_back(word);
  }
}

std::string Words::next(const std::string& what) {
  if (empty()) {
    throw WordsError(what + " is missing at the end of the line");
  }
  return words_[position_++];
}

std::optional<std::string> Words::next_plain() {
  if (empty() || words_[position_].find('=') != std::string::npos) {
    return std::nullopt;
  }
  return words_[position_++];
}

std::optional<std::string> Words::option(const std::string& key) {
  for (std::size_t i = position_; i < words_.size(); ++i) {
    if (words_[i].compare(0, key.size() + 1, key + "=") == 0) {
      std::string value = words_[i].substr(key.size() + 1);
      words_.erase(words_.begin() + static_cast<std::ptrdiff_t>(i));
      return value;
    }
  }
  return std::nullopt;
}

std::string Words::required(const std::string& key) {
  auto value = option(key);
  if (!value) {
    throw WordsError(key + "=... is missing");
  }
  return *value;
}

void Words::expect_end() const {
  if (!empty()) {
    throw WordsError("'" + words_[position_] + "' is not understood here");
  }
}

std::int64_t to_integer(const std::string& word, std::int64_t least, std::int64_t most) {
  std::size_t used = 0;
  std::int64_t value = 0;
  try {
    value = std::stoll(word, &used, 0);
  } catch (const std::exception&) {
    used = 0;
  }
  if (used == 0 || used != word.size()) {
    throw WordsError("'" + word + "' is not an integer");
  }
  if (value < least || value > most) {
    throw WordsError("'" + word + "' is outside " + std::to_string(least) + " to " + std::to_string(most));
  }
  return value;
}

double to_number(const std::string& word) {
  std::size_t used = 0;
  double value = 0.0;
  try {
    value = std::stod(word, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  if (used == 0 || used != word.size() || !std::isfinite(value)) {
    throw WordsError("'" + word + "' is not a finite number");
  }
  return value;
}

}  // namespace edgejoule::emulated_board
