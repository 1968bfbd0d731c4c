#include "measurements/measurement_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "schemas/measurements_generated.h"
#include "text/escape.h"

namespace edgejoule::measurements {
namespace {

constexpr std::uint16_t kFormatVersion = 1;

std::string utf8(const std::string& text) {
  return text::valid_utf8(text);
}

flatbuffers::Optional<double> if_known(double value) {
  return value < 0 ? flatbuffers::nullopt : flatbuffers::Optional<double>(value);
}

// Distinct ops, numbered in the order they are met.
class OpPool {
 public:
  OpPool() {
    for (std::size_t f = 0; f < kFactCount; ++f) {
      if (!name_of(static_cast<Fact>(f)).starts_with('?')) columns_.push_back(static_cast<Fact>(f));
    }
  }

  template <class Op>  // Measurement or Part
  std::uint32_t index_of(const Op& op) {
    std::vector<std::uint64_t> row;
    for (const Fact fact : columns_) row.push_back(op.facts[fact]);
    const auto key = std::tuple(op.kind, op.op_class, op.data_type, row);
    const auto [found, added] = index_.try_emplace(key, static_cast<std::uint32_t>(index_.size()));
    if (added) {
      ops_.kinds.push_back(static_cast<wire::OpKind>(op.kind));
      ops_.classes.push_back(static_cast<wire::OpClass>(op.op_class));
      ops_.data_types.push_back(static_cast<wire::DataType>(op.data_type));
      rows_.push_back(std::move(row));
    }
    return found->second;
  }

  // Columns that hold nothing but defaults are left away.
  wire::MeasuredOpsT finish() {
    std::vector<std::size_t> used;
    const Facts defaults;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const bool any =
          std::any_of(rows_.begin(), rows_.end(), [&](const auto& row) { return row[c] != defaults[columns_[c]]; });
      if (any) used.push_back(c);
    }
    for (const std::size_t c : used) ops_.fact_ids.push_back(static_cast<wire::Fact>(columns_[c]));
    for (const auto& row : rows_) {
      for (const std::size_t c : used) ops_.facts.push_back(row[c]);
    }
    return std::move(ops_);
  }

 private:
  std::vector<Fact> columns_;
  std::vector<std::vector<std::uint64_t>> rows_;
  std::map<std::tuple<OpKind, OpClass, DataType, std::vector<std::uint64_t>>, std::uint32_t> index_;
  wire::MeasuredOpsT ops_;
};

void write_device(const MeasurementSet& set, wire::MeasurementSetT& file) {
  file.boundary = std::make_unique<wire::BoundaryT>();
  file.boundary->kind = static_cast<wire::BoundaryKind>(set.boundary);
  for (const std::string& rail : set.rails) file.boundary->rails.push_back(utf8(rail));
  file.boundary->description = utf8(set.boundary_description);
  file.baseline = std::make_unique<wire::BaselineT>();
  file.baseline->kind = static_cast<wire::BaselineKind>(set.baseline);
  file.baseline->idle_state = utf8(set.idle_state);
  file.board = std::make_unique<wire::BoardT>();
  file.board->name = utf8(set.board);
  file.board->compatible = utf8(set.board_compatible);
  file.board->os_release = utf8(set.os_release);
  file.engine = std::make_unique<wire::EngineT>();
  file.engine->name = utf8(set.engine);
  file.engine->kind = static_cast<wire::EngineKind>(set.engine_kind);
  file.engine->last_level_bytes = set.last_level_bytes;
  file.idle_watts = if_known(set.idle_watts);
  file.runtime = utf8(set.runtime);
  file.backend = utf8(set.backend);
  file.source = utf8(set.source);
  file.licence = utf8(set.licence);
  file.protocol = utf8(set.protocol);
  file.sha256 = set.sha256;
}

class SetReader {
 public:
  SetReader(const wire::MeasurementSet& file, const std::string& file_name)
      : file_(file), name_(text::printable(file_name)) {}

  MeasurementSet read() {
    if (file_.format_version() != kFormatVersion) {
      refuse(fmt::format("format version {} is not one this build reads ({})", file_.format_version(), kFormatVersion));
    }
    read_device();
    read_ops();
    read_parts();
    if (file_.measurements() != nullptr) {
      for (const auto* measurement : *file_.measurements()) set_.measurements.push_back(read_measurement(*measurement));
    }
    if (file_.left_out() != nullptr) {
      for (const auto* row : *file_.left_out())
        set_.excluded.push_back({text_of(row->origin()), text_of(row->reason())});
    }
    return std::move(set_);
  }

