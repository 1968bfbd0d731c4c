// Every pread() of this test program passes here: counted, delayed, made to fail.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace edgejoule::test {

struct PreadScript {
  std::map<std::string, int> errors;  // part of the path -> errno
  int delay_us = 0;                   // of every call
  std::uint64_t calls = 0;
};

// Cleared by clear(); one thread at a time.
PreadScript& pread_script();
void clear_pread_script();

}  // namespace edgejoule::test
