// Elements move, values stay.
#include "cuda/kernels/copy.h"
#include "cuda/kernels/device.h"

namespace ostrich::cuda {
namespace {

struct alignas(8) Bytes8 {
  uint32_t words[2];
};
struct alignas(16) Bytes16 {
  uint32_t words[4];
};

OSTRICH_DEVICE void set_fill(uint8_t& to, uint32_t fill) { to = uint8_t(fill); }
OSTRICH_DEVICE void set_fill(uint16_t& to, uint32_t fill) { to = uint16_t(fill); }
OSTRICH_DEVICE void set_fill(uint32_t& to, uint32_t fill) { to = fill; }
OSTRICH_DEVICE void set_fill(Bytes8& to, uint32_t fill) { to = {{fill, fill}}; }
OSTRICH_DEVICE void set_fill(Bytes16& to, uint32_t fill) { to = {{fill, fill, fill, fill}}; }

template <class T>
OSTRICH_DEVICE void copy(const CopyArgs& args) {
  if (args.fault->site != 0) return;
  const T* from = static_cast<const T*>(args.from);
  T* to = static_cast<T*>(args.to);
  for (int64_t i = first_item(); i < args.count; i += item_stride()) {
    int64_t rest = i, source = 0, target = 0;
    bool inside = true;
    for (int axis = args.target.axes - 1; axis >= 0; --axis) {
      const int64_t outer = axis == 0 ? 0 : quotient(rest, args.target.extents[axis]);
      const int64_t at = rest - outer * args.target.extents[axis].divisor;
      rest = outer;
      target += at * args.target.strides[axis];
      source += (at - args.before[axis]) * args.from_strides[axis];
      if (args.has_gaps) inside = inside && uint64_t(at - args.before[axis]) < uint64_t(args.extents[axis]);
    }
    if (inside) {
      to[target] = from[source];
    } else {
      set_fill(to[target], args.fill);
    }
  }
}

// Neighbouring threads read along the rows and write whole columns.
template <class T>
OSTRICH_DEVICE void interleave(const InterleaveArgs& args) {
  constexpr int kWidth = 16 / int(sizeof(T));
  struct alignas(16) Column {
    T item[kWidth];
  };
  if (args.fault->site != 0) return;
  for (int64_t i = first_item(); i < args.count; i += item_stride()) {
    const int64_t outer = quotient(i, args.columns), j = i - outer * args.columns.divisor;
    const T* from = static_cast<const T*>(args.from) + offset_of(args.from_outer, outer) + j;
    Column column;
    for (int row = 0; row < kWidth; ++row) column.item[row] = row < args.rows ? from[row * args.from_stride] : T(0);
    T* to = static_cast<T*>(args.to) + offset_of(args.to_outer, outer) + j * args.to_stride;
    *reinterpret_cast<Column*>(to) = column;
  }
}

// One tile a block: rows are read along j and written along i, each in whole lines of memory.
template <class T>
OSTRICH_DEVICE void transpose(const TransposeArgs& args, T (&tile)[kTransposeTile * (kTransposeTile + 1)]) {
  if (args.fault->site != 0) return;
  const int64_t block = block_x(), outer_column = quotient(block, args.column_tiles);
  const int64_t outer = quotient(outer_column, args.row_tiles);
  const int64_t j0 = (block - outer_column * args.column_tiles.divisor) * kTransposeTile;
  const int64_t i0 = (outer_column - outer * args.row_tiles.divisor) * kTransposeTile;
  const T* from = static_cast<const T*>(args.from) + offset_of(args.from_outer, outer);
  T* to = static_cast<T*>(args.to) + offset_of(args.to_outer, outer);
  const int x = int(thread_index()) % kTransposeTile, y = int(thread_index()) / kTransposeTile;
  for (int step = y; step < kTransposeTile; step += kTransposeThreads / kTransposeTile) {
    const int64_t i = i0 + step, j = j0 + x;
    if (j < args.columns) {
      tile[step * (kTransposeTile + 1) + x] = i < args.rows ? from[i * args.from_stride + j] : T(0);
    }
  }
  barrier();
  for (int step = y; step < kTransposeTile; step += kTransposeThreads / kTransposeTile) {
    const int64_t i = i0 + x, j = j0 + step;
    if (i < args.target_rows && j < args.columns) to[j * args.to_stride + i] = tile[x * (kTransposeTile + 1) + step];
  }
}

}  // namespace

OSTRICH_GLOBAL(copy_1, CopyArgs, 256) { copy<uint8_t>(args); }
OSTRICH_GLOBAL(copy_2, CopyArgs, 256) { copy<uint16_t>(args); }
OSTRICH_GLOBAL(copy_4, CopyArgs, 256) { copy<uint32_t>(args); }
OSTRICH_GLOBAL(copy_8, CopyArgs, 256) { copy<Bytes8>(args); }
OSTRICH_GLOBAL(copy_16, CopyArgs, 256) { copy<Bytes16>(args); }

OSTRICH_GLOBAL(interleave_2, InterleaveArgs, 256) { interleave<uint16_t>(args); }
OSTRICH_GLOBAL(interleave_4, InterleaveArgs, 256) { interleave<uint32_t>(args); }

OSTRICH_GLOBAL_SYNC(transpose_1, TransposeArgs, kTransposeThreads) {
  OSTRICH_SHARED(uint8_t, tile, kTransposeTile * (kTransposeTile + 1));
  transpose<uint8_t>(args, tile);
}
OSTRICH_GLOBAL_SYNC(transpose_2, TransposeArgs, kTransposeThreads) {
  OSTRICH_SHARED(uint16_t, tile, kTransposeTile * (kTransposeTile + 1));
  transpose<uint16_t>(args, tile);
}
OSTRICH_GLOBAL_SYNC(transpose_4, TransposeArgs, kTransposeThreads) {
  OSTRICH_SHARED(uint32_t, tile, kTransposeTile * (kTransposeTile + 1));
  transpose<uint32_t>(args, tile);
}

}  // namespace ostrich::cuda
