// What lrn.cu's kernels take: x [N, C, H, W] channels last, unpadded, as one row of elements whose channel is its
// position modulo C.
#pragma once

#include "cuda/kernels/divide.h"

namespace ostrich::cuda {

constexpr int kLrnThreads = 256;
constexpr int kLrnReach = 62;  // of a gradient to either side: twice half of the largest window

struct LrnArgs {
  const void *x, *dy;  // dy: gradient only
  void* y;             // y, or dx
  int64_t count;
  Divisor channels;
  int half;
  float alpha, beta, k;
};

}  // namespace ostrich::cuda
