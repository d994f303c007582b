// What scan.cu's kernels take: row-major rows of K elements.
#pragma once

#include <cstdint>

namespace ostrich::cuda {

constexpr int kScanThreads = 256;

struct ScanArgs {
  const void* x;
  void* y;           // running sums, or the largest elements [rows, k]
  int32_t* indices;  // of the largest elements only
  int64_t rows, extent, k;
  bool from_end;
};

}  // namespace ostrich::cuda
