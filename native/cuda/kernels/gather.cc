// gather and scatterAdd.
#include "cuda/kernels/gather.h"

#include "cuda/builder.h"
#include "cuda/kernels/grid.h"
#include "cuda/kernels/sorted_rows.h"

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
  ScatterAddStep(Builder& builder, const NodeSpec& node, Slot* index, Slot* updates, Slot* y)
      : sorted_(builder, node, index, y->shape[0]) {
    can_fail = builder.may_fail(index, y->shape[0]);
    reads = {index, updates};
    writes = {y};
    writes.insert(writes.end(), sorted_.scratch().begin(), sorted_.scratch().end());
    detail = y->dtype == core::DType::bf16 ? "sum_rows_bf16" : "sum_rows_f32";
    sum_ = builder.kernel("gather", detail);
  }

  void run(CUstream stream) override {
    sorted_.run(stream, reads[0]->data<const int32_t>());
    const program::Slot* y = writes[0];
    const ScatterArgs args{sorted_.keys(),  sorted_.positions(), reads[1]->data<const void>(),
                           y->data<void>(), sorted_.count(),     y->shape[0],
                           y->shape[1]};
    const auto threads = unsigned(std::min<int64_t>((args.columns + 31) / 32 * 32, kThreads));
    sum_.launch(stream, {unsigned(std::min<int64_t>(args.rows, 16 * kMaxBlocks))}, threads, args);
  }

 private:
  SortedRows sorted_;
  Kernel sum_;
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
