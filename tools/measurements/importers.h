// Measurements of public or own origin as a set.
//
// Errors: MeasurementError naming file and line. Rows that are well-formed but cannot
// be fitted (energy not above zero) are left out and listed in `excluded`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "measurements/measurement_set.h"
#include "measurements/mlperf_csv.h"
#include "measurements/statement.h"

namespace edgejoule::measurements {

// The documented form: one op per row. csv_form_help() describes it.
[[nodiscard]] MeasurementSet import_csv(std::string_view text, const std::string& file_name,
                                        const Statement& stated = {});
[[nodiscard]] std::string csv_form_help();

// NeurstrucEnergy's data/dataset/conv2d.txt: convolutions of PyTorch in fp32 on a Jetson
// Nano class board, an external meter on the board's supply. Blanks separate the columns
// data mean_power time forward_num energy silence_energy all_energy; `data` holds
// N,C,H,W of input and output, Cin, Cout, and kernel, stride, padding, dilation (h,w
// each) and groups; the energies are joules per forward: above idle, idle, both.
[[nodiscard]] MeasurementSet import_conv2d_txt(std::string_view text, const std::string& file_name);

// What a source leaves to its reader. Without the functions that know the ops of a
// model, files that name models are refused with the way to import them.
struct SourceOptions {
  Statement stated{};
  PartsOfModel parts_of_model{};        // a path or zoo:NAME, as a CSV of whole models names it
  PartsOfModel parts_of_mlperf_edge{};  // a submitter's name; null parts: not known
  PartsOfModel parts_of_mlperf_tiny{};
};

// Any of them, IrEne's folder, MLPerf's results, or an EJM1 file or its JSON text, told
// apart by content.
[[nodiscard]] MeasurementSet import_measurements(const std::string& path, const SourceOptions& options = {});

// Several sources as one set. Errors: where they differ in boundary, baseline, board,
// runtime, backend or engine: such joules do not go together.
[[nodiscard]] MeasurementSet merged(std::vector<MeasurementSet> sets, const std::vector<std::string>& names);

// Which measurements of a set to keep.
struct Filter {
  std::string device{};                       // part of the name of the device; "": any
  std::vector<std::string> groups{};          // only these; empty: all
  std::vector<std::string> without_groups{};  // none of these

  [[nodiscard]] bool is_empty() const { return device.empty() && groups.empty() && without_groups.empty(); }
};

// The digest of what is left is of the file's digest and the filter: they are other
// measurements. A single device that is left becomes the board.
// Errors: where none is left, or a group does not exist, naming those there are.
[[nodiscard]] MeasurementSet filtered(const MeasurementSet& set, const Filter& filter);

}  // namespace edgejoule::measurements