 private:
  [[noreturn]] void refuse(std::string_view why) const {
    throw MeasurementError(fmt::format("{}: {}; write it again from its source", name_, why));
  }

  static std::string text_of(const flatbuffers::String* string) { return string == nullptr ? "" : string->str(); }

  void read_device() {
    const auto* boundary = file_.boundary();
    const auto* baseline = file_.baseline();
    if (boundary == nullptr || baseline == nullptr || boundary->kind() == wire::BoundaryKind::unknown ||
        baseline->kind() == wire::BaselineKind::unknown || boundary->kind() > wire::BoundaryKind::MAX ||
        baseline->kind() > wire::BaselineKind::MAX) {
      refuse("it does not say the boundary and the baseline of its joules");
    }
    set_.boundary = static_cast<BoundaryKind>(boundary->kind());
    set_.boundary_description = text_of(boundary->description());
    if (boundary->rails() != nullptr) {
      for (const auto* rail : *boundary->rails()) set_.rails.push_back(rail->str());
    }
    set_.baseline = static_cast<BaselineKind>(baseline->kind());
    set_.idle_state = text_of(baseline->idle_state());
    if (const auto* board = file_.board()) {
      set_.board = text_of(board->name());
      set_.board_compatible = text_of(board->compatible());
      set_.os_release = text_of(board->os_release());
    }
    if (const auto* engine = file_.engine()) {
      set_.engine = text_of(engine->name());
      set_.engine_kind = static_cast<EngineKind>(engine->kind());
      set_.last_level_bytes = engine->last_level_bytes();
    }
    set_.idle_watts = known(file_.idle_watts());
    set_.runtime = text_of(file_.runtime());
    set_.backend = text_of(file_.backend());
    set_.source = text_of(file_.source());
    set_.licence = text_of(file_.licence());
    set_.protocol = text_of(file_.protocol());
    set_.sha256 = text_of(file_.sha256());
  }

  void read_ops() {
    const auto* ops = file_.ops();
    if (ops == nullptr || ops->kinds() == nullptr) return;
    const std::size_t count = ops->kinds()->size();
    const std::size_t columns = ops->fact_ids() == nullptr ? 0 : ops->fact_ids()->size();
    const std::size_t values = ops->facts() == nullptr ? 0 : ops->facts()->size();
    if (ops->classes() == nullptr || ops->classes()->size() != count || ops->data_types() == nullptr ||
        ops->data_types()->size() != count || values != count * columns) {
      refuse("vectors that need one entry per op have different lengths");
    }
    for (std::size_t i = 0; i < count; ++i) {
      const auto at = static_cast<flatbuffers::uoffset_t>(i);
      Part op;
      op.kind = static_cast<OpKind>(ops->kinds()->Get(at));
      op.op_class = static_cast<OpClass>(ops->classes()->Get(at));
      op.data_type = static_cast<DataType>(ops->data_types()->Get(at));
      for (std::size_t c = 0; c < columns; ++c) {
        const auto fact = static_cast<std::size_t>(ops->fact_ids()->Get(static_cast<flatbuffers::uoffset_t>(c)));
        if (fact >= kFactCount) continue;  // newer than this build: nothing here can use it
        op.facts.set(static_cast<Fact>(fact), ops->facts()->Get(static_cast<flatbuffers::uoffset_t>(i * columns + c)));
      }
      ops_.push_back(op);
    }
  }

  void read_parts() {
    if (file_.parts() == nullptr) return;
    for (const auto* list : *file_.parts()) {
      auto parts = std::make_shared<std::vector<Part>>();
      const std::size_t count = list->ops() == nullptr ? 0 : list->ops()->size();
      if (count != (list->counts() == nullptr ? 0 : list->counts()->size())) {
        refuse("a list of parts has not one count per op");
      }
      for (flatbuffers::uoffset_t i = 0; i < count; ++i) {
        parts->push_back(op_at(list->ops()->Get(i)));
        parts->back().count = not_negative(list->counts()->Get(i), "a count");
      }
      parts_.push_back(std::move(parts));
    }
  }

  [[nodiscard]] const Part& op_at(std::uint32_t index) const {
    if (index >= ops_.size()) refuse(fmt::format("op {} is not one of its {} ops", index, ops_.size()));
    return ops_[index];
  }

  [[nodiscard]] double not_negative(double value, std::string_view what) const {
    if (!std::isfinite(value) || value < 0) refuse(fmt::format("{} is {}", what, value));
    return value;
  }

  [[nodiscard]] double known(const flatbuffers::Optional<double>& value) const {
    return value.has_value() ? not_negative(*value, "a run-time fact") : -1;
  }

