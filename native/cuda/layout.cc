// See layout.h.
#include "cuda/layout.h"

namespace ostrich::cuda {

Layout Layout::channels_last(const core::Shape& shape, int64_t multiple) {
  const int64_t c = shape[1], padded = (c + multiple - 1) / multiple * multiple;
  if (padded == c && (c == 1 || shape[2] * shape[3] == 1)) return {};
  return {padded};
}

int64_t Layout::elements(const core::Shape& shape) const {
  return is_row_major() ? core::count(shape) : shape[0] * shape[2] * shape[3] * channels;
}

core::Shape Layout::strides(const core::Shape& shape) const {
  if (is_row_major()) return core::row_major_strides(shape);
  return {shape[2] * shape[3] * channels, 1, shape[3] * channels, channels};
}

std::string Layout::to_string(const core::Shape& shape) const {
  if (is_row_major()) return core::to_string(shape);
  return core::to_string(shape) + " channels last" +
         (is_padded(shape) ? " of " + std::to_string(channels) : std::string());
}

}  // namespace ostrich::cuda
