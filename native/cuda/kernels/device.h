// What kernels are written with: the same source is compiled by nvcc for every architecture, and by g++ for tests,
// where host_runtime.h (of test/native/cuda) supplies blocks, threads and barriers. A kernel takes one plain struct.
//
//   OSTRICH_GLOBAL(softmax_f32_kernel, SoftmaxArgs, 128) { ... args.x ... }       no barrier, no shuffle, no shared
//   OSTRICH_GLOBAL_SYNC(sum_rows_f32_kernel, SumArgs, 256) { ... }                threads of a block work together
//
// The number is the largest block that it is launched with.
#pragma once

#include <cstdint>

#include "cuda/fault.h"
#include "math/convert.h"
#include "math/functions.h"

#if defined(__CUDACC__)

#define OSTRICH_DEVICE static __device__ __forceinline__
#define OSTRICH_GLOBAL(name, Args, threads) \
  extern "C" __global__ void __launch_bounds__(threads, 1) name(const __grid_constant__ Args args)
#define OSTRICH_GLOBAL_SYNC OSTRICH_GLOBAL
// An array of a block's threads, in OSTRICH_GLOBAL_SYNC only.
#define OSTRICH_SHARED(T, name, count) __shared__ T name[count]

namespace ostrich::cuda {

OSTRICH_DEVICE unsigned thread_index() { return threadIdx.x; }
OSTRICH_DEVICE unsigned block_threads() { return blockDim.x; }
OSTRICH_DEVICE unsigned block_x() { return blockIdx.x; }
OSTRICH_DEVICE unsigned block_y() { return blockIdx.y; }
OSTRICH_DEVICE unsigned block_z() { return blockIdx.z; }
OSTRICH_DEVICE unsigned grid_x() { return gridDim.x; }
OSTRICH_DEVICE void barrier() { __syncthreads(); }
// All 32 threads of a warp take part.
OSTRICH_DEVICE float shuffle_xor(float value, int mask) { return __shfl_xor_sync(0xffffffffu, value, mask); }
OSTRICH_DEVICE int32_t shuffle_xor(int32_t value, int mask) { return __shfl_xor_sync(0xffffffffu, value, mask); }

// What other blocks add to while this one runs: read past the cache of the own multiprocessor.
OSTRICH_DEVICE float load_shared_by_blocks(const float* from) { return __ldcg(from); }
OSTRICH_DEVICE void add_among_blocks(float* to, float value) { atomicAdd(to, value); }

// Sets `fault` if it is still clear; of several reports of one site the first by position wins as far as races allow.
OSTRICH_DEVICE void report(Fault* fault, int32_t site, int64_t position, int32_t value) {
  if (atomicCAS(&fault->site, 0, site) == 0) {
    fault->value = value;
    fault->position = position;
  }
}

}  // namespace ostrich::cuda

#else
#include "host_runtime.h"
#endif

namespace ostrich::cuda {

// Work items of a grid-stride loop: for (int64_t i = first_item(); i < n; i += item_stride()).
OSTRICH_DEVICE int64_t first_item() { return int64_t(block_x()) * block_threads() + thread_index(); }
OSTRICH_DEVICE int64_t item_stride() { return int64_t(grid_x()) * block_threads(); }

// Element types as kernels see them: bf16 travels as its bits.
struct F32 {
  using Stored = float;
  OSTRICH_DEVICE float load(float x) { return x; }
  OSTRICH_DEVICE float store(float x) { return x; }
};
struct Bf16 {
  using Stored = uint16_t;
  OSTRICH_DEVICE float load(uint16_t x) { return math::bf16_to_float(x); }
  OSTRICH_DEVICE uint16_t store(float x) { return math::float_to_bf16(x); }
};

}  // namespace ostrich::cuda
