// sum, max, argmax over any axes, norm over all, of an input as it lies: one pass, or parts first where there are
// few outputs.
#include "cuda/kernels/reduce.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "cuda/builder.h"
#include "cuda/kernels/column_sums.h"
#include "cuda/kernels/grid.h"
#include "program/attrs.h"

namespace ostrich::cuda {
namespace {

using core::DType;
using core::Shape;
using program::NodeSpec;

constexpr int64_t kEnoughBlocks = 512;
constexpr int64_t kShort = 64;  // elements that one thread may as well reduce alone

void push(Walk& walk, int64_t extent, int64_t stride) {
  if (extent == 1) return;
  if (walk.axes > 0 && walk.strides[walk.axes - 1] == extent * stride) {
    walk.extents[walk.axes - 1] = make_divisor(walk.extents[walk.axes - 1].divisor * extent);
    walk.strides[walk.axes - 1] = stride;
    return;
  }
  walk.extents[walk.axes] = make_divisor(extent);
  walk.strides[walk.axes++] = stride;
}

int64_t count(const Walk& walk) {
  int64_t n = 1;
  for (int axis = 0; axis < walk.axes; ++axis) n *= walk.extents[axis].divisor;
  return n;
}

enum class What : uint8_t { sum, norm, max, argmax };

// What kernels are called.
const char* name_of(What what) {
  static const char* const names[] = {"sum_", "norm_", "max_", "argmax_"};
  return names[int(what)];
}

class ReduceStep : public Step {
 public:
  ReduceStep(Builder& builder, What what, Slot* x, const std::vector<int64_t>& axes, Slot* y)
      : what_(what), x_(x), y_(y) {
    split_axes(axes);
    first_.outputs = count(first_.kept);
    first_.length = count(first_.reduced);
    const Walk& reduced = first_.reduced;
    by_rows_ =
        what == What::norm || (reduced.axes > 0 && reduced.strides[reduced.axes - 1] == 1 && first_.length > kShort);
    const int64_t enough = by_rows_ ? kEnoughBlocks : kEnoughBlocks * kReduceThreads;  // of blocks, or threads
    const int64_t least = by_rows_ ? kReduceThreads * 8 : kShort / 2;  // elements that are worth a split
    const int64_t wanted =
        std::min((first_.length + least - 1) / least, (enough + first_.outputs - 1) / first_.outputs);
    first_.part = (first_.length + wanted - 1) / wanted;
    first_.splits = int((first_.length + first_.part - 1) / first_.part);
    detail = std::string(name_of(what)) + core::name_of(x->dtype) + (by_rows_ ? "_rows" : "_columns");
    kernel_ = builder.kernel("reduce", detail);
    reads = {x};
    writes = {y};
    if (first_.splits > 1) plan_second(builder);
  }

  void run(CUstream stream) override {
    ReduceArgs args = first_;
    args.x = x_->data<const void>();
    if (!second_) {
      finish(args);
    } else if (what_ == What::argmax) {
      args.y = partials_->data<void>();
      args.y_index = indices_->data<int32_t>();
    } else {
      args.y = partials_->data<void>();
      args.partial = what_ == What::norm;
    }
    launch(kernel_, by_rows_, args, stream);
    if (!second_) return;
    ReduceArgs join = *second_;
    join.x = partials_->data<const void>();
    join.x_index = indices_ == nullptr ? nullptr : indices_->data<const int32_t>();
    finish(join);
    launch(second_kernel_, joins_by_rows_, join, stream);
  }

 private:
  static void launch(Kernel& kernel, bool by_rows, const ReduceArgs& args, CUstream stream) {
    const int64_t items = args.outputs * args.splits;
    OSTRICH_CHECK(!by_rows || items < int64_t(1) << 31);
    kernel.launch(stream, by_rows ? Grid{unsigned(items)} : grid_for(items, kReduceThreads), kReduceThreads, args);
  }

  // The last pass writes the output.
  void finish(ReduceArgs& args) const {
    if (what_ == What::argmax) {
      args.y_index = y_->data<int32_t>();
    } else {
      args.y = y_->data<void>();
      args.narrow = y_->dtype == DType::bf16;
    }
  }

