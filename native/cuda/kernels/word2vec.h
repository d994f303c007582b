// What word2vec.cu's kernels take.
#pragma once

#include <cstdint>

#include "cuda/fault.h"

namespace ostrich::cuda {

struct Word2vecArgs {
  float *inputs, *outputs;  // [V, D], [U, D]
  const int32_t* tokens;    // [N]
  const float* kept;        // [V]
  const float* chosen;      // [V], of negative sampling
  const int32_t* starts;    // [V + 1], of a tree
  const int32_t* second;    // [V] other words, or [L] codes
  const float* rate;
  const uint32_t *seed, *step;
  float *loss, *scores;
  Fault* fault;
  int32_t word_site, other_site, start_site, code_site;
  uint32_t stream;
  int64_t count, words, nodes, codes, width;  // N, V, U, entries of `second`, D
  int64_t window, negatives, longest;
  bool is_cbow, is_tree;
};

constexpr int64_t kWordPart = 128;     // words of a block of threads, which is one warp
constexpr int64_t kWordOutputs = 256;  // of a word at most
constexpr int64_t kWordInputs = 8;     // of a step at most

}  // namespace ostrich::cuda
