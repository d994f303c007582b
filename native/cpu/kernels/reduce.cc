// sum, max and argmax over any axes of row-major data. Work is cut into pieces that depend on the shape alone, and the
// pieces are joined in order, so results do not depend on the number of threads. Sums are exact to a rounding or two:
// f32 within a piece, double across pieces.
#include <algorithm>

#include "core/error.h"
#include "cpu/builder.h"
#include "cpu/kernels/axes.h"
#include "cpu/parallel.h"
#include "cpu/simd/table.h"
#include "program/attrs.h"

namespace ostrich::cpu {
namespace {

using core::DType;
using program::NodeSpec;

constexpr int64_t kPiece = 32768;   // elements of a contiguous piece
constexpr int64_t kRowPiece = 256;  // rows of a piece of columns
constexpr int64_t kColumns = 256;   // columns of a piece
constexpr int64_t kAlone = 32768;   // elements below which one thread does it all

// The operation on one element type, over contiguous elements and over columns.
struct Reducer {
  DType dtype;
  bool is_sum;

  const simd::Table& table = simd::table();
  int kind() const { return dtype == DType::bf16 ? simd::kBf16 : simd::kF32; }

  double run(const char* x, int64_t n) const {
    if (dtype == DType::i32) return table.max_i32(reinterpret_cast<const int32_t*>(x), n);
    return is_sum ? table.sum[kind()](x, n) : double(table.max[kind()](x, n));
  }
  double join(double a, double b) const { return is_sum ? a + b : a > b || a != a ? a : b; }
  void columns(char* y, const char* x, const int64_t* offsets, int64_t rows, int64_t cols) const {
    if (dtype == DType::i32) {
      table.max_rows_i32(reinterpret_cast<int32_t*>(y), reinterpret_cast<const int32_t*>(x), offsets, rows, cols);
    } else {
      const auto join_rows = is_sum ? table.sum_rows[kind()] : table.max_rows[kind()];
      join_rows(reinterpret_cast<float*>(y), x, offsets, rows, cols);
    }
  }
  // Columns of results of `columns`, which are f32 or i32.
  Reducer of_partials() const { return {dtype == DType::i32 ? DType::i32 : DType::f32, is_sum}; }
  void store(char* y, int64_t index, double value) const {
    const float real = float(value);
    if (dtype == DType::i32) reinterpret_cast<int32_t*>(y)[index] = int32_t(value);
    if (dtype == DType::f32) reinterpret_cast<float*>(y)[index] = real;
    if (dtype == DType::bf16) table.bf16_from_f32(y + 2 * index, &real, &real, &real, 1);
  }
};

// The last axis is reduced: every output is joined from runs of contiguous elements.
class RunsStep : public Step {
 public:
  RunsStep(Builder& builder, Reducer reducer, const Split& split, Slot* x, Slot* y)
      : reducer_(reducer), kept_(split.kept), repeats_(split.reduced), run_(repeats_.dims.back()) {
    repeats_.pop();
    outputs_ = kept_.count();
    const int64_t runs = repeats_.count();
    runs_per_piece_ = std::clamp<int64_t>(kPiece / run_, 1, runs);
    pieces_of_run_ = (run_ + kPiece - 1) / kPiece;
    run_pieces_ = (runs + runs_per_piece_ - 1) / runs_per_piece_;
    partials_ = run_pieces_ * pieces_of_run_;
    reads = {x};
    writes = {y};
    if (partials_ > 1) writes.push_back(builder.scratch(size_t(outputs_ * partials_) * sizeof(double)));
    detail = "runs of " + std::to_string(run_);
  }

  void run(RunContext& context) override {
    char* y = writes[0]->data<char>();
    double* partials = partials_ > 1 ? writes[1]->data<double>() : nullptr;
    const int64_t work = outputs_ * repeats_.count() * run_, tasks = outputs_ * partials_;
    const int64_t grain = std::max<int64_t>(1, kAlone * tasks / work);
    parallel_for(
        context.threads, tasks, grain,
        [&](int64_t begin, int64_t end) {
          for (int64_t task = begin; task < end; ++task) {
            const double value = reduce_piece(task / partials_, task % partials_);
            if (partials != nullptr)
              partials[task] = value;
            else
              reducer_.store(y, task, value);
          }
        },
        1);
    for (int64_t o = 0; partials != nullptr && o < outputs_; ++o) {
      double value = partials[o * partials_];
      for (int64_t p = 1; p < partials_; ++p) value = reducer_.join(value, partials[o * partials_ + p]);
      reducer_.store(y, o, value);
    }
  }

