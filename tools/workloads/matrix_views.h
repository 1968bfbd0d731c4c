// Eigen's views of plain buffers, row by row.
#pragma once

#include <Eigen/Dense>
#include <cstddef>

namespace edgejoule::workloads {

using RowMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using MatrixMap = Eigen::Map<RowMatrix>;
using ConstMatrixMap = Eigen::Map<const RowMatrix>;
using ConstVectorMap = Eigen::Map<const Eigen::VectorXf>;

[[nodiscard]] inline Eigen::Index index(std::size_t n) {
  return static_cast<Eigen::Index>(n);
}
[[nodiscard]] inline MatrixMap matrix(float* data, std::size_t rows, std::size_t columns) {
  return {data, index(rows), index(columns)};
}
[[nodiscard]] inline ConstMatrixMap matrix(const float* data, std::size_t rows, std::size_t columns) {
  return {data, index(rows), index(columns)};
}

}  // namespace edgejoule::workloads
