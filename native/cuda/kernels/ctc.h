// What ctc.cu's kernels take.
#pragma once

#include <cstdint>

#include "cuda/fault.h"

namespace ostrich::cuda {

struct CtcArgs {
  const void* logits;                                     // [T, N, K]
  const int32_t *labels, *label_lengths, *frame_lengths;  // [N, L], [N], [N]
  float *loss, *values;                                   // [N]; [T, N, K]: log-probabilities, and then the gradient
  int32_t* plan;                                          // [N, 1 + L + K]
  float* sums;                                            // [directions, N, frames kept, 2, L + 1]
  Fault* fault;
  int32_t label_length_site, frame_length_site, label_site, frames_site;
  int32_t blank;
  bool allows_impossible, wants_gradient;
  int64_t frames, rows, classes, most_labels;  // T, N, K, L
};

// A row's plan: its frames, -1 where no way leads through them; from here on, of each label the next place of the same
// class; then of each class its first place. -1: there is none.
constexpr int64_t kPlanNext = 1;

constexpr int kCtcThreads = 256;

}  // namespace ostrich::cuda
