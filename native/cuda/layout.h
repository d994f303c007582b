// How a tensor lies in device memory: row-major in its logical axes, or, for [N, C, H, W] (weights [O, C, KH, KW]),
// channels last [N, H, W, C] with C perhaps padded with zeros to a multiple that tensor cores want.
#pragma once

#include <string>

#include "core/shape.h"

namespace ostrich::cuda {

struct Layout {
  int64_t channels = 0;  // 0: row-major; else channels last, and the extent of C in memory (>= shape[1])

  bool is_row_major() const { return channels == 0; }
  bool operator==(const Layout& other) const { return channels == other.channels; }
  bool operator!=(const Layout& other) const { return !(*this == other); }
  bool is_padded(const core::Shape& shape) const { return channels > 0 && channels != shape[1]; }

  static Layout row_major() { return {}; }
  // Channels last, with C rounded up to a multiple; row-major where both are the same bytes (one channel, one pixel).
  static Layout channels_last(const core::Shape& shape, int64_t multiple = 1);

  int64_t elements(const core::Shape& shape) const;
  // Strides of the logical axes, in elements.
  core::Shape strides(const core::Shape& shape) const;
  std::string to_string(const core::Shape& shape) const;
};

}  // namespace ostrich::cuda
