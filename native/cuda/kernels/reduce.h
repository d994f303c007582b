// What reduce.cu's kernels take: `outputs` results, each over `length` elements in `splits` parts.
#pragma once

#include "cuda/kernels/divide.h"

namespace ostrich::cuda {

struct ReduceArgs {
  const void* x;
  const int32_t* x_index;  // argmax, second pass: the index of each partial maximum; else null
  void* y;                 // [splits, outputs]; argmax: partial maxima, or null in the last pass
  int32_t* y_index;        // argmax only, as y
  Walk kept, reduced;
  int64_t outputs, length, part;  // part: elements of one split
  int splits;
  bool narrow;   // y is bf16, else f32 (i32 for max of i32)
  bool partial;  // norm, first of two passes: y is f64, of sums of squares
};

constexpr int kReduceThreads = 256;

}  // namespace ostrich::cuda
