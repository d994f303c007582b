// What pool2d.cu's kernels take: extents of x [N, C, H, W] and y [N, C, OH, OW], each with the strides of its layout.
#pragma once

#include "cuda/kernels/divide.h"

namespace ostrich::cuda {

struct PoolArgs {
  const void* in;      // x, or dy
  void* out;           // y, or dx
  uint8_t* index;      // max only: kh * KW + kw of the maximum, laid out as y; may be null in forward
  int64_t count;       // of `out` in memory, padded channels included: elements, or packs of channels
  Divisor extents[4];  // of `out`, outermost first as it lies in memory, likewise
  int axes[4];         // logical axis of each of them
  int64_t in_strides[4], out_strides[4], index_strides[4];  // by logical axis
  int channels;                                             // real ones: beyond them `out` is zero
  int in_height, in_width;                                  // of `in`
  int kernel[2], stride[2], before[2];
  Divisor by_stride[2];
  int height, width;  // of x: for what lies inside
  bool count_padding;
};

// Channels that a thread handles in kernels named _wide: 16 bytes, where channels lie last and come in such numbers.
constexpr int kPoolWidthF32 = 4, kPoolWidthBf16 = 8;

}  // namespace ostrich::cuda