  // Kept axes in logical order, as the output counts; reduced ones in the order of memory.
  void split_axes(const std::vector<int64_t>& axes) {
    const Shape strides = x_->layout.strides(x_->shape);
    std::vector<size_t> reduced;
    for (size_t axis = 0; axis < x_->shape.size(); ++axis) {
      if (std::find(axes.begin(), axes.end(), int64_t(axis)) == axes.end()) {
        push(first_.kept, x_->shape[axis], strides[axis]);
      } else {
        reduced.push_back(axis);
      }
    }
    std::stable_sort(reduced.begin(), reduced.end(), [&](size_t a, size_t b) { return strides[a] > strides[b]; });
    for (size_t axis : reduced) push(first_.reduced, x_->shape[axis], strides[axis]);
  }

  void plan_second(Builder& builder) {
    ReduceArgs join{};
    join.outputs = first_.outputs;
    join.length = join.part = first_.splits;
    join.splits = 1;
    push(join.kept, join.outputs, 1);
    push(join.reduced, join.length, join.outputs);
    second_ = join;
    // Few outputs: more of the device works where a block adds up each.
    joins_by_rows_ = what_ == What::norm || join.length > kShort;
    const char* dtype = x_->dtype == DType::i32 ? "i32" : what_ == What::norm ? "f64" : "f32";
    second_kernel_ =
        builder.kernel("reduce", std::string(name_of(what_)) + dtype + (joins_by_rows_ ? "_rows" : "_columns"));
    const size_t bytes = size_t(first_.outputs * first_.splits) * (what_ == What::norm ? 8 : 4);
    writes.push_back(partials_ = builder.scratch(bytes));
    if (what_ == What::argmax) writes.push_back(indices_ = builder.scratch(bytes));
    detail += " in " + std::to_string(first_.splits);
  }

  What what_;
  Slot *x_, *y_, *partials_ = nullptr, *indices_ = nullptr;
  bool by_rows_, joins_by_rows_ = false;
  Kernel kernel_, second_kernel_;
  ReduceArgs first_{};
  std::optional<ReduceArgs> second_;
};

std::unique_ptr<Step> make_reduction(Builder& builder, const NodeSpec& node, What what) {
  Slot* x = builder.input(node, 0);
  const std::vector<int64_t> axes = program::get_ints(node, "axes");
  const bool is_copy = std::all_of(axes.begin(), axes.end(), [&](int64_t axis) { return x->shape[size_t(axis)] == 1; });
  if (is_copy) {
    builder.alias(node, 0, builder.row_major(x));
    return nullptr;
  }
  return std::make_unique<ReduceStep>(builder, what, x, axes, builder.output(node, 0));
}

}  // namespace

std::unique_ptr<Step> make_sum(Builder& builder, const NodeSpec& node) {
  return make_reduction(builder, node, What::sum);
}
std::unique_ptr<Step> make_norm(Builder& builder, const NodeSpec& node) {
  Slot* x = builder.input(node, 0);
  std::vector<int64_t> axes(x->shape.size());
  std::iota(axes.begin(), axes.end(), 0);
  return std::make_unique<ReduceStep>(builder, What::norm, x, axes, builder.output(node, 0));
}
std::unique_ptr<Step> make_max(Builder& builder, const NodeSpec& node) {
  return make_reduction(builder, node, What::max);
}

std::unique_ptr<Step> make_argmax(Builder& builder, const NodeSpec& node) {
  const int64_t axis = program::get_int(node, "axis");
  return std::make_unique<ReduceStep>(builder, What::argmax, builder.input(node, 0), std::vector<int64_t>{axis},
                                      builder.output(node, 0));
}

std::unique_ptr<Step> make_column_sums(Builder& builder, Slot* matrix, Slot* sums) {
  OSTRICH_CHECK(matrix->shape.size() == 2);
  return std::make_unique<ReduceStep>(builder, What::sum, matrix, std::vector<int64_t>{0}, sums);
}

std::unique_ptr<Step> make_channel_sums(Builder& builder, Slot* images, Slot* sums) {
  return std::make_unique<ReduceStep>(builder, What::sum, images, std::vector<int64_t>{0, 2, 3}, sums);
}

}  // namespace ostrich::cuda
