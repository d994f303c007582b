// Division by numbers that are known when a program is built: one multiplication and a shift for dividends below 2^31
// (Granlund and Montgomery 1994, "Division by invariant integers using multiplication"). And walks over strided axes,
// which need it. Shared by host and device code.
#pragma once

#include <cstdint>

#include "math/functions.h"

namespace ostrich::cuda {

struct Divisor {
  int64_t divisor;
  uint32_t multiplier, shift;
};

inline Divisor make_divisor(int64_t divisor) {
  if (divisor >= int64_t(1) << 31) return {divisor, 0, 0};  // the quotient of a dividend below 2^31 is 0
  uint32_t shift = 0;
  while ((int64_t(1) << shift) < divisor) ++shift;
  const uint64_t multiplier = ((uint64_t(1) << (31 + shift)) + uint64_t(divisor) - 1) / uint64_t(divisor);
  return {divisor, uint32_t(multiplier), 31 + shift};
}

OSTRICH_HD int64_t quotient(int64_t dividend, const Divisor& d) {
  if (dividend >= int64_t(1) << 31) return dividend / d.divisor;
  return int64_t((uint64_t(dividend) * d.multiplier) >> d.shift);
}

constexpr int kMaxAxes = 8;

// Extents and strides (elements), outermost first.
struct Walk {
  int axes;
  Divisor extents[kMaxAxes];
  int64_t strides[kMaxAxes];
};

// Where the element lies that a row-major walk meets as number `index`.
OSTRICH_HD int64_t offset_of(const Walk& walk, int64_t index) {
  int64_t place = 0;
  for (int axis = walk.axes - 1; axis > 0; --axis) {
    const int64_t outer = quotient(index, walk.extents[axis]);
    place += (index - outer * walk.extents[axis].divisor) * walk.strides[axis];
    index = outer;
  }
  return walk.axes > 0 ? place + index * walk.strides[0] : 0;
}

}  // namespace ostrich::cuda
