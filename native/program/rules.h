// Building blocks of the check_<op> functions: one line per rule of FORMAT.md.
#pragma once

#include <array>
#include <initializer_list>

#include "program/attrs.h"

namespace ostrich::program {

// Exactly these attributes; an unknown one would be ignored in silence.
void expect_attrs(const NodeSpec& node, std::initializer_list<const char*> names);

void expect_dtype(const NodeSpec& node, const char* what, const ValueSpec& value, core::DType dtype);
void expect_float(const NodeSpec& node, const char* what, const ValueSpec& value);
void expect_rank(const NodeSpec& node, const char* what, const ValueSpec& value, size_t rank);
void expect_shape(const NodeSpec& node, const char* what, const ValueSpec& value, const core::Shape& shape);
// Dtype and extents at once; `expect_output` says which output in its message.
void expect_type(const NodeSpec& node, const char* what, const ValueSpec& value, const ValueSpec& expected);
void expect_output(const ProgramSpec& spec, const NodeSpec& node, size_t index, const ValueSpec& expected);

// An axis of a tensor of that rank.
size_t get_axis(const NodeSpec& node, const char* name, size_t rank);
// Integers of that number, each from `min` to INT32_MAX, so that sums and products of two stay in int64.
std::vector<int64_t> get_sizes(const NodeSpec& node, const char* name, size_t length, int64_t min);
int64_t get_size(const NodeSpec& node, const char* name, int64_t min);

// Windows sliding over H and W, of convolutions and pools. padding is [top, left, bottom, right].
struct Window {
  std::array<int64_t, 2> kernel, stride, dilation;
  std::array<int64_t, 4> padding;
  // Positions along `axis` (0 for H, 1 for W) in an extent: floor((extent + padding - reach) / stride) + 1.
  int64_t positions(const NodeSpec& node, int64_t extent, size_t axis) const;
};

// stride and padding of the node, dilation where the op has it; the kernel is the caller's.
Window get_window(const NodeSpec& node, int64_t kernel_h, int64_t kernel_w, bool dilated);

}  // namespace ostrich::program
