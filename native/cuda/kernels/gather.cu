// Rows of a table by number, and the sum of rows back into it. Positions are sorted by row first, so that each row is
// summed by its own threads in order of position.
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

template <class T>
OSTRICH_DEVICE void gather(const GatherArgs& args) {
  const T* table = static_cast<const T*>(args.table);
  T* y = static_cast<T*>(args.y);
  for (int64_t i = first_item(); i < args.n * args.units.divisor; i += item_stride()) {
    const int64_t position = quotient(i, args.units), unit = i - position * args.units.divisor;
    const int32_t row = args.index[position];
    if (row >= 0 && row < args.rows) {
      y[i] = table[int64_t(row) * args.units.divisor + unit];
      continue;
    }
    if (unit == 0) report(args.fault, args.site, position, row);
    y[i] = T{};
  }
}

// A row number that may be sorted by, whatever was given.
OSTRICH_DEVICE int32_t key_of(const SortArgs& args, int64_t i) {
  const int32_t key = args.keys[i];
  return key >= 0 && key < args.rows ? key : 0;
}

// The byte of each item of the tile; 256 beyond the last item.
OSTRICH_DEVICE void load_tile(const SortArgs& args, int32_t* digits) {
  const int64_t i = int64_t(block_x()) * kSortTile + thread_index();
  digits[thread_index()] = i < args.n ? (key_of(args, i) >> args.shift) & 255 : 256;
  barrier();
}

template <class Kind>
OSTRICH_DEVICE void sum_rows(const ScatterArgs& args) {
  using T = typename Kind::Stored;
  const T* updates = static_cast<const T*>(args.updates);
  for (int64_t row = block_x(); row < args.rows; row += grid_x()) {
    int64_t low = 0, high = args.n;  // the first position with this row or a later one
    while (low < high) {
      const int64_t middle = (low + high) / 2;
      if (args.keys[middle] < row) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    for (int64_t column = thread_index(); column < args.columns; column += block_threads()) {
      float sum = 0;
      for (int64_t i = low; i < args.n && args.keys[i] == row; ++i) {
        sum += Kind::load(updates[int64_t(args.positions[i]) * args.columns + column]);
      }
      static_cast<T*>(args.y)[row * args.columns + column] = Kind::store(sum);
    }
  }
}

}  // namespace

OSTRICH_GLOBAL(gather_2, GatherArgs, 256) { gather<uint16_t>(args); }
OSTRICH_GLOBAL(gather_4, GatherArgs, 256) { gather<uint32_t>(args); }
OSTRICH_GLOBAL(gather_8, GatherArgs, 256) { gather<Bytes8>(args); }
OSTRICH_GLOBAL(gather_16, GatherArgs, 256) { gather<Bytes16>(args); }

// Thread d counts byte d.
OSTRICH_GLOBAL_SYNC(sort_count, SortArgs, kSortTile) {
  OSTRICH_SHARED(int32_t, digits, kSortTile);
  const int64_t i = int64_t(block_x()) * kSortTile + thread_index();
  if (args.positions == nullptr && i < args.n && key_of(args, i) != args.keys[i]) {
    report(args.fault, args.site, i, args.keys[i]);
  }
  load_tile(args, digits);
  int32_t count = 0;
  for (int item = 0; item < kSortTile; ++item) count += digits[item] == int32_t(thread_index()) ? 1 : 0;
  args.counts[int64_t(thread_index()) * args.tiles + block_x()] = count;
}

// One block: where the items of each byte and tile go.
OSTRICH_GLOBAL_SYNC(sort_scan, SortArgs, kSortTile) {
  OSTRICH_SHARED(int32_t, totals, kSortTile);
  int32_t* counts = args.counts + int64_t(thread_index()) * args.tiles;
  int32_t total = 0;
  for (int tile = 0; tile < args.tiles; ++tile) total += counts[tile];
  totals[thread_index()] = total;
  barrier();
  int32_t place = 0;
  for (int digit = 0; digit < int(thread_index()); ++digit) place += totals[digit];
  for (int tile = 0; tile < args.tiles; ++tile) {
    const int32_t count = counts[tile];
    counts[tile] = place;
    place += count;
  }
}

OSTRICH_GLOBAL_SYNC(sort_place, SortArgs, kSortTile) {
  OSTRICH_SHARED(int32_t, digits, kSortTile);
  load_tile(args, digits);
  const int64_t i = int64_t(block_x()) * kSortTile + thread_index();
  if (i >= args.n) return;
  const int32_t digit = digits[thread_index()];
  int32_t place = args.counts[int64_t(digit) * args.tiles + block_x()];
  for (int item = 0; item < int(thread_index()); ++item) place += digits[item] == digit ? 1 : 0;
  args.keys_out[place] = key_of(args, i);
  args.positions_out[place] = args.positions == nullptr ? int32_t(i) : args.positions[i];
}

OSTRICH_GLOBAL(sum_rows_f32, ScatterArgs, 256) { sum_rows<F32>(args); }
OSTRICH_GLOBAL(sum_rows_bf16, ScatterArgs, 256) { sum_rows<Bf16>(args); }

}  // namespace ostrich::cuda
