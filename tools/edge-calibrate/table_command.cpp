#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <memory>
#include <string>

#include "command.h"
#include "edgejoule/core/table.h"
#include "files/json.h"
#include "pricing/merge_tables.h"
#include "pricing/operating_points.h"
#include "text/escape.h"
#include "text/quantity_text.h"
#include "text/terminal.h"

namespace edgejoule::calibrate {
namespace {

using text::printable;

struct TableArguments {
  std::string from;
  std::string to;
  std::string at;
  std::string name;
  std::vector<std::string> tables;
};

CoefficientTable opened(const files::FileBytes& bytes, const std::string& path) {
  const Result<CoefficientTable> table = CoefficientTable::open(bytes.span());
  if (!table) throw BadFile(fmt::format("{}: {}", printable(path), error_text(table.error())));
  return *table;
}

int convert(const TableArguments& arguments) {
  const files::FileBytes bytes = reading([&] { return files::load(arguments.from, files::FileKind::kTable); });
  if (const auto table = CoefficientTable::open(bytes.span()); !table) {
    fmt::print(stderr, "warning: {} converts, but no program will use it: {}\n", printable(arguments.from),
               error_text(table.error()));
  }
  files::save(arguments.to, bytes.span(), files::FileKind::kTable);
  return kExitOk;
}

int interpolate(const TableArguments& arguments) {
  const files::FileBytes bytes = reading([&] { return files::load(arguments.from, files::FileKind::kTable); });
  (void)opened(bytes, arguments.from);
  try {
    const auto clocks = pricing::parse_clocks(arguments.at);
    if (!clocks) throw pricing::OperatingPointError("--at: write clocks as cpu=MHZ,gpu=MHZ,memory=MHZ");
    const pricing::InterpolatedTable made =
        pricing::interpolate(bytes, *clocks, arguments.name.empty() ? arguments.at : arguments.name);
    files::save(arguments.to, made.bytes.span(), files::FileKind::kTable);
    fmt::print(stderr, "{}\n",
               made.between.empty()
                   ? fmt::format("{} is calibrated with these clocks: nothing added", printable(made.point))
                   : fmt::format("added {} between {}", printable(made.point), printable(made.between)));
  } catch (const pricing::OperatingPointError& error) {
    throw BadFile(fmt::format("{}: {}", printable(arguments.from), error.what()));
  }
  return kExitOk;
}

int merge(const TableArguments& arguments) {
  const files::FileBytes made = reading([&] {
    std::vector<pricing::NamedTable> tables;
    for (const std::string& file : arguments.tables) {
      tables.push_back({file, files::load(file, files::FileKind::kTable)});
    }
    return pricing::merge(tables);
  });
  files::save(arguments.to, made.span(), files::FileKind::kTable);
  const CoefficientTable table = opened(made, arguments.to);
  fmt::print(stderr, "wrote {}: {} rows, {} engines, {} operating points\n", printable(arguments.to), table.row_count(),
             table.engine_count(), table.operating_point_count());
  return kExitOk;
}

void line(std::string_view label, std::string_view value) {
  if (!value.empty()) fmt::print("{:<12}{}\n", label, printable(value));
}

std::string key_text(const RowView& row) {
  switch (row.level()) {
    case Level::kRoofline: return "any op";
    case Level::kClass: return fmt::format("any {}", name_of(row.op_class()));
    default: break;
  }
  const std::string type = row.data_type() == DataType::kUnknown ? "" : fmt::format(" {}", name_of(row.data_type()));
  return fmt::format("{}{}", name_of(row.kind()), type);
}

std::string conditions_text(const RowView& row) {
  std::string all;
  for (std::uint32_t i = 0; i < row.condition_count(); ++i) {
    const Condition condition = row.condition(i);
    if (!all.empty()) all += ", ";
    if (std::isfinite(condition.min)) all += fmt::format("{:g} <= ", condition.min);
    all += name_of(condition.feature);
    if (std::isfinite(condition.max)) all += fmt::format(" < {:g}", condition.max);
  }
  return all;
}

std::string feature_text(const Term& term) {
  std::string feature(name_of(term.feature));
  if (term.tile.m + term.tile.n + term.tile.k > 0) {
    feature += fmt::format("[{}x{}x{}]", term.tile.m, term.tile.n, term.tile.k);
  }
  return feature;
}

std::string terms_text(const RowView& row) {
  std::string all;
  if (row.form() == RowForm::kLog2) all = fmt::format("2^{:g}", row.intercept());
  if (row.children_gain() > 0) all = fmt::format("{:g} x children", row.children_gain());
  for (std::uint32_t i = 0; i < row.term_count(); ++i) {
    const Term term = row.term(i);
    if (term.coefficient == 0 && term.time_coefficient != 0) continue;  // of time alone
    if (!all.empty()) all += row.form() == RowForm::kLog2 ? " x " : " + ";
    const std::string feature = feature_text(term);
    if (row.form() == RowForm::kLog2) {
      all += fmt::format("{}^{:g}", feature, term.coefficient);
    } else if (term.feature == Feature::kOne) {
      all += fmt::format("{:.4g} {}", term.coefficient, symbol_of(term.unit));
    } else {
      all += fmt::format("{:.4g} {} x {}", term.coefficient, symbol_of(term.unit), feature);
    }
  }
  return all.empty() ? "nothing" : all;
}

// "" of a row that knows no time.
std::string times_text(const RowView& row) {
  std::string all;
  for (std::uint32_t i = 0; i < row.term_count(); ++i) {
    const Term term = row.term(i);
    if (term.time_coefficient == 0) continue;
    if (!all.empty()) all += " + ";
    all += fmt::format("{:.4g} {}", term.time_coefficient, symbol_of(term.time_unit));
    if (term.feature != Feature::kOne) all += " x " + feature_text(term);
  }
  return all;
}

std::string held_out_text(const Residual& residual) {
  constexpr std::size_t kP5 = 1, kP95 = 7;
  std::string all =
      fmt::format("median {:.1f} %, mean {:.1f} %", residual.median_error_percent, residual.mean_error_percent);
  if (residual.has_quantiles) {
    all += fmt::format("; 90 % of measured lie {:.2f} to {:.2f} times the predicted", std::exp(residual.quantiles[kP5]),
                       std::exp(residual.quantiles[kP95]));
  }
  return all + fmt::format(" ({} {})", residual.groups, residual.groups == 1 ? "group" : "groups");
}

void show_heading(const CoefficientTable& table, bool colour) {
  fmt::print("{}\n\n", text::styled(printable(table.name()), text::Style::kBold, colour));
  std::string boundary(name_of(table.boundary()));
  for (std::uint32_t i = 0; i < table.boundary_rail_count(); ++i) {
    boundary += (i == 0 ? " " : " + ") + std::string(table.boundary_rail(i));
  }
  if (!table.boundary_description().empty()) boundary += fmt::format(" ({})", table.boundary_description());
  std::string baseline(name_of(table.baseline()));
  if (!table.idle_state().empty()) baseline += fmt::format(" ({})", table.idle_state());
  line("board", table.board());
  line("compatible", table.board_compatible());
  line("OS", table.os_release());
  line("runtime", table.runtime());
  line("backend", table.backend());
  line("boundary", boundary);
  line("baseline", baseline);
  for (std::uint32_t i = 0; i < table.engine_count(); ++i) line("engine", table.engine(i).name);
  for (std::uint32_t i = 0; i < table.operating_point_count(); ++i) {
    const OperatingPointView point = table.operating_point(i);
    line("at", fmt::format("{}: cpu {:g}, gpu {:g}, memory {:g} MHz{}", point.name, point.cpu_mhz, point.gpu_mhz,
                           point.memory_mhz, point.interpolated ? ", interpolated" : ""));
  }
  for (std::uint32_t i = 0; i < table.static_term_count(); ++i) {
    const StaticTermView term = table.static_term(i);
    const std::string at = term.operating_point < table.operating_point_count()
                               ? fmt::format(" at {}", table.operating_point(term.operating_point).name)
                               : "";
    line("static",
         fmt::format("{} {}{}: {}", table.engine(term.engine).name, name_of(term.state), at, text::si(term.power)));
  }
  const ProvenanceView provenance = table.provenance();
  line("measured", provenance.data_source);
  line("protocol", provenance.protocol);
  line("licence", provenance.licence);
  line("date", provenance.date);
  line("made by", provenance.tool_version);
  for (std::uint32_t i = 0; i < table.note_count(); ++i) line("note", table.note(i));
}

int show_table(const TableArguments& arguments) {
  const files::FileBytes bytes = reading([&] { return files::load(arguments.from, files::FileKind::kTable); });
  const CoefficientTable table = opened(bytes, arguments.from);
  const bool colour = text::use_colour(stdout, text::ColourChoice::kAuto);
  show_heading(table, colour);
  for (std::uint32_t i = 0; i < table.row_count(); ++i) {
    const RowView row = table.row(i);
    const std::string conditions = conditions_text(row);
    fmt::print("\n{}{}\n", text::styled(key_text(row), text::Style::kBold, colour),
               conditions.empty() ? "" : " where " + conditions);
    fmt::print("  {}\n", terms_text(row));
    if (row.has_residual()) fmt::print("  held out: {}\n", held_out_text(row.residual()));
    if (row.has_time()) fmt::print("  time: {}\n", times_text(row));
    if (row.has_time_residual()) fmt::print("  held out: {}\n", held_out_text(row.time_residual()));
    if (!row.reason().empty()) fmt::print("  {}\n", text::styled(printable(row.reason()), text::Style::kDim, colour));
  }
  return kExitOk;
}

constexpr const char* kConvertFooter = R"(
The text form is exact: converted there and back, every number is the same to the bit.

Example:
  edge-calibrate table convert board.ejt board.json)";

constexpr const char* kInterpolateFooter = R"(
Joules per unit of work follow the square of the voltage, static watts the voltage, times
the clocks (of memory for bytes, of the engine for the rest). Nothing is extrapolated, and
predictions at such a point are flagged.

Example:
  edge-calibrate table interpolate board.ejt board-20w.ejt --at gpu=700 --name 20W)";

