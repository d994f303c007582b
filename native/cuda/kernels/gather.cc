// gather and scatterAdd.
#include "cuda/kernels/gather.h"

#include "cuda/builder.h"
#include "cuda/kernels/grid.h"

namespace ostrich::cuda {
namespace {

using program::NodeSpec;

class GatherStep : public Step {
 public:
  GatherStep(Builder& builder, const NodeSpec& node, Slot* table, Slot* index, Slot* y) {
    reads = {table, index};
    writes = {y};
    args_.fault = builder.fault();
    args_.rows = table->shape[0];
    args_.site = builder.fault_site(node, FaultKind::index, args_.rows);
    can_fail = builder.may_fail(index, args_.rows);
    args_.n = core::count(index->shape);
    size_t unit = core::size_of(table->dtype), row = size_t(table->shape[1]) * unit;
    while (unit < 16 && (row | table->offset | y->offset) % (2 * unit) == 0) unit *= 2;
    args_.units = make_divisor(int64_t(row / unit));
    detail = "gather_" + std::to_string(unit);
    kernel_ = builder.kernel("gather", detail);
  }
  void run(CUstream stream) override {
    args_.table = reads[0]->data<const void>();
    args_.index = reads[1]->data<const int32_t>();
    args_.y = writes[0]->data<void>();
    kernel_.launch(stream, grid_for(args_.n * args_.units.divisor), kThreads, args_);
  }

 private:
  Kernel kernel_;
  GatherArgs args_{};
};

class ScatterAddStep : public Step {
 public:
  ScatterAddStep(Builder& builder, const NodeSpec& node, Slot* index, Slot* updates, Slot* y) {
    sort_.n = core::count(index->shape);
    OSTRICH_CHECK(sort_.n < int64_t(1) << 31);
    sort_.rows = y->shape[0];
    sort_.tiles = int((sort_.n + kSortTile - 1) / kSortTile);
    sort_.fault = builder.fault();
    sort_.site = builder.fault_site(node, FaultKind::index, sort_.rows);
    can_fail = builder.may_fail(index, sort_.rows);
    passes_ = 1;
    while (passes_ < 4 && (sort_.rows - 1) >> (8 * passes_) > 0) ++passes_;
    reads = {index, updates};
    writes = {y};
    for (Slot*& slot : sorted_) writes.push_back(slot = builder.scratch(size_t(sort_.n) * 2 * sizeof(int32_t)));
    writes.push_back(counts_ = builder.scratch(size_t(kSortTile) * size_t(sort_.tiles) * sizeof(int32_t)));
    count_ = builder.kernel("gather", "sort_count");
    scan_ = builder.kernel("gather", "sort_scan");
    place_ = builder.kernel("gather", "sort_place");
    detail = y->dtype == core::DType::bf16 ? "sum_rows_bf16" : "sum_rows_f32";
    sum_ = builder.kernel("gather", detail);
  }

  void run(CUstream stream) override {
    sort_.counts = counts_->data<int32_t>();
    const Grid tiles{unsigned(sort_.tiles)};
    for (int pass = 0; pass < passes_; ++pass) {
      SortArgs args = sort_;
      args.shift = 8 * pass;
      const int32_t* from = sorted_[(pass + 1) % 2]->data<const int32_t>();
      args.keys = pass == 0 ? reads[0]->data<const int32_t>() : from;
      args.positions = pass == 0 ? nullptr : from + sort_.n;
      args.keys_out = sorted_[pass % 2]->data<int32_t>();
      args.positions_out = args.keys_out + sort_.n;
      count_.launch(stream, tiles, kSortTile, args);
      scan_.launch(stream, {1}, kSortTile, args);
      place_.launch(stream, tiles, kSortTile, args);
    }
    const program::Slot* y = writes[0];
    const int32_t* keys = sorted_[(passes_ + 1) % 2]->data<const int32_t>();
    const ScatterArgs args{keys,        keys + sort_.n, reads[1]->data<const void>(), writes[0]->data<void>(), sort_.n,
                           y->shape[0], y->shape[1]};
    const auto threads = unsigned(std::min<int64_t>((args.columns + 31) / 32 * 32, kThreads));
    sum_.launch(stream, {unsigned(std::min<int64_t>(args.rows, 16 * kMaxBlocks))}, threads, args);
  }

 private:
  Kernel count_, scan_, place_, sum_;
  SortArgs sort_{};
  int passes_;
  Slot* sorted_[2];  // keys, then positions
  Slot* counts_;
};

}  // namespace

std::unique_ptr<Step> make_gather(Builder& builder, const NodeSpec& node) {
  Slot* table = builder.row_major(builder.input(node, 0));
  Slot* index = builder.row_major(builder.input(node, 1));
  return std::make_unique<GatherStep>(builder, node, table, index, builder.output(node, 0));
}

std::unique_ptr<Step> make_scatterAdd(Builder& builder, const NodeSpec& node) {
  Slot* index = builder.row_major(builder.input(node, 0));
  Slot* updates = builder.row_major(builder.input(node, 1));
  return std::make_unique<ScatterAddStep>(builder, node, index, updates, builder.output(node, 0));
}

}  // namespace ostrich::cuda
