#include "pricing/merge_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <tuple>
#include <utility>

#include "files/io.h"
#include "pricing/table_objects.h"
#include "text/escape.h"

namespace edgejoule::pricing {
namespace {

using Table = wire::CoefficientTableT;

// What joules mean, and where: of two tables in one these must be the same.
std::string meaning_of(const Table& table) {
  std::string out = fmt::format("{}, {} {}", wire::EnumNameBoundaryKind(table.boundary->kind),
                                wire::EnumNameBaselineKind(table.baseline->kind), table.baseline->idle_state);
  for (const std::string& rail : table.boundary->rails) out += " " + rail;
  return out;
}

std::string board_of(const Table& table) {
  if (table.board == nullptr) return {};
  return table.board->compatible.empty() ? table.board->name : table.board->compatible;
}

std::string name_of_engine(const Table& table, std::uint8_t engine) {
  return engine < table.engines.size() ? table.engines[engine]->name : "any engine";
}

// The place of each of `from` in `into`, where those that are new are added.
template <class Named>
std::vector<std::uint8_t> joined(std::vector<std::unique_ptr<Named>>& into,
                                 const std::vector<std::unique_ptr<Named>>& from) {
  std::vector<std::uint8_t> places;
  for (const auto& item : from) {
    auto known = std::find_if(into.begin(), into.end(), [&](const auto& other) { return other->name == item->name; });
    if (known == into.end()) known = into.insert(into.end(), std::make_unique<Named>(*item));
    places.push_back(static_cast<std::uint8_t>(known - into.begin()));
  }
  return places;
}

// Any stays any, but of a table that has one only.
std::uint8_t placed(std::uint8_t index, const std::vector<std::uint8_t>& places, bool has_others) {
  if (index != kAnyEngine) return places[index];
  return places.size() == 1 && has_others ? places.front() : kAnyEngine;
}
static_assert(kAnyEngine == kAnyOperatingPoint);

bool is_for_anything(const wire::RowT& row) {
  return row.level == wire::Level::roofline && row.data_type == wire::DataType::unknown && row.engine == kAnyEngine &&
         row.operating_point == kAnyOperatingPoint && row.conditions.empty() &&
         std::none_of(row.terms.begin(), row.terms.end(), [](const auto& term) {
           return term->feature == wire::Feature::time || term->feature == wire::Feature::counter_energy ||
                  term->feature == wire::Feature::utilisation_time;
         });
}

void take_wider(std::unique_ptr<wire::ResidualT>& mine, const std::unique_ptr<wire::ResidualT>& other) {
  const auto width = [](const wire::ResidualT& r) { return r.quantiles ? r.quantiles->p95() - r.quantiles->p5() : 0; };
  if (mine == nullptr || other == nullptr) {
    mine = nullptr;
  } else if (width(*other) > width(*mine)) {
    *mine = *other;
  }
}

class Merged {
 public:
  explicit Merged(const std::vector<NamedTable>& tables) {
    for (const NamedTable& table : tables) {
      parts_.push_back(unpack_table<MergeError>(table.bytes, text::printable(table.file)));
      files_.push_back(text::printable(table.file));
    }
    out_ = std::make_unique<Table>(*parts_.front());
    out_->rows.clear();
    out_->statics.clear();
    out_->engines.clear();
    out_->operating_points.clear();
    out_->sensors.clear();
    for (const auto& part : parts_) {
      engines_.push_back(joined(out_->engines, part->engines));
      points_.push_back(joined(out_->operating_points, part->operating_points));
    }
    if (out_->engines.size() > kMaxEngines || out_->operating_points.size() > kMaxOperatingPoints) {
      throw MergeError(fmt::format("together they have {} engines and {} operating points; a table holds {} and {}",
                                   out_->engines.size(), out_->operating_points.size(), kMaxEngines,
                                   kMaxOperatingPoints));
    }
  }

  void add(std::size_t i) {
    Table& part = *parts_[i];
    check(i);
    for (const auto& row : part.rows) {
      auto moved = std::make_unique<wire::RowT>(*row);
      moved->engine = placed(row->engine, engines_[i], out_->engines.size() > 1);
      moved->operating_point = placed(row->operating_point, points_[i], out_->operating_points.size() > 1);
      if (is_for_anything(*row) && i == 0) {
        out_->rows.push_back(std::make_unique<wire::RowT>(*row));
        if (is_for_anything(*moved)) continue;
      }
      const auto key = std::tuple(moved->engine, moved->operating_point);
      const auto owner = owners_.emplace(key, i).first->second;
      if (owner != i) {
        throw MergeError(fmt::format("{} and {} both have rows for {} at {}: leave one of them out", files_[owner],
                                     files_[i], text::printable(name_of_engine(*out_, moved->engine)),
                                     point_name(moved->operating_point)));
      }
      out_->rows.push_back(std::move(moved));
    }
    add_statics(i);
    for (auto& sensor : part.sensors) {
      const bool known = std::any_of(out_->sensors.begin(), out_->sensors.end(),
                                     [&](const auto& other) { return other->rail == sensor->rail; });
      if (!known) out_->sensors.push_back(std::make_unique<wire::SensorT>(*sensor));
    }
    if (i == 0) return;
    take_wider(out_->op_residual, part.op_residual);
    take_wider(out_->module_residual, part.module_residual);
    take_wider(out_->model_residual, part.model_residual);
    take_wider(out_->op_time_residual, part.op_time_residual);
    take_wider(out_->module_time_residual, part.module_time_residual);
    take_wider(out_->model_time_residual, part.model_time_residual);
  }

