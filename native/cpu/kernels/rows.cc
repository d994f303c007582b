// coalesce: the sums of a sparse gradient's rows, in order of position. setRows: a table with some rows replaced, in
// place where it may lie over the table; then nothing here costs by the table. Results do not depend on the number of
// threads.
#include <algorithm>
#include <array>
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

constexpr int64_t kAlone = 32768;     // elements below which one thread does it all
constexpr int64_t kCopied = 1 << 18;  // bytes of a part of a table that is copied whole
constexpr int kDigitBits = 11;        // of a row's number, that one pass of sorting looks at
constexpr int64_t kDigits = 1 << kDigitBits;

struct Place {
  int32_t row, position;
};

// Sorts by row; equal rows stay in order of position. Returns which of the two buffers holds the result.
Place* sort_by_row(const int32_t* index, int64_t n, int64_t rows, Place* from, Place* to) {
  for (int64_t i = 0; i < n; ++i) from[i] = {index[i], int32_t(i)};
  for (int shift = 0; shift < 32 && (rows - 1) >> shift > 0; shift += kDigitBits) {
    const auto digit = [shift](const Place& place) { return (uint32_t(place.row) >> shift) & (kDigits - 1); };
    std::array<int64_t, kDigits + 1> starts{};
    for (int64_t i = 0; i < n; ++i) ++starts[digit(from[i]) + 1];
    for (int64_t i = 0; i < kDigits; ++i) starts[size_t(i) + 1] += starts[size_t(i)];
    for (int64_t i = 0; i < n; ++i) to[starts[digit(from[i])]++] = from[i];
    std::swap(from, to);
  }
  return from;
}

class CoalesceStep : public Step {
 public:
  CoalesceStep(Builder& builder, std::string label, Slot* index, Slot* updates, Slot* y, int64_t rows)
      : label_(std::move(label)), rows_(rows), n_(core::count(index->shape)), columns_(y->shape.back()) {
    OSTRICH_CHECK(n_ < int64_t(1) << 31);
    can_fail = builder.may_fail(index, rows);
    reads = {index, updates};
    writes = {y, builder.scratch(2 * size_t(n_) * sizeof(Place))};
    if (y->dtype == core::DType::bf16)
      writes.push_back(builder.scratch(size_t(builder.threads()) * size_t(columns_) * sizeof(float)));
  }

  void run(RunContext& context) override {
    const int32_t* index = reads[0]->data<int32_t>();
    expect_below(label_, "indices", index, n_, rows_, "position");
    Place* places = writes[1]->data<Place>();
    const Place* sorted = sort_by_row(index, n_, rows_, places, places + n_);
    const auto sum_rows = [&](int64_t begin, int64_t end) {
      // A row is summed by whom its first place belongs to.
      while (begin > 0 && begin < end && sorted[begin].row == sorted[begin - 1].row) ++begin;
      while (begin < end) {
        int64_t next = begin + 1;
        while (next < n_ && sorted[next].row == sorted[begin].row) ++next;
        sum_row(sorted + begin, sorted + next);
        begin = next;
      }
    };
    parallel_for(context.threads, n_, std::max<int64_t>(1, kAlone / columns_), sum_rows, 1);
  }

 private:
  void sum_row(const Place* first, const Place* last) {
    const simd::Table& table = simd::table();
    const bool narrow = writes[0]->dtype == core::DType::bf16;
    const size_t row_bytes = size_t(columns_) * core::size_of(writes[0]->dtype);
    const char* updates = reads[1]->data<char>();
    char* y = writes[0]->data<char>();
    const auto place_of = [row_bytes](const Place* place) { return size_t(place->position) * row_bytes; };
    char* to = y + place_of(last - 1);
    if (last - first == 1) {
      std::memcpy(to, updates + place_of(first), row_bytes);
      return;
    }
    float* sum = narrow ? writes[2]->data<float>() + own_part().id * columns_ : reinterpret_cast<float*>(to);
    std::fill(sum, sum + columns_, 0.0f);
    for (const Place* place = first; place < last; ++place) {
      table.add_row[narrow ? simd::kBf16 : simd::kF32](sum, updates + place_of(place), columns_);
      if (place + 1 < last) std::memset(y + place_of(place), 0, row_bytes);
    }
    if (narrow) table.bf16_from_f32(to, sum, sum, sum, columns_);
  }

  const std::string label_;
  const int64_t rows_, n_, columns_;
};

// Looks at indices that nothing has looked at yet, before anything is written in place.
class CheckRowsStep : public Step {
 public:
  CheckRowsStep(const NodeSpec& node, Slot* index, int64_t rows) : label_(node.label()), rows_(rows) {
    can_fail = true;
    reads = {index};
    op = node.op;
    path = node.path;
    detail = "checks its index";
  }
  void run(RunContext&) override {
    expect_below(label_, "indices", reads[0]->data<int32_t>(), core::count(reads[0]->shape), rows_, "position");
  }

 private:
  const std::string label_;
  const int64_t rows_;
};

class SetRowsStep : public Step {
 public:
  SetRowsStep(Slot* table, Slot* index, Slot* rows, Slot* y) : n_(core::count(index->shape)) {
    reads = {table, index, rows};
    writes = {y};
    // Rows that are the table's own must outlive what is written over them.
    if (rows->storage != table->storage) in_place = {{y, table}};
    may_wait = true;
  }

  void run(RunContext& context) override {
    const core::Shape& shape = writes[0]->shape;  // V, D
    const size_t row_bytes = size_t(shape[1]) * core::size_of(writes[0]->dtype);
    const char* table = reads[0]->data<char>();
    char* y = writes[0]->data<char>();
    if (y != table) {
      const auto copy = [&](int64_t begin, int64_t end) { std::memcpy(y + begin, table + begin, size_t(end - begin)); };
      parallel_for(context.threads, shape[0] * int64_t(row_bytes), kCopied, copy, 64);
    }
    const int32_t* index = reads[1]->data<int32_t>();
    const char* rows = reads[2]->data<char>();
    // Each row of the table belongs to one task, which writes it in order of position: the last one stays.
    const uint32_t tasks = n_ * shape[1] <= kAlone ? 1 : uint32_t(context.threads);
    parallel_tasks(context.threads, tasks, false, [&](int64_t task) {
      for (int64_t i = 0; i < n_; ++i) {
        const uint32_t mixed = (uint32_t(index[i]) * 0x9e3779b1u) >> 16;
        if ((mixed * tasks) >> 16 != uint32_t(task)) continue;
        std::memcpy(y + size_t(index[i]) * row_bytes, rows + size_t(i) * row_bytes, row_bytes);
      }
    });
  }

 private:
  const int64_t n_;
};

}  // namespace

std::unique_ptr<Step> make_coalesce(Builder& builder, const NodeSpec& node) {
  Slot* index = builder.row_major(builder.input(node, 0));
  Slot* updates = builder.row_major(builder.input(node, 1));
  return std::make_unique<CoalesceStep>(builder, node.label(), index, updates, builder.output(node, 0),
                                        program::get_int(node, "rows"));
}

std::unique_ptr<Step> make_setRows(Builder& builder, const NodeSpec& node) {
  Slot* table = builder.row_major(builder.input(node, 0));
  Slot* index = builder.row_major(builder.input(node, 1));
  Slot* rows = builder.row_major(builder.input(node, 2));
  if (builder.may_fail(index, table->shape[0])) {
    builder.add_step(std::make_unique<CheckRowsStep>(node, index, table->shape[0]));
  }
  return std::make_unique<SetRowsStep>(table, index, rows, builder.output(node, 0));
}

}  // namespace ostrich::cpu