 private:
  double reduce_piece(int64_t output, int64_t piece) const {
    const int64_t first = piece / pieces_of_run_ * runs_per_piece_, at = piece % pieces_of_run_ * kPiece;
    const int64_t last = std::min(first + runs_per_piece_, repeats_.count()), n = std::min(kPiece, run_ - at);
    const char* x = reads[0]->data<char>();
    const int64_t base = kept_.offset(output) + at;
    double value = 0;
    for (int64_t r = first; r < last; ++r) {
      const char* from = x + size_t(base + repeats_.offset(r)) * core::size_of(reducer_.dtype);
      const double part = reducer_.run(from, n);
      value = r == first ? part : reducer_.join(value, part);
    }
    return value;
  }

  const Reducer reducer_;
  Axes kept_, repeats_;
  const int64_t run_;
  int64_t outputs_, runs_per_piece_, pieces_of_run_, run_pieces_, partials_;
};

// The last axis is kept: rows are joined column by column.
class ColumnsStep : public Step {
 public:
  ColumnsStep(Builder& builder, Reducer reducer, const Split& split, Slot* x, Slot* y)
      : reducer_(reducer), outer_(split.kept), rows_(split.reduced), cols_(outer_.dims.back()) {
    outer_.pop();
    row_pieces_ = (rows_.count() + kRowPiece - 1) / kRowPiece;
    col_pieces_ = (cols_ + kColumns - 1) / kColumns;
    reads = {x};
    writes = {y};
    // Pieces of rows have a result each; so has bf16, whose results are joined in f32.
    if (row_pieces_ > 1 || reducer.dtype == DType::bf16) {
      writes.push_back(builder.scratch(size_t(row_pieces_ * outer_.count() * cols_) * 4));
    }
    detail = "columns of " + std::to_string(rows_.count());
  }

  void run(RunContext& context) override {
    const int64_t outputs = outer_.count() * cols_;
    char* partials = writes.back()->data<char>();
    const int64_t tasks = outer_.count() * col_pieces_ * row_pieces_, work = outputs * rows_.count();
    const int64_t grain = std::max<int64_t>(1, kAlone * tasks / work);
    parallel_for(
        context.threads, tasks, grain,
        [&](int64_t begin, int64_t end) {
          for (int64_t task = begin; task < end; ++task) reduce_piece(partials, task, outputs);
        },
        1);
    if (writes.size() > 1) join(context, partials, outputs);
  }

 private:
  void reduce_piece(char* partials, int64_t task, int64_t outputs) const {
    const int64_t col = task % col_pieces_ * kColumns, rest = task / col_pieces_;
    const int64_t outer = rest % outer_.count(), row_piece = rest / outer_.count();
    const int64_t first = row_piece * kRowPiece, rows = std::min(kRowPiece, rows_.count() - first);
    int64_t offsets[kRowPiece];
    for (int64_t r = 0; r < rows; ++r) offsets[r] = rows_.offset(first + r);
    const char* x = reads[0]->data<char>() + size_t(outer_.offset(outer) + col) * core::size_of(reducer_.dtype);
    char* y = partials + size_t(row_piece * outputs + outer * cols_ + col) * 4;
    reducer_.columns(y, x, offsets, rows, std::min(kColumns, cols_ - col));
  }

  // The rows of partial results, joined the same way; the first row takes the result.
  void join(RunContext& context, char* partials, int64_t outputs) const {
    const Reducer reducer = reducer_.of_partials();
    const int64_t grain = std::max<int64_t>(kColumns, kAlone / row_pieces_);
    char* y = writes[0]->data<char>();
    parallel_for(context.threads, outputs, grain, [&](int64_t begin, int64_t end) {
      char total[kColumns * 4];
      for (int64_t at = begin; at < end; at += kColumns) {
        const int64_t n = std::min(kColumns, end - at);
        for (int64_t first = 0; first < row_pieces_; first += kRowPiece - 1) {
          // Whole sums so far, then the next pieces of rows.
          int64_t offsets[kRowPiece], rows = 0;
          char* base = partials + size_t(at) * 4;
          if (first > 0) offsets[rows++] = 0;
          for (int64_t r = first; r < std::min(first + kRowPiece - 1, row_pieces_); ++r) offsets[rows++] = r * outputs;
          reducer.columns(total, base, offsets, rows, n);
          std::copy(total, total + n * 4, base);
        }
        const size_t size = core::size_of(reducer_.dtype);
        const simd::BlockFn store = reducer_.dtype == DType::bf16 ? reducer_.table.bf16_from_f32 : reducer_.table.copy4;
        const char* from = partials + size_t(at) * 4;
        store(y + size_t(at) * size, from, from, from, n);
      }
    });
  }