constexpr const char* kMergeFooter = R"(
Of one board: each table is of another operating point, or another engine.

Example:
  edge-calibrate table merge cpu-15w.ejt cpu-25w.ejt gpu-25w.ejt -o board.ejt)";

constexpr const char* kTableShowFooter = R"(
Example:
  edge-calibrate table show jetson-nano-pytorch-fp32.ejt)";

}  // namespace

void add_table_command(CLI::App& program, Run& chosen) {
  auto arguments = std::make_shared<TableArguments>();
  CLI::App* table = program.add_subcommand("table", "Convert and show coefficient tables");
  table->require_subcommand(1);

  CLI::App* converter =
      table->add_subcommand("convert", "Between binary (.ejt) and JSON text (.json, or - for stdout)");
  converter->add_option("from", arguments->from, "binary or text, told apart by content")->required();
  converter->add_option("to", arguments->to, "JSON text where it ends in .json or is -, else binary")->required();
  converter->footer(kConvertFooter);
  converter->callback([arguments, &chosen] { chosen = [arguments] { return convert(*arguments); }; });

  CLI::App* adder = table->add_subcommand("interpolate", "Add an operating point between calibrated ones");
  adder->add_option("from", arguments->from, "binary or text")->required();
  adder->add_option("to", arguments->to, "JSON text where it ends in .json or is -, else binary")->required();
  adder->add_option("--at", arguments->at, "clocks in MHz: cpu=1200,gpu=600,memory=1600 (those that matter)")
      ->required();
  adder->add_option("--name", arguments->name, "of the new point (default: its clocks)");
  adder->footer(kInterpolateFooter);
  adder->callback([arguments, &chosen] { chosen = [arguments] { return interpolate(*arguments); }; });

  CLI::App* merger = table->add_subcommand("merge", "Tables of one board, a point or an engine each, as one");
  merger->add_option("tables", arguments->tables, "two or more, binary or text")->required();
  merger->add_option("-o,--output", arguments->to, "JSON text where it ends in .json or is -, else binary")->required();
  merger->footer(kMergeFooter);
  merger->callback([arguments, &chosen] { chosen = [arguments] { return merge(*arguments); }; });

  CLI::App* shower = table->add_subcommand("show", "What a table says, for a person");
  shower->add_option("table", arguments->from, "binary or text")->required();
  shower->footer(kTableShowFooter);
  shower->callback([arguments, &chosen] { chosen = [arguments] { return show_table(*arguments); }; });
}

}  // namespace edgejoule::calibrate
