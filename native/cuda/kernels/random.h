// What random.cu's kernels take: the draws of FORMAT.md, "Random draws".
#pragma once

#include "cuda/kernels/divide.h"

namespace ostrich::cuda {

struct RandomArgs {
  const uint32_t *seed, *step;
  const void* x;  // dropout only
  void* y;
  int64_t count;
  uint32_t stream;
  uint32_t threshold;  // dropout: a draw of 24 bits below this drops
  float a, b;          // low and high, mean and standard deviation, or scale
};

}  // namespace ostrich::cuda
