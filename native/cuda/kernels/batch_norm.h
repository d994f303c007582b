// What batch_norm.cu's kernels take: x as rows of C channels side by side. Rows are cut into `parts` of `part` rows by
// the extents alone, and their sums joined in order, so that results are the same at every run.
#pragma once

#include "cuda/kernels/divide.h"

namespace ostrich::cuda {

constexpr int kNormThreads = 256;
constexpr int kNormColumns = 32;  // channels of a block, by 8 threads each

struct BatchNormArgs {
  const void *x, *dy, *residual;  // dy: gradient only; residual: null where there is none
  void* y;                        // y, or dx
  const float *scale, *shift;
  float *mean, *variance;  // of the gradient, what the forward pass found
  float *dscale, *dshift;  // gradient only
  float* partials;         // [parts, 2, C]: means and squared distances, or the sums of the gradient
  float* factors;          // [5, C]: y = a x + b; dx = p dz + q (x - mean) + t
  int64_t rows, part, parts;
  Divisor channels;
  float epsilon;
  bool relu;
};

}  // namespace ostrich::cuda
