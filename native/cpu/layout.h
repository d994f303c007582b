// Physical arrangement of a tensor's elements: outer strides and inner blocks, as oneDNN describes them.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <vector>

#include "core/dtype.h"
#include "core/shape.h"

namespace ostrich::cpu {

// Element (i0, i1, ...) lies at sum over axes of outer index * strides[axis] + its place in the inner blocks, where
// blocks are listed outermost first: nChw16c has block_axis {1}, block_size {16}.
struct Layout {
  core::Shape dims;
  core::Shape padded;   // dims rounded up to whole blocks
  core::Shape strides;  // of the outer (block) index of each axis, in elements
  std::vector<int> block_axis;
  std::vector<int64_t> block_size;

  static Layout row_major(const core::Shape& dims);
  static Layout of(const dnnl::memory::desc& desc);

  int64_t elements() const;   // physical, padding included
  bool is_row_major() const;  // no blocks, dense, last axis fastest
  bool has_padding() const { return padded != dims; }
  int64_t offset(const core::Shape& index) const;  // physical element number of a logical index
  std::string to_string() const;
  // The same places for the same logical elements (extent-1 axes may differ in stride).
  bool operator==(const Layout& other) const;
  bool operator!=(const Layout& other) const { return !(*this == other); }
};

}  // namespace ostrich::cpu
