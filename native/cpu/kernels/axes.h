// Axes of a strided walk, and how a reduction splits those of its input.
#pragma once

#include <algorithm>
#include <vector>

#include "core/shape.h"

namespace ostrich::cpu {

// Extents and strides (elements), outermost first. Neighbours that lie one after another in memory are joined.
struct Axes {
  core::Shape dims, strides;

  void push(int64_t extent, int64_t stride) {
    if (extent == 1) return;
    if (!dims.empty() && strides.back() == extent * stride) {
      dims.back() *= extent;
      strides.back() = stride;
      return;
    }
    dims.push_back(extent);
    strides.push_back(stride);
  }
  void pop() {
    dims.pop_back();
    strides.pop_back();
  }
  int64_t count() const { return core::count(dims); }
  // Where the element lies that a row-major walk over these axes meets as number `index`.
  int64_t offset(int64_t index) const {
    int64_t place = 0;
    for (size_t axis = dims.size(); axis-- > 0; index /= dims[axis]) place += index % dims[axis] * strides[axis];
    return place;
  }
};

struct Split {
  Axes kept, reduced;
  bool last_is_reduced;
};

inline Split split_axes(const core::Shape& shape, const std::vector<int64_t>& axes) {
  Split split{};
  const core::Shape strides = core::row_major_strides(shape);
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    const bool reduced = std::find(axes.begin(), axes.end(), int64_t(axis)) != axes.end();
    (reduced ? split.reduced : split.kept).push(shape[axis], strides[axis]);
  }
  split.last_is_reduced = !split.reduced.dims.empty() && split.reduced.strides.back() == 1;
  return split;
}

}  // namespace ostrich::cpu
