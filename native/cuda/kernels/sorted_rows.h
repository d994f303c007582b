// Positions sorted by the row of a table that they name, equal rows in order of position.
#pragma once

#include <vector>

#include "cuda/builder.h"
#include "cuda/kernels/gather.h"

namespace ostrich::cuda {

class SortedRows {
 public:
  // Its scratch belongs to the `writes` of the step. A row outside 0 .. rows - 1 is reported, and taken for the first.
  SortedRows(Builder& builder, const program::NodeSpec& node, const Slot* index, int64_t rows);
  const std::vector<Slot*>& scratch() const { return scratch_; }
  void run(CUstream stream, const int32_t* index) const;
  int64_t count() const { return sort_.n; }
  // After `run`.
  const int32_t* keys() const { return scratch_[size_t(passes_ + 1) % 2]->data<const int32_t>(); }
  const int32_t* positions() const { return keys() + sort_.n; }

 private:
  Kernel count_, scan_, place_;
  SortArgs sort_{};
  int passes_ = 1;
  std::vector<Slot*> scratch_;  // twice keys and positions, then counts
};

}  // namespace ostrich::cuda