  const Reducer reducer_;
  Axes outer_, rows_;
  const int64_t cols_;
  int64_t row_pieces_, col_pieces_;
};

// x [outer, R, inner] -> i32 [outer, inner]
class ArgmaxStep : public Step {
 public:
  ArgmaxStep(Builder& builder, int64_t outer, int64_t length, int64_t inner, Slot* x, Slot* y)
      : outer_(outer), length_(length), inner_(inner) {
    reads = {x};
    writes = {y};
    if (inner > 1) writes.push_back(builder.scratch(size_t(outer * inner) * sizeof(float)));
  }

  void run(RunContext& context) override {
    const simd::Table& table = simd::table();
    const int kind = reads[0]->dtype == DType::bf16 ? simd::kBf16 : simd::kF32;
    const size_t size = core::size_of(reads[0]->dtype);
    const char* x = reads[0]->data<char>();
    int32_t* y = writes[0]->data<int32_t>();
    float* best = writes.back()->data<float>();
    const int64_t grain = std::max<int64_t>(1, kAlone / (length_ * inner_));
    parallel_for(
        context.threads, outer_, grain,
        [&](int64_t begin, int64_t end) {
          for (int64_t o = begin; o < end; ++o) {
            const char* from = x + size_t(o * length_ * inner_) * size;
            if (inner_ == 1) {
              y[o] = int32_t(table.argmax[kind](from, length_));
              continue;
            }
            for (int64_t r = 0; r < length_; ++r) {
              const char* row = from + size_t(r * inner_) * size;
              table.argmax_row[kind](best + o * inner_, y + o * inner_, row, int32_t(r), inner_);
            }
          }
        },
        1);
  }

 private:
  const int64_t outer_, length_, inner_;
};

std::unique_ptr<Step> make_reduction(Builder& builder, const NodeSpec& node, bool is_sum) {
  Slot* x = builder.input(node, 0);
  const std::vector<int64_t> axes = program::get_ints(node, "axes");
  // All elements together need no order. What fills up blocks besides is zero: no part of a sum, but of a maximum.
  const bool whole = axes.size() == x->shape.size() && !builder.homeless(x) && (is_sum || !x->layout.has_padding());
  if (!whole) x = builder.row_major(x);
  const Split split = whole ? split_axes({x->layout.elements()}, {0}) : split_axes(x->shape, axes);
  if (split.reduced.dims.empty()) {  // every reduced extent is 1
    builder.alias(node, 0, x);
    return nullptr;
  }
  Slot* y = builder.output(node, 0);
  const Reducer reducer{x->dtype, is_sum};
  if (split.last_is_reduced) return std::make_unique<RunsStep>(builder, reducer, split, x, y);
  return std::make_unique<ColumnsStep>(builder, reducer, split, x, y);
}

}  // namespace

std::unique_ptr<Step> make_sum(Builder& builder, const NodeSpec& node) { return make_reduction(builder, node, true); }
std::unique_ptr<Step> make_max(Builder& builder, const NodeSpec& node) { return make_reduction(builder, node, false); }

std::unique_ptr<Step> make_argmax(Builder& builder, const NodeSpec& node) {
  Slot* x = builder.row_major(builder.input(node, 0));
  const size_t axis = size_t(program::get_int(node, "axis"));
  int64_t outer = 1, inner = 1;
  for (size_t i = 0; i < axis; ++i) outer *= x->shape[i];
  for (size_t i = axis + 1; i < x->shape.size(); ++i) inner *= x->shape[i];
  return std::make_unique<ArgmaxStep>(builder, outer, x->shape[axis], inner, x, builder.output(node, 0));
}

}  // namespace ostrich::cpu
