// What the two steps of winograd_few.h share: columns of a matrix in panels, and how many tiles a thread takes.
#pragma once

#include "cpu/kernels/winograd_tiles.h"

namespace ostrich::cpu::winograd {

constexpr int64_t kGapFloats = 16;  // between places: not all in one set of a cache

// The columns of a matrix in panels of a register's width; products take up to kMaxPanels of them.
class Columns {
 public:
  explicit Columns(int64_t columns) : columns_(columns), panels_((columns + lanes() - 1) / lanes()) {}

  static int64_t lanes() { return simd::table().lanes; }
  int64_t padded() const { return panels_ * lanes(); }
  // Of a panel that begins at this column, or of a block of panels.
  int64_t width(int64_t column, int64_t panels = 1) const { return std::min(panels * lanes(), columns_ - column); }

  // Calls body(first column, panels) for each block that one product takes.
  template <class Body>
  void for_blocks(Body body) const {
    for (int64_t panel = 0; panel < panels_; panel += simd::kMaxPanels)
      body(panel * lanes(), std::min<int64_t>(simd::kMaxPanels, panels_ - panel));
  }

  // Calls body(first column) for each panel.
  template <class Body>
  void for_panels(Body body) const {
    for (int64_t column = 0; column < columns_; column += lanes()) body(column);
  }

 private:
  int64_t columns_, panels_;
};

// Tiles that a thread takes from their transform to their results, where all of a tile has this many channels.
inline int64_t own_tiles(int64_t tiles, int64_t channels) {
  constexpr int64_t kOwnBytes = 256 << 10, kStep = 24;
  const int64_t fits = kOwnBytes / (kPlaces * channels * int64_t(sizeof(float)));
  return std::min(tiles, std::max(kStep, fits / kStep * kStep));
}

}  // namespace ostrich::cpu::winograd
