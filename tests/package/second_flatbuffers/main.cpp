// Uses edgejoule and a runtime with another FlatBuffers in one process.
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <vector>

#include "edgejoule/core/table.h"

namespace invented_runtime {
int total_width();
}
bool verify_plainly(const std::uint8_t* bytes, std::size_t size);

int main(int, char** argv) {
  std::ifstream file(argv[1], std::ios::binary | std::ios::ate);
  const auto size = static_cast<std::size_t>(file.tellg());
  std::vector<std::uint64_t> words(size / 8 + 1);  // aligned to 8
  file.seekg(0);
  file.read(reinterpret_cast<char*>(words.data()), static_cast<std::streamsize>(size));

  const auto table = edgejoule::CoefficientTable::open({reinterpret_cast<const std::byte*>(words.data()), size});
#ifdef VERIFY_PLAINLY
  if (!verify_plainly(reinterpret_cast<const std::uint8_t*>(words.data()), size)) return 1;
#endif
  const int width = invented_runtime::total_width();
  std::printf("%s, %d\n", table ? "table opens" : edgejoule::error_text(table.error()), width);
  return table.ok() && width == 10 ? 0 : 1;
}
