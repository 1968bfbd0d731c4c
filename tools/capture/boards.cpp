#include "capture/boards.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "capture/raw_chip.h"
#include "edgejoule/sensors/chips.h"
#include "edgejoule/sensors/ina_reader.h"
#include "files/json.h"

namespace edgejoule::capture {
namespace {

Board unpack(const files::FileBytes& bytes) {
  Board board;
  wire::GetBoardDescription(bytes.span().data())->UnPackTo(&board);
  return board;
}

void check_channel(const wire::BoardChannelT& channel, const Chip& chip, const std::string& file) {
  if (channel.channel < 1 || channel.channel > chip.channels) {
    throw BoardError(fmt::format("{}: rail '{}' is on channel {}, but an {} has channels 1 to {}", file, channel.label,
                                 channel.channel, chip.name, chip.channels));
  }
  if (!channel.connected) return;
  if (channel.label.empty()) {
    throw BoardError(fmt::format("{}: channel {} of the {} has no label; give it one, or \"connected\": false", file,
                                 channel.channel, chip.name));
  }
  const bool known = channel.shunt_uohm != 0;
  if (known && (channel.shunt_uohm < kMinShuntUohm || channel.shunt_uohm > kMaxShuntUohm)) {
    throw BoardError(
        fmt::format("{}: the shunt of '{}' is {} micro-ohm; a shunt lies between {} and {} (5 mOhm is 5000)", file,
                    channel.label, channel.shunt_uohm, kMinShuntUohm, kMaxShuntUohm));
  }
}

void check(const Board& board, const std::string& file) {
  if (board.format_version != 1) {
    throw BoardError(fmt::format("{}: format_version is {}; this build reads 1", file, board.format_version));
  }
  std::set<std::string> labels;
  for (const auto& monitor : board.monitors) {
    const Chip* const chip = find_chip(monitor->chip);
    if (chip == nullptr) {
      throw BoardError(
          fmt::format("{}: '{}' is no chip this build knows; it knows {}", file, monitor->chip, known_chips()));
    }
    if (monitor->i2c_address < chip->address_first || monitor->i2c_address > chip->address_last) {
      throw BoardError(fmt::format("{}: an {} cannot answer at address 0x{:02x}, only at 0x{:02x} to 0x{:02x}", file,
                                   chip->name, monitor->i2c_address, chip->address_first, chip->address_last));
    }
    for (const auto& channel : monitor->channels) {
      check_channel(*channel, *chip, file);
      if (channel->connected && !labels.insert(channel->label).second) {
        throw BoardError(fmt::format("{}: two rails are called '{}'; a total by name would count one of them twice",
                                     file, channel->label));
      }
    }
  }
  const auto need_rail = [&](const std::string& label, const std::string& what) {
    if (labels.count(label) == 0)
      throw BoardError(fmt::format("{}: {} names '{}', which is no rail of it", file, what, label));
  };
  for (const std::string& label : board.total) need_rail(label, "the total");
  for (const auto& monitor : board.monitors) {
    for (const auto& channel : monitor->channels) {
      if (channel->inside.empty()) continue;
      need_rail(channel->inside, "\"inside\" of '" + channel->label + "'");
      const auto in_total = [&](const std::string& label) {
        return std::find(board.total.begin(), board.total.end(), label) != board.total.end();
      };
      if (in_total(channel->label) && in_total(channel->inside)) {
        throw BoardError(fmt::format("{}: the total adds '{}' and '{}', but the first is inside the second", file,
                                     channel->label, channel->inside));
      }
    }
  }
}

}  // namespace

Board parse_board(std::string_view json, const std::string& file_name) {
  const Board board = unpack(files::from_json(json, files::FileKind::kBoard, file_name));
  check(board, file_name);
  return board;
}

Board load_board(const std::string& name) {
  for (const BuiltInBoard& built_in : built_in_boards()) {
    if (built_in.name == name) return parse_board(built_in.json, name);
  }
  if (name.find('/') == std::string::npos && name.find('.') == std::string::npos) {
    std::string known;
    for (const BuiltInBoard& built_in : built_in_boards())
      known += (known.empty() ? "" : ", ") + std::string(built_in.name);
    throw BoardError(fmt::format("no board is called '{}'; built in are {}; or pass a file (NAME.json)", name, known));
  }
  const Board board = unpack(files::load(name, files::FileKind::kBoard));
  check(board, name);
  return board;
}

std::unique_ptr<Board> board_for(const std::vector<std::string>& compatible) {
  std::vector<Board> boards;
  for (const BuiltInBoard& built_in : built_in_boards()) {
    boards.push_back(parse_board(built_in.json, std::string(built_in.name)));
  }
  // A device tree lists the most specific name first.
  for (const std::string& name : compatible) {
    for (const Board& board : boards) {
      if (std::find(board.compatible.begin(), board.compatible.end(), name) != board.compatible.end()) {
        return std::make_unique<Board>(board);
      }
    }
  }
  return nullptr;
}

std::vector<std::string> device_tree_compatible(const std::string& root) {
  std::ifstream file(root + "/proc/device-tree/compatible", std::ios::binary);
  std::vector<std::string> names;
  for (std::string name; std::getline(file, name, '\0');) {
    if (!name.empty()) names.push_back(name);
  }
  return names;
}

}  // namespace edgejoule::capture
