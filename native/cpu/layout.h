// Physical arrangement of a tensor's elements: outer strides and inner blocks, as oneDNN describes them.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <optional>
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

// Weights of grouped convolutions have four axes in a program, [O, C/G, KH, KW], and five in oneDNN,
// [G, O/G, C/G, KH, KW]. Most layouts of the one are a layout of the other over the same bytes.
// The layout of four axes whose elements lie where those of `five` do; none where groups lie in no one stride.
std::optional<Layout> without_groups(const Layout& five);
// The other way: five axes over the bytes of `four`; none where a block holds channels of two groups.
std::optional<Layout> with_groups(const Layout& four, int64_t groups);

}  // namespace ostrich::cpu
