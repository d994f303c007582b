// Brings blocks of broadcast inputs: elements of the output's row-major order, found by strides that are zero along
// the axes an input is repeated on.
#pragma once

#include <vector>

#include "core/shape.h"
#include "cpu/simd/table.h"

namespace ostrich::cpu {

// Axes of one output and strides (elements) of several inputs, with neighbouring axes joined where all strides allow
// it. An input's innermost stride is 1 or 0.
struct Broadcast {
  core::Shape dims;
  std::vector<core::Shape> strides;  // by input

  Broadcast(const core::Shape& output, const std::vector<core::Shape>& inputs);

  // Elements [begin, begin + n) of the output's order from input i into the register y; `size` is the bytes of an
  // element.
  void load(size_t input, simd::BlockFn convert, simd::BlockFn fill, const char* data, size_t size, void* y,
            int64_t begin, int64_t n) const;
};

}  // namespace ostrich::cpu
