// Planned copies between strided boxes of memory: the widest elements that fit, tiles where both sides' innermost axes
// differ, whole columns where they are short.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "cuda/builder.h"
#include "cuda/kernels/copy.h"

namespace ostrich::cuda {

struct CopyAxis {
  int64_t extent;  // of the target
  int64_t to_stride, from_stride;
  int64_t before = 0, inside = -1;  // source element t - before, if it is one of `inside`; -1: every one is
};

class StridedCopy {
 public:
  // Axes in any order. `to_offset` and `from_offset` in elements from the slots' first; `fill`: bits of an element that
  // no source element reaches, repeated to 4 bytes.
  StridedCopy(Builder& builder, std::vector<CopyAxis> axes, Slot* from, int64_t from_offset, Slot* to,
              int64_t to_offset, uint32_t fill = 0);
  void run(CUstream stream) const;
  const std::string& name() const { return name_; }

 private:
  void plan_transpose(const std::vector<CopyAxis>& axes, size_t rows, size_t columns);
  void plan_interleave(const TransposeArgs& args);

  const Slot *from_, *to_;
  size_t from_bytes_, to_bytes_;  // offsets
  std::string name_;
  Kernel kernel_;
  CopyArgs copy_{};
  std::optional<TransposeArgs> transpose_;
  std::optional<InterleaveArgs> interleave_;
  Grid grid_;
};

}  // namespace ostrich::cuda
