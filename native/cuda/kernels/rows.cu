// The sums of a sparse gradient's rows, and rows of a table replaced. Positions come sorted by row, so that each row is
// one block's, which takes its positions in order.
#include "cuda/kernels/device.h"
#include "cuda/kernels/gather.h"

namespace ostrich::cuda {
namespace {

struct alignas(8) Bytes8 {
  uint32_t words[2];
};
struct alignas(16) Bytes16 {
  uint32_t words[4];
};

// The last of the sorted positions of its row.
template <class Args>
OSTRICH_DEVICE bool is_last(const Args& args, int64_t i) {
  return i + 1 == args.n || args.keys[i + 1] != args.keys[i];
}

template <class Kind>
OSTRICH_DEVICE void coalesce(const ScatterArgs& args) {
  using T = typename Kind::Stored;
  const T* updates = static_cast<const T*>(args.updates);
  for (int64_t i = block_x(); i < args.n; i += grid_x()) {
    const int64_t last = is_last(args, i) ? i : -1;
    int64_t first = last;
    while (first > 0 && args.keys[first - 1] == args.keys[i]) --first;
    for (int64_t column = thread_index(); column < args.columns; column += block_threads()) {
      float sum = 0;
      for (int64_t j = first; j >= 0 && j <= last; ++j) {
        sum += Kind::load(updates[int64_t(args.positions[j]) * args.columns + column]);
      }
      static_cast<T*>(args.y)[int64_t(args.positions[i]) * args.columns + column] = Kind::store(sum);
    }
  }
}

template <class T>
OSTRICH_DEVICE void set_rows(const SetRowsArgs& args) {
  if (args.fault->site != 0) return;
  const T* rows = static_cast<const T*>(args.rows);
  T* y = static_cast<T*>(args.y);
  for (int64_t i = block_x(); i < args.n; i += grid_x()) {
    if (!is_last(args, i)) continue;
    for (int64_t unit = thread_index(); unit < args.units; unit += block_threads()) {
      y[int64_t(args.keys[i]) * args.units + unit] = rows[int64_t(args.positions[i]) * args.units + unit];
    }
  }
}

}  // namespace

OSTRICH_GLOBAL(coalesce_f32, ScatterArgs, 256) { coalesce<F32>(args); }
OSTRICH_GLOBAL(coalesce_bf16, ScatterArgs, 256) { coalesce<Bf16>(args); }

OSTRICH_GLOBAL(check_rows, CheckRowsArgs, 256) {
  for (int64_t i = first_item(); i < args.n; i += item_stride()) {
    const int32_t row = args.index[i];
    if (row < 0 || row >= args.rows) report(args.fault, args.site, i, row);
  }
}

OSTRICH_GLOBAL(set_rows_2, SetRowsArgs, 256) { set_rows<uint16_t>(args); }
OSTRICH_GLOBAL(set_rows_4, SetRowsArgs, 256) { set_rows<uint32_t>(args); }
OSTRICH_GLOBAL(set_rows_8, SetRowsArgs, 256) { set_rows<Bytes8>(args); }
OSTRICH_GLOBAL(set_rows_16, SetRowsArgs, 256) { set_rows<Bytes16>(args); }

}  // namespace ostrich::cuda
