// What unfold.cu's kernels take: x [N, C, H, W] and rows [OH*OW, N, C*KH*KW], both row-major.
#pragma once

#include "cuda/kernels/divide.h"

namespace ostrich::cuda {

struct UnfoldArgs {
  const void* in;
  void* out;
  int64_t count;                                  // elements of `out`
  Divisor channels, height, width;                // of x
  Divisor images, out_width, kernel_h, kernel_w;  // N, OW, KH, KW
  int64_t out_height;
  int stride[2], before[2];
};

}  // namespace ostrich::cuda
