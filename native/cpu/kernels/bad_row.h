// The run-time check of integers that choose a class or a table row.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "core/error.h"

namespace ostrich::cpu {

// Throws ERR_DATA at the first value outside 0 .. limit - 1. `what` names the values, `where` what they are counted in.
inline void expect_below(const std::string& label, const char* what, const int32_t* values, int64_t n, int64_t limit,
                         const char* where) {
  // Taken as unsigned, negative values lie from 2^31 on.
  const uint32_t end = uint32_t(std::min(limit, int64_t(1) << 31));
  bool good = true;
  for (int64_t i = 0; i < n; ++i) good &= uint32_t(values[i]) < end;
  if (good) return;
  for (int64_t i = 0; i < n; ++i) {
    if (uint32_t(values[i]) < end) continue;
    core::fail("ERR_DATA", label, ": expected ", what, " 0..", limit - 1, ", got ", values[i], " at ", where, " ", i);
  }
}

}  // namespace ostrich::cpu
