// What group_norm.cu's kernels take: row-major x [N, C, places], whose groups are runs of `members` channels.
#pragma once

#include "cuda/kernels/divide.h"

namespace ostrich::cuda {

constexpr int kGroupThreads = 256;
constexpr int kGroupColumns = 32;  // channels of a block of the parameters' gradients over features, by 8 threads each

struct GroupNormArgs {
  const void *x, *dy;  // dy: gradient only
  void* y;             // y, or dx
  const float *scale, *shift;
  float *mean, *variance;  // [N, groups]
  float *dscale, *dshift;  // gradient only
  int64_t examples, channels, groups, members;
  Divisor places;
  float epsilon;
};

}  // namespace ostrich::cuda