  files::FileBytes finish() {
    if (out_->provenance == nullptr) out_->provenance = std::make_unique<wire::ProvenanceT>();
    std::string digests;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (parts_[i]->provenance != nullptr) digests += parts_[i]->provenance->measurements_sha256 + '\n';
      out_->provenance->notes.push_back(
          fmt::format("merged from '{}' ({})", parts_[i]->name,
                      parts_[i]->provenance == nullptr ? "no date" : parts_[i]->provenance->date));
    }
    for (std::string& note : notes_) out_->provenance->notes.push_back(std::move(note));
    out_->provenance->measurements_sha256 = files::sha256(digests);
    return pack_table<MergeError>(*out_, "the tables do not fit together");
  }

 private:
  void add_statics(std::size_t i) {
    for (const wire::StaticTerm& term : parts_[i]->statics) {
      const std::uint8_t engine = placed(term.engine(), engines_[i], false);
      const std::uint8_t point = placed(term.operating_point(), points_[i], out_->operating_points.size() > 1);
      const bool known = std::any_of(out_->statics.begin(), out_->statics.end(), [&](const wire::StaticTerm& other) {
        return other.engine() == engine && other.operating_point() == point && other.state() == term.state();
      });
      if (known) continue;
      float milliwatts = term.milliwatts();
      const bool is_idle = term.state() == wire::EngineState::idle;
      if (const std::size_t owner = is_idle ? idle_owners_.emplace(point, i).first->second : i; owner != i) {
        notes_.push_back(fmt::format("idle power at {} is that of {}, of all rails; {} has {:.3g} W for {}",
                                     point_name(point), files_[owner], files_[i], milliwatts / 1e3,
                                     text::printable(name_of_engine(*out_, engine))));
        milliwatts = 0;
      }
      out_->statics.emplace_back(engine, point, term.state(), milliwatts);
    }
  }

  void check(std::size_t i) const {
    const Table &first = *parts_.front(), &part = *parts_[i];
    if (meaning_of(part) != meaning_of(first)) {
      throw MergeError(fmt::format("{} counts joules as {}, {} as {}: these are never put into one table", files_[0],
                                   meaning_of(first), files_[i], meaning_of(part)));
    }
    if (board_of(part) != board_of(first)) {
      throw MergeError(fmt::format("{} is of the board '{}', {} of '{}': one table is of one board", files_[0],
                                   text::printable(board_of(first)), files_[i], text::printable(board_of(part))));
    }
    for (const auto& point : part.operating_points) {
      const auto& same = **std::find_if(out_->operating_points.begin(), out_->operating_points.end(),
                                        [&](const auto& other) { return other->name == point->name; });
      if (same.cpu_mhz != point->cpu_mhz || same.gpu_mhz != point->gpu_mhz || same.memory_mhz != point->memory_mhz) {
        throw MergeError(fmt::format("{}: the operating point '{}' has other clocks than in an earlier table",
                                     files_[i], text::printable(point->name)));
      }
    }
  }

  [[nodiscard]] std::string point_name(std::uint8_t point) const {
    return point < out_->operating_points.size() ? text::printable(out_->operating_points[point]->name)
                                                 : std::string("any operating point");
  }

  std::vector<std::unique_ptr<Table>> parts_;
  std::vector<std::string> files_;
  std::unique_ptr<Table> out_;
  std::vector<std::vector<std::uint8_t>> engines_, points_;  // per table: its places in the merged one
  std::map<std::tuple<std::uint8_t, std::uint8_t>, std::size_t> owners_;
  std::map<std::uint8_t, std::size_t> idle_owners_;  // of each point, the table whose idle power it has
  std::vector<std::string> notes_;
};

}  // namespace

files::FileBytes merge(const std::vector<NamedTable>& tables) {
  if (tables.size() < 2) throw MergeError("two tables or more are merged into one");
  Merged merged(tables);
  for (std::size_t i = 0; i < tables.size(); ++i) merged.add(i);
  return merged.finish();
}

}  // namespace edgejoule::pricing
