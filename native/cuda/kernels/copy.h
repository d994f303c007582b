// What copy.cu's kernels take. Elements are 1, 2, 4, 8 or 16 bytes, opaque.
#pragma once

#include "cuda/fault.h"
#include "cuda/kernels/divide.h"

namespace ostrich::cuda {

// The target, element by element in the order of its memory. Element (t0, t1, ...) comes from (t0 - before[0], ...) of
// the source, or is `fill` where that lies outside the source's extents.
struct CopyArgs {
  const void* from;
  void* to;
  const Fault* fault;
  Walk target;  // extents and strides of the target
  int64_t from_strides[kMaxAxes], before[kMaxAxes], extents[kMaxAxes];
  int64_t count;
  uint32_t fill;
  bool has_gaps;  // false: no element is outside
};

// A batch of matrices, transposed: to[outer][j][i] = from[outer][i][j], zero for i from `rows` on.
struct TransposeArgs {
  const void* from;
  void* to;
  const Fault* fault;
  Walk from_outer, to_outer;
  int64_t rows, target_rows, columns;  // i, j
  int64_t from_stride, to_stride;      // of i in the source, of j in the target; both others are 1
  Divisor row_tiles, column_tiles;
};

// A batch of matrices of so few rows that a whole column is 16 bytes of the target, zeros from `rows` on.
struct InterleaveArgs {
  const void* from;
  void* to;
  const Fault* fault;
  Walk from_outer, to_outer;
  int64_t count;  // columns of all matrices
  int64_t rows;
  Divisor columns;
  int64_t from_stride, to_stride;  // of a row in the source, of a column in the target
};

constexpr int kTransposeTile = 32;
constexpr int kTransposeThreads = 256;

}  // namespace ostrich::cuda
