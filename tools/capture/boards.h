// What is known about a board's power monitors: tools/boards, or a file of the user's.
//
// Growth: a new board is one JSON file under tools/boards.
// Errors: BoardError, whose text names the file, what contradicts what, and what to do next.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "edgejoule/core/span.h"
#include "schemas/board_generated.h"

namespace edgejoule::capture {

using Board = wire::BoardDescriptionT;

struct BoardError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct BuiltInBoard {
  std::string_view name;
  std::string_view json;
};
[[nodiscard]] Span<const BuiltInBoard> built_in_boards();

// A path, or the name of a built-in board.
[[nodiscard]] Board load_board(const std::string& name);

// `file_name` is for messages. Checks meaning: labels, shunts, chips, the total.
[[nodiscard]] Board parse_board(std::string_view json, const std::string& file_name);

// The built-in board that one of the device-tree compatibles names, the first of them first; null where none does.
[[nodiscard]] std::unique_ptr<Board> board_for(const std::vector<std::string>& compatible);

// What the kernel says this machine is; empty on machines without a device tree.
[[nodiscard]] std::vector<std::string> device_tree_compatible(const std::string& root);

}  // namespace edgejoule::capture
