#include "cuda/kernels/sorted_rows.h"

namespace ostrich::cuda {

SortedRows::SortedRows(Builder& builder, const program::NodeSpec& node, const Slot* index, int64_t rows) {
  sort_.n = core::count(index->shape);
  OSTRICH_CHECK(sort_.n < int64_t(1) << 31);
  sort_.rows = rows;
  sort_.tiles = int((sort_.n + kSortTile - 1) / kSortTile);
  sort_.fault = builder.fault();
  sort_.site = builder.fault_site(node, FaultKind::index, rows);
  while (passes_ < 4 && (rows - 1) >> (8 * passes_) > 0) ++passes_;
  for (int i = 0; i < 2; ++i) scratch_.push_back(builder.scratch(size_t(sort_.n) * 2 * sizeof(int32_t)));
  scratch_.push_back(builder.scratch(size_t(kSortTile) * size_t(sort_.tiles) * sizeof(int32_t)));
  count_ = builder.kernel("gather", "sort_count");
  scan_ = builder.kernel("gather", "sort_scan");
  place_ = builder.kernel("gather", "sort_place");
}

void SortedRows::run(CUstream stream, const int32_t* index) const {
  const Grid tiles{unsigned(sort_.tiles)};
  for (int pass = 0; pass < passes_; ++pass) {
    SortArgs args = sort_;
    args.counts = scratch_[2]->data<int32_t>();
    args.shift = 8 * pass;
    const int32_t* from = scratch_[size_t(pass + 1) % 2]->data<const int32_t>();
    args.keys = pass == 0 ? index : from;
    args.positions = pass == 0 ? nullptr : from + sort_.n;
    args.keys_out = scratch_[size_t(pass) % 2]->data<int32_t>();
    args.positions_out = args.keys_out + sort_.n;
    count_.launch(stream, tiles, kSortTile, args);
    scan_.launch(stream, {1}, kSortTile, args);
    place_.launch(stream, tiles, kSortTile, args);
  }
}

}  // namespace ostrich::cuda