  Measurement read_measurement(const wire::Measurement& row) const {
    const Part& op = op_at(row.op());
    Measurement m;
    m.kind = op.kind;
    m.op_class = op.op_class;
    m.data_type = op.data_type;
    m.facts = op.facts;
    m.origin = text_of(row.origin());
    if (row.level() > wire::NodeLevel::MAX)
      refuse(fmt::format("{} has level {}", m.origin, static_cast<int>(row.level())));
    m.level = static_cast<NodeLevel>(row.level());
    m.energy_joules = row.energy_joules();
    if (!std::isfinite(m.energy_joules) || m.energy_joules <= 0) {
      refuse(fmt::format("{} has {} J, which is not above zero", m.origin, m.energy_joules));
    }
    m.time_seconds = known(row.time_seconds());
    m.counter_joules = known(row.counter_joules());
    m.utilisation = known(row.utilisation());
    m.memory_utilisation = known(row.memory_utilisation());
    m.repetitions = row.repetitions();
    m.weight = not_negative(row.weight(), "a weight");
    m.group = text_of(row.group());
    m.model = text_of(row.model());
    m.family = text_of(row.family());
    m.device = text_of(row.device());
    if (row.parts().has_value()) {
      if (*row.parts() >= parts_.size()) refuse(fmt::format("{} has parts that are not there", m.origin));
      m.parts = parts_[*row.parts()];
    }
    const std::size_t children = row.children() == nullptr ? 0 : row.children()->size();
    if (children != (row.child_counts() == nullptr ? 0 : row.child_counts()->size())) {
      refuse(fmt::format("{} has not one count per child", m.origin));
    }
    for (flatbuffers::uoffset_t i = 0; i < children; ++i) {
      const std::uint32_t child = row.children()->Get(i);
      if (child >= set_.measurements.size()) refuse(fmt::format("{} does not stand behind its children", m.origin));
      m.children.push_back({child, not_negative(row.child_counts()->Get(i), "a count")});
    }
    return m;
  }

  const wire::MeasurementSet& file_;
  std::string name_;
  MeasurementSet set_;
  std::vector<Part> ops_;
  std::vector<std::shared_ptr<const std::vector<Part>>> parts_;
};

}  // namespace

files::FileBytes write_measurements(const MeasurementSet& set) {
  wire::MeasurementSetT file;
  file.format_version = kFormatVersion;
  write_device(set, file);
  OpPool pool;
  std::map<const std::vector<Part>*, std::uint32_t> lists;
  for (const Measurement& m : set.measurements) {
    auto& row = file.measurements.emplace_back(std::make_unique<wire::MeasurementT>());
    row->level = static_cast<wire::NodeLevel>(m.level);
    row->op = pool.index_of(m);
    row->energy_joules = m.energy_joules;
    row->time_seconds = if_known(m.time_seconds);
    row->counter_joules = if_known(m.counter_joules);
    row->utilisation = if_known(m.utilisation);
    row->memory_utilisation = if_known(m.memory_utilisation);
    row->repetitions = m.repetitions;
    row->weight = m.weight;
    row->group = utf8(m.group);
    row->model = utf8(m.model);
    row->family = utf8(m.family);
    row->device = utf8(m.device);
    row->origin = utf8(m.origin);
    for (const Child& child : m.children) {
      row->children.push_back(static_cast<std::uint32_t>(child.index));
      row->child_counts.push_back(child.count);
    }
    if (m.parts == nullptr) continue;
    const auto [list, added] = lists.try_emplace(m.parts.get(), static_cast<std::uint32_t>(lists.size()));
    row->parts = list->second;
    if (!added) continue;
    auto& parts = file.parts.emplace_back(std::make_unique<wire::MeasuredPartsT>());
    for (const Part& part : *m.parts) {
      parts->ops.push_back(pool.index_of(part));
      parts->counts.push_back(part.count);
    }
  }
  file.ops = std::make_unique<wire::MeasuredOpsT>(pool.finish());
  for (const Exclusion& row : set.excluded) {
    auto& added = file.left_out.emplace_back(std::make_unique<wire::LeftOutT>());
    added->origin = utf8(row.origin);
    added->reason = utf8(row.reason);
  }
  flatbuffers::FlatBufferBuilder builder;
  wire::FinishMeasurementSetBuffer(builder, wire::CreateMeasurementSet(builder, &file));
  return {builder.GetBufferPointer(), builder.GetSize()};
}

MeasurementSet read_measurements(const files::FileBytes& bytes, const std::string& file_name) {
  return SetReader(*wire::GetMeasurementSet(bytes.span().data()), file_name).read();
}

}  // namespace edgejoule::measurements
