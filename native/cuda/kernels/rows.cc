// coalesce and setRows.
#include <algorithm>

#include "cuda/builder.h"
#include "cuda/kernels/grid.h"
#include "cuda/kernels/sorted_rows.h"
#include "cuda/kernels/strided_copy.h"
#include "program/attrs.h"

namespace ostrich::cuda {
namespace {

using program::NodeSpec;

// A block for each position, threads along its row.
Grid grid_of(int64_t n) { return {unsigned(std::min<int64_t>(n, 16 * kMaxBlocks))}; }
unsigned threads_of(int64_t columns) { return unsigned(std::min<int64_t>((columns + 31) / 32 * 32, kThreads)); }

class CoalesceStep : public Step {
 public:
  CoalesceStep(Builder& builder, const NodeSpec& node, Slot* index, Slot* updates, Slot* y, int64_t rows)
      : sorted_(builder, node, index, rows), rows_(rows) {
    can_fail = builder.may_fail(index, rows);
    reads = {index, updates};
    writes = {y};
    writes.insert(writes.end(), sorted_.scratch().begin(), sorted_.scratch().end());
    detail = y->dtype == core::DType::bf16 ? "coalesce_bf16" : "coalesce_f32";
    sum_ = builder.kernel("rows", detail);
  }

  void run(CUstream stream) override {
    sorted_.run(stream, reads[0]->data<const int32_t>());
    const program::Slot* y = writes[0];
    const int64_t columns = y->shape.back();
    const ScatterArgs args{sorted_.keys(),  sorted_.positions(), reads[1]->data<const void>(),
                           y->data<void>(), sorted_.count(),     rows_,
                           columns};
    sum_.launch(stream, grid_of(args.n), threads_of(columns), args);
  }

 private:
  SortedRows sorted_;
  Kernel sum_;
  int64_t rows_;
};

// Looks at indices that nothing has looked at yet, before anything is written in place.
class CheckRowsStep : public Step {
 public:
  CheckRowsStep(Builder& builder, const NodeSpec& node, Slot* index, int64_t rows) {
    can_fail = true;
    reads = {index};
    op = node.op;
    path = node.path;
    detail = "check_rows";
    args_.fault = builder.fault();
    args_.site = builder.fault_site(node, FaultKind::index, rows);
    args_.n = core::count(index->shape);
    args_.rows = rows;
    kernel_ = builder.kernel("rows", detail);
  }
  void run(CUstream stream) override {
    args_.index = reads[0]->data<const int32_t>();
    kernel_.launch(stream, grid_for(args_.n), kThreads, args_);
  }

 private:
  Kernel kernel_;
  CheckRowsArgs args_{};
};

class SetRowsStep : public Step {
 public:
  SetRowsStep(Builder& builder, const NodeSpec& node, Slot* table, Slot* index, Slot* rows, Slot* y)
      : sorted_(builder, node, index, table->shape[0]),
        copy_(builder, std::vector<CopyAxis>{{core::count(table->shape), 1, 1}}, table, 0, y, 0) {
    reads = {table, index, rows};
    writes = {y};
    writes.insert(writes.end(), sorted_.scratch().begin(), sorted_.scratch().end());
    // Rows that are the table's own must outlive what is written over them.
    if (rows->storage != table->storage) in_place = {{y, table}};
    is_guarded = true;
    may_wait = true;
    size_t unit = core::size_of(table->dtype), row = size_t(table->shape[1]) * unit;
    while (unit < 16 && (row | rows->offset | table->offset | y->offset) % (2 * unit) == 0) unit *= 2;
    units_ = int64_t(row / unit);
    fault_ = builder.fault();
    detail = "set_rows_" + std::to_string(unit);
    set_ = builder.kernel("rows", detail);
  }

  void run(CUstream stream) override {
    if (writes[0]->data<char>() != reads[0]->data<char>()) copy_.run(stream);
    sorted_.run(stream, reads[1]->data<const int32_t>());
    const SetRowsArgs args{sorted_.keys(),
                           sorted_.positions(),
                           reads[2]->data<const void>(),
                           writes[0]->data<void>(),
                           fault_,
                           sorted_.count(),
                           units_};
    set_.launch(stream, grid_of(args.n), threads_of(units_), args);
  }

 private:
  SortedRows sorted_;
  StridedCopy copy_;
  Kernel set_;
  const Fault* fault_;
  int64_t units_;
};

}  // namespace

std::unique_ptr<Step> make_coalesce(Builder& builder, const NodeSpec& node) {
  Slot* index = builder.row_major(builder.input(node, 0));
  Slot* updates = builder.row_major(builder.input(node, 1));
  return std::make_unique<CoalesceStep>(builder, node, index, updates, builder.output(node, 0),
                                        program::get_int(node, "rows"));
}

std::unique_ptr<Step> make_setRows(Builder& builder, const NodeSpec& node) {
  Slot* table = builder.row_major(builder.input(node, 0));
  Slot* index = builder.row_major(builder.input(node, 1));
  Slot* rows = builder.row_major(builder.input(node, 2));
  if (builder.may_fail(index, table->shape[0])) {
    builder.add_step(std::make_unique<CheckRowsStep>(builder, node, index, table->shape[0]));
  }
  return std::make_unique<SetRowsStep>(builder, node, table, index, rows, builder.output(node, 0));
}

}  // namespace ostrich::cuda
