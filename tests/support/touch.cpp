#include "support/touch.h"

#include <cstddef>
#include <string_view>

namespace edgejoule::test {
namespace {

class Reader {
 public:
  void read(std::string_view text) {
    for (const char c : text) sum_ += static_cast<unsigned char>(c);
  }
  void read(double value) { sum_ += value > 0.5 ? 1U : 0U; }
  ~Reader() {
    const volatile std::size_t sum = sum_;
    static_cast<void>(sum);
  }

 private:
  std::size_t sum_ = 0;
};

void read(Reader& reader, const Residual& residual) {
  for (const float quantile : residual.quantiles) reader.read(static_cast<double>(quantile));
  reader.read(static_cast<double>(residual.shared_sigma));
}

}  // namespace

void touch_everything(const GraphView& graph) {
  Reader reader;
  reader.read(graph.model_name());
  reader.read(graph.source_format());
  reader.read(graph.source_file());
  reader.read(graph.source_sha256());
  for (std::uint32_t i = 0; i < graph.note_count(); ++i) reader.read(graph.note(i));
  for (std::uint32_t node = 0; node < graph.size(); ++node) {
    reader.read(name_of(graph.kind(node)));
    reader.read(name_of(graph.op_class(node)));
    reader.read(name_of(graph.data_type(node)));
    reader.read(name_of(graph.weight_type(node)));
    reader.read(static_cast<double>(graph.parent(node)));
    reader.read(graph.depth(node));
    reader.read(graph.engine(node));
    reader.read(graph.name(node));
    reader.read(graph.type_name(node));
    const Facts facts = graph.facts(node);
    reader.read(static_cast<double>(facts[Fact::kBatch]));
  }
}

void touch_everything(const CoefficientTable& table) {
  Reader reader;
  for (const std::string_view text :
       {table.name(), table.boundary_description(), table.idle_state(), table.board(), table.board_compatible(),
        table.os_release(), table.runtime(), table.backend(), name_of(table.boundary()), name_of(table.baseline())}) {
    reader.read(text);
  }
  const ProvenanceView provenance = table.provenance();
  for (const std::string_view text : {provenance.date, provenance.tool_version, provenance.measurements_sha256,
                                      provenance.data_source, provenance.licence, provenance.protocol}) {
    reader.read(text);
  }
  for (std::uint32_t i = 0; i < table.boundary_rail_count(); ++i) reader.read(table.boundary_rail(i));
  for (std::uint32_t i = 0; i < table.note_count(); ++i) reader.read(table.note(i));
  for (std::uint32_t i = 0; i < table.engine_count(); ++i) reader.read(table.engine(i).name);
  for (std::uint32_t i = 0; i < table.operating_point_count(); ++i) reader.read(table.operating_point(i).name);
  for (std::uint32_t i = 0; i < table.static_term_count(); ++i) {
    reader.read(static_cast<double>(table.static_term(i).power.value()));
  }
  for (std::uint32_t i = 0; i < table.sensor_count(); ++i) {
    reader.read(table.sensor(i).rail);
    reader.read(table.sensor(i).chip);
  }
  read(reader, table.op_residual());
  read(reader, table.module_residual());
  read(reader, table.model_residual());
  for (std::uint32_t i = 0; i < table.row_count(); ++i) {
    const RowView row = table.row(i);
    reader.read(name_of(row.level()));
    reader.read(row.reason());
    read(reader, row.residual());
    for (std::uint32_t t = 0; t < row.term_count(); ++t) reader.read(static_cast<double>(row.term(t).coefficient));
    for (std::uint32_t c = 0; c < row.condition_count(); ++c) reader.read(static_cast<double>(row.condition(c).min));
  }
}

}  // namespace edgejoule::test
