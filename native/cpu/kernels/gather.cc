// gather: rows of a table by index; scatterAdd: its gradient, rows summed into a table in order of position, whatever
// the number of threads.
#include <algorithm>
#include <cstring>

#include "cpu/builder.h"
#include "cpu/kernels/bad_row.h"
#include "cpu/parallel.h"
#include "cpu/simd/table.h"
#include "cpu/team.h"
#include "program/attrs.h"

namespace ostrich::cpu {
namespace {

using program::NodeSpec;

constexpr int64_t kAlone = 32768;    // elements below which one thread does it all
constexpr int64_t kRowsOfTask = 64;  // table rows; tasks are handed out dynamically, for words are not equally frequent

class GatherStep : public Step {
 public:
  GatherStep(Builder& builder, std::string label, Slot* table, Slot* index, Slot* y) : label_(std::move(label)) {
    can_fail = builder.may_fail(index, table->shape[0]);
    reads = {table, index};
    writes = {y};
  }

  void run(RunContext& context) override {
    const core::Shape& shape = reads[0]->shape;  // V, D
    const int32_t* index = reads[1]->data<int32_t>();
    const int64_t n = core::count(reads[1]->shape);
    const size_t row = size_t(shape[1]) * core::size_of(reads[0]->dtype);
    const char* table = reads[0]->data<char>();
    char* y = writes[0]->data<char>();
    expect_below(label_, "indices", index, n, shape[0], "position");
    parallel_for(
        context.threads, n, std::max<int64_t>(1, kAlone / shape[1]),
        [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) std::memcpy(y + size_t(i) * row, table + size_t(index[i]) * row, row);
        },
        1);
  }

 private:
  const std::string label_;
};

class ScatterAddStep : public Step {
 public:
  ScatterAddStep(Builder& builder, std::string label, Slot* index, Slot* updates, Slot* y) : label_(std::move(label)) {
    const size_t positions = size_t(core::count(index->shape)), rows = size_t(y->shape[0]),
                 columns = size_t(y->shape[1]);
    can_fail = builder.may_fail(index, y->shape[0]);
    reads = {index, updates};
    writes = {y, builder.scratch((rows + 1 + positions) * sizeof(int64_t))};
    if (y->dtype == core::DType::bf16)
      writes.push_back(builder.scratch(size_t(builder.threads()) * columns * sizeof(float)));
  }

  void run(RunContext& context) override {
    const int64_t rows = writes[0]->shape[0], columns = writes[0]->shape[1], n = core::count(reads[0]->shape);
    const int32_t* index = reads[0]->data<int32_t>();
    expect_below(label_, "indices", index, n, rows, "position");
    int64_t* ends = writes[1]->data<int64_t>();
    int64_t* positions = ends + rows + 1;
    sort_positions(index, n, rows, ends, positions);
    const int64_t tasks = (rows + kRowsOfTask - 1) / kRowsOfTask;
    parallel_tasks(context.threads, tasks, (n + rows) * columns <= kAlone, [&](int64_t task) {
      const int64_t last = std::min(rows, (task + 1) * kRowsOfTask);
      for (int64_t row = task * kRowsOfTask; row < last; ++row) {
        sum_row(row, positions + (row ? ends[row - 1] : 0), positions + ends[row]);
      }
    });
  }

 private:
  // Positions of each row of the table, in order: those of row r end at ends[r].
  static void sort_positions(const int32_t* index, int64_t n, int64_t rows, int64_t* ends, int64_t* positions) {
    std::fill(ends, ends + rows + 1, 0);
    for (int64_t i = 0; i < n; ++i) ++ends[index[i] + 1];
    for (int64_t row = 0; row < rows; ++row) ends[row + 1] += ends[row];
    for (int64_t i = 0; i < n; ++i) positions[ends[index[i]]++] = i;
  }

  void sum_row(int64_t row, const int64_t* first, const int64_t* last) {
    const simd::Table& table = simd::table();
    const int64_t columns = writes[0]->shape[1];
    const bool narrow = writes[0]->dtype == core::DType::bf16;
    const int kind = narrow ? simd::kBf16 : simd::kF32;
    const size_t row_bytes = size_t(columns) * core::size_of(writes[0]->dtype);
    char* y = writes[0]->data<char>() + size_t(row) * row_bytes;
    if (first == last) {
      std::memset(y, 0, row_bytes);
      return;
    }
    float* sum = narrow ? writes[2]->data<float>() + own_part().id * columns : reinterpret_cast<float*>(y);
    std::fill(sum, sum + columns, 0.0f);
    const char* updates = reads[1]->data<char>();
    for (; first < last; ++first) table.add_row[kind](sum, updates + size_t(*first) * row_bytes, columns);
    if (narrow) table.bf16_from_f32(y, sum, sum, sum, columns);
  }

  const std::string label_;
};

}  // namespace

std::unique_ptr<Step> make_gather(Builder& builder, const NodeSpec& node) {
  Slot* table = builder.row_major(builder.input(node, 0));
  Slot* index = builder.row_major(builder.input(node, 1));
  return std::make_unique<GatherStep>(builder, node.label(), table, index, builder.output(node, 0));
}

std::unique_ptr<Step> make_scatterAdd(Builder& builder, const NodeSpec& node) {
  Slot* index = builder.row_major(builder.input(node, 0));
  Slot* updates = builder.row_major(builder.input(node, 1));
  return std::make_unique<ScatterAddStep>(builder, node.label(), index, updates, builder.output(node, 0));
}

}  // namespace ostrich::cpu
