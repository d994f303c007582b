#include "cpu/kernels/broadcast.h"

#include <algorithm>

namespace ostrich::cpu {

Broadcast::Broadcast(const core::Shape& output, const std::vector<core::Shape>& inputs) : strides(inputs.size()) {
  for (size_t axis = 0; axis < output.size(); ++axis) {
    if (output[axis] == 1) continue;
    core::Shape here;
    for (const core::Shape& input : inputs) {
      const size_t missing = output.size() - input.size();
      const bool repeated = axis < missing || input[axis - missing] == 1;
      here.push_back(repeated ? 0 : core::row_major_strides(input)[axis - missing]);
    }
    bool joined = !dims.empty();
    for (size_t i = 0; i < inputs.size() && joined; ++i) joined = strides[i].back() == here[i] * output[axis];
    if (joined)
      dims.back() *= output[axis];
    else
      dims.push_back(output[axis]);
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (joined)
        strides[i].back() = here[i];
      else
        strides[i].push_back(here[i]);
    }
  }
}

void Broadcast::load(size_t input, simd::BlockFn convert, simd::BlockFn fill, const char* data, size_t size, void* y,
                     int64_t begin, int64_t n) const {
  const core::Shape& stride = strides[input];
  const size_t last = dims.size() - 1;
  int64_t row = begin / dims[last], column = begin % dims[last];
  auto* out = static_cast<char*>(y);
  while (n > 0) {
    const int64_t run = std::min(n, dims[last] - column);
    int64_t offset = column * stride[last], rest = row;
    for (size_t axis = last; axis-- > 0; rest /= dims[axis]) offset += rest % dims[axis] * stride[axis];
    const char* from = data + size_t(offset) * size;
    if (stride[last] != 0) {
      convert(out, from, from, from, run);
    } else {
      convert(out, from, from, from, 1);
      if (run > 1) fill(out, out, out, out, run);
    }
    out += run * 4;
    n -= run;
    column = 0;
    ++row;
  }
}

}  // namespace ostrich::cpu
