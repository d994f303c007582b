// What gather.cu's and rows.cu's kernels take: positions [n] that name rows of a table [V, D].
#pragma once

#include "cuda/fault.h"
#include "cuda/kernels/divide.h"

namespace ostrich::cuda {

struct GatherArgs {
  const void* table;
  const int32_t* index;
  void* y;
  Fault* fault;
  int32_t site;
  int64_t n, rows;
  Divisor units;  // of one row, as wide as its extent and the addresses allow
};

// One pass of a stable radix sort of (row, position) by one byte of the row.
struct SortArgs {
  const int32_t *keys, *positions;  // positions null: 0, 1, 2 ...; keys are then checked
  int32_t *keys_out, *positions_out;
  int32_t* counts;  // [256, tiles]: of each byte in each tile; from the scan on, where the first one goes
  Fault* fault;
  int32_t site;
  int64_t n, rows;
  int shift, tiles;
};

struct ScatterArgs {
  const int32_t *keys, *positions;  // sorted
  const void* updates;              // [n, D]
  void* y;                          // [V, D]; of coalesce [n, D]
  int64_t n, rows, columns;
};

struct CheckRowsArgs {
  const int32_t* index;
  Fault* fault;
  int32_t site;
  int64_t n, rows;
};

struct SetRowsArgs {
  const int32_t *keys, *positions;  // sorted
  const void* rows;                 // [n, D]
  void* y;                          // [V, D]
  const Fault* fault;
  int64_t n, units;  // of one row, as in GatherArgs
};

constexpr int kSortTile = 256;  // items of a tile, threads of a block, and values of a byte

}  // namespace ostrich::cuda
