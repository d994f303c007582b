// What recurrent.cu's kernels take: one step of all N streams and H units, row-major. A sequence is [N, parts * H] at
// one step. Pointers that a kernel has no use for are null.
#pragma once

#include "cuda/kernels/divide.h"

namespace ostrich::cuda {

struct RecurrentArgs {
  const float*
      product;  // f32 [N, parts * H]: what the state before gives, or [N, H]: from the gradients of the step after
  const uint8_t* mask;  // [N], or null
  int64_t count;        // N * H
  Divisor units;        // H
  bool relu;            // rnn only
  bool first;           // gradients only: nothing has come from other steps yet

  const void *gates, *h_before;
  const float *bias, *c_before;
  void *h, *activated;
  float* c;

  const void *dh, *given_h, *given_activated;
  const float *given_c, *dc;
  void *dgates, *dproducts, *dh0;
  float *held, *dc_carried;  // f32 [N, H], from step to step
};

}  // namespace ostrich::cuda
