// Copies elements between two strided walks over the same extents, in parallel: rows as memory blocks where both sides
// are contiguous, tiles where the axes change places, repetition where the source stands still.
#pragma once

#include "core/shape.h"

namespace ostrich::cpu {

class StridedCopy {
 public:
  // Strides in elements of `size` bytes (1, 2 or 4).
  StridedCopy(const core::Shape& dims, const core::Shape& to_strides, const core::Shape& from_strides, size_t size);
  void run(int threads, char* to, const char* from) const;

 private:
  enum class Inner { rows, repeat, tiles, elements };
  // The place (elements) of outer element `index` on both sides.
  struct Place {
    int64_t to, from;
  };
  Place outer_place(int64_t index) const;
  template <class T>
  void piece(T* to, const T* from, int64_t task) const;

  core::Shape dims_, to_, from_;  // outer axes
  int64_t outer_ = 1;
  Inner inner_ = Inner::elements;
  // Innermost axis, and the one beside it that is contiguous in the source (tiles only).
  int64_t length_ = 1, to_step_ = 1, from_step_ = 1, height_ = 1, to_height_ = 0;
  int64_t piece_ = 1, pieces_ = 1;  // of the innermost axis, or of the other one for tiles
  size_t size_;
};

}  // namespace ostrich::cpu
