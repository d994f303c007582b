// What softmax.cu's kernels take: rows [R, K] of logits.
#pragma once

#include "cuda/fault.h"
#include "cuda/kernels/divide.h"

namespace ostrich::cuda {

struct SoftmaxArgs {
  const void* x;
  void* y;                // softmax, logSoftmax and the gradient
  const int32_t* labels;  // cross-entropy only, [R]
  const float* dloss;     // gradient only, [R]
  float *loss, *lse;      // cross-entropy only, [R] and [R, 2]; the gradient reads lse
  float own, spread;      // cross-entropy only: of the class of the label, and of each class
  Fault* fault;
  int32_t site;
  bool is_log;
  int64_t rows;
  Divisor k;
};

constexpr int kSoftmaxThreads = 256;

}  // namespace ostrich::cuda
