#include "cuda/kernels/strided_copy.h"

#include <algorithm>

#include "cuda/kernels/grid.h"

namespace ostrich::cuda {

namespace {

bool has_gaps(const CopyAxis& axis) { return axis.inside >= 0 && (axis.before != 0 || axis.inside != axis.extent); }

// Outermost first by the target's memory, no axis of extent 1, and neighbours joined where one step of the outer is a
// whole walk over the inner, on both sides.
std::vector<CopyAxis> simplify(std::vector<CopyAxis> axes) {
  const auto is_single = [](const CopyAxis& axis) { return axis.extent == 1 && !has_gaps(axis); };
  axes.erase(std::remove_if(axes.begin(), axes.end(), is_single), axes.end());
  std::stable_sort(axes.begin(), axes.end(),
                   [](const CopyAxis& a, const CopyAxis& b) { return a.to_stride > b.to_stride; });
  std::vector<CopyAxis> joined;
  for (const CopyAxis& axis : axes) {
    if (!joined.empty() && !has_gaps(joined.back()) && !has_gaps(axis)) {
      CopyAxis& outer = joined.back();
      if (outer.to_stride == axis.to_stride * axis.extent && outer.from_stride == axis.from_stride * axis.extent) {
        // Neither has gaps, so that none is told of the two together.
        outer = {outer.extent * axis.extent, axis.to_stride, axis.from_stride};
        continue;
      }
    }
    joined.push_back(axis);
  }
  if (joined.empty()) joined.push_back({1, 1, 1});
  return joined;
}

// Pairs of elements become one of twice the size, while every extent, stride and address allows.
size_t widen(std::vector<CopyAxis>& axes, size_t element, size_t from_address, size_t to_address) {
  CopyAxis& inner = axes.back();
  if (inner.to_stride != 1 || inner.from_stride != 1) return element;
  const auto is_even = [](int64_t number) { return number % 2 == 0; };
  while (element < 16 && from_address % (2 * element) == 0 && to_address % (2 * element) == 0 &&
         is_even(inner.extent) && is_even(inner.before) && (inner.inside < 0 || is_even(inner.inside)) &&
         std::all_of(axes.begin(), axes.end() - 1,
                     [&](const CopyAxis& axis) { return is_even(axis.to_stride) && is_even(axis.from_stride); })) {
    for (CopyAxis& axis : axes) {
      if (&axis == &inner) continue;
      axis.to_stride /= 2;
      axis.from_stride /= 2;
    }
    inner.extent /= 2;
    inner.before /= 2;
    if (inner.inside >= 0) inner.inside /= 2;
    element *= 2;
  }
  return element;
}

}  // namespace

StridedCopy::StridedCopy(Builder& builder, std::vector<CopyAxis> axes, Slot* from, int64_t from_offset, Slot* to,
                         int64_t to_offset, uint32_t fill)
    : from_(from), to_(to) {
  size_t element = core::size_of(to->dtype);
  from_bytes_ = size_t(from_offset) * element;
  to_bytes_ = size_t(to_offset) * element;
  axes = simplify(std::move(axes));
  // The axis along which the source is dense, where that is not the target's.
  const auto dense = std::find_if(axes.begin(), axes.end(), [](const CopyAxis& axis) { return axis.from_stride == 1; });
  const CopyAxis& last = axes.back();
  const bool plain = std::none_of(axes.begin(), axes.end() - 1, has_gaps) && (!has_gaps(last) || last.before == 0);
  if (plain && fill == 0 && last.to_stride == 1 && dense < axes.end() - 1 && dense->extent >= 4 && last.extent >= 4) {
    name_ = "transpose_" + std::to_string(element);
    kernel_ = builder.kernel("copy", name_);
    plan_transpose(axes, axes.size() - 1, size_t(dense - axes.begin()));
    transpose_->fault = builder.fault();
    // Of channels that are few: an image's colours, say.
    const bool short_columns = size_t(last.extent) * element == 16 && transpose_->to_stride == last.extent;
    const bool aligned = (to->offset + to_bytes_) % 16 == 0;
    if (short_columns && aligned && (element == 2 || element == 4)) {
      name_ = "interleave_" + std::to_string(element);
      kernel_ = builder.kernel("copy", name_);
      plan_interleave(*transpose_);
    }
    return;
  }
  element = widen(axes, element, from->offset + from_bytes_, to->offset + to_bytes_);
  name_ = "copy_" + std::to_string(element);
  kernel_ = builder.kernel("copy", name_);
  copy_.fault = builder.fault();
  copy_.fill = fill;
  copy_.count = 1;
  copy_.target.axes = int(axes.size());
  OSTRICH_CHECK(axes.size() <= size_t(kMaxAxes));
  for (size_t i = 0; i < axes.size(); ++i) {
    copy_.target.extents[i] = make_divisor(axes[i].extent);
    copy_.target.strides[i] = axes[i].to_stride;
    copy_.from_strides[i] = axes[i].from_stride;
    copy_.before[i] = axes[i].before;
    copy_.extents[i] = axes[i].inside < 0 ? axes[i].extent : axes[i].inside;
    copy_.has_gaps = copy_.has_gaps || has_gaps(axes[i]);
    copy_.count *= axes[i].extent;
  }
  grid_ = grid_for(copy_.count);
}

void StridedCopy::plan_transpose(const std::vector<CopyAxis>& axes, size_t rows, size_t columns) {
  const auto tiles = [](int64_t extent) { return (extent + kTransposeTile - 1) / kTransposeTile; };
  TransposeArgs args{};
  args.target_rows = axes[rows].extent;
  args.rows = axes[rows].inside < 0 ? axes[rows].extent : axes[rows].inside;
  args.columns = axes[columns].extent;
  args.from_stride = axes[rows].from_stride;
  args.to_stride = axes[columns].to_stride;
  args.row_tiles = make_divisor(tiles(args.target_rows));
  args.column_tiles = make_divisor(tiles(args.columns));
  int64_t blocks = args.row_tiles.divisor * args.column_tiles.divisor;
  for (size_t i = 0; i < axes.size(); ++i) {
    if (i == rows || i == columns) continue;
    const int place = args.from_outer.axes;
    args.from_outer.axes = args.to_outer.axes = place + 1;
    args.from_outer.extents[place] = args.to_outer.extents[place] = make_divisor(axes[i].extent);
    args.from_outer.strides[place] = axes[i].from_stride;
    args.to_outer.strides[place] = axes[i].to_stride;
    blocks *= axes[i].extent;
  }
  OSTRICH_CHECK(blocks < int64_t(1) << 31);
  grid_ = {unsigned(blocks)};
  transpose_ = args;
}

void StridedCopy::plan_interleave(const TransposeArgs& transpose) {
  InterleaveArgs args{};
  args.fault = transpose.fault;
  args.from_outer = transpose.from_outer;
  args.to_outer = transpose.to_outer;
  args.count = transpose.columns;
  for (int i = 0; i < args.to_outer.axes; ++i) args.count *= args.to_outer.extents[i].divisor;
  args.rows = transpose.rows;
  args.columns = make_divisor(transpose.columns);
  args.from_stride = transpose.from_stride;
  args.to_stride = transpose.to_stride;
  grid_ = grid_for(args.count);
  interleave_ = args;
}

void StridedCopy::run(CUstream stream) const {
  const char* from = from_->data<const char>() + from_bytes_;
  char* to = to_->data<char>() + to_bytes_;
  if (interleave_) {
    InterleaveArgs args = *interleave_;
    args.from = from;
    args.to = to;
    kernel_.launch(stream, grid_, kThreads, args);
    return;
  }
  if (transpose_) {
    TransposeArgs args = *transpose_;
    args.from = from;
    args.to = to;
    kernel_.launch(stream, grid_, kTransposeThreads, args);
    return;
  }
  CopyArgs args = copy_;
  args.from = from;
  args.to = to;
  kernel_.launch(stream, grid_, kThreads, args);
}

}  // namespace ostrich::cuda
