// Measurements of public or own origin as a set.
//
// Errors: MeasurementError naming file and line. Rows that are well-formed but cannot
// be fitted (energy not above zero) are left out and listed in `excluded`.
#pragma once

#include <string>
#include <string_view>

#include "measurements/measurement_set.h"

namespace edgejoule::measurements {

// The documented form: one op per row. csv_form_help() describes it.
[[nodiscard]] MeasurementSet import_csv(std::string_view text, const std::string& file_name);
[[nodiscard]] std::string_view csv_form_help();

// NeurstrucEnergy's data/dataset/conv2d.txt: convolutions of PyTorch in fp32 on a Jetson
// Nano class board, an external meter on the board's supply. Blanks separate the columns
// data mean_power time forward_num energy silence_energy all_energy; `data` holds
// N,C,H,W of input and output, Cin, Cout, and kernel, stride, padding, dilation (h,w
// each) and groups; the energies are joules per forward: above idle, idle, both.
[[nodiscard]] MeasurementSet import_conv2d_txt(std::string_view text, const std::string& file_name);

// Either of them, or an EJM1 file or its JSON text, told apart by content.
[[nodiscard]] MeasurementSet import_measurements(const std::string& path);

}  // namespace edgejoule::measurements
