// What Winograd's convolution and the gradient of its weights share: where tiles lie, chunks of them, and the products.
#pragma once

#include <algorithm>

#include "cpu/onednn.h"
#include "cpu/simd/table.h"

namespace ostrich::cpu::winograd {

using core::Shape;
using dnnl::memory;
using simd::WinogradTile;

constexpr int64_t kSize = WinogradTile::kSize, kPlaces = WinogradTile::kPlaces;
constexpr int64_t kChunkFloats = 1 << 20;  // transformed images and results of a chunk, at least

// Images [N, C, H, W] in memory: element strides of image, row and column, and of a block of channels.
struct Images {
  Images(const Shape& extents, const memory::desc& desc) : shape(extents) {
    const Layout layout = Layout::of(desc);
    image = layout.strides[0];
    row = layout.strides[2];
    column = layout.strides[3];
    const bool blocked = !layout.block_size.empty();
    block = blocked ? layout.block_size[0] : shape[1];
    block_stride = blocked ? layout.strides[1] : 0;
  }

  int64_t channel(int64_t index) const { return index / block * block_stride + index % block; }

  Shape shape;
  int64_t image, row, column, block, block_stride;
};

// Squares of `step` results that cover images of [rows, columns], and the part of an image that belongs to each.
class Grid {
 public:
  Grid(int64_t images, int64_t rows, int64_t columns, int64_t step)
      : step_(step), rows_((rows + step - 1) / step), columns_((columns + step - 1) / step) {
    tiles = images * rows_ * columns_;
  }

  // Tile `i` of `images`, which begin `pad` before the tiles do; `data` is its corner, which may lie outside.
  template <class T>
  WinogradTile tile(int64_t i, const Images& images, int64_t extent, int64_t pad_top, int64_t pad_left,
                    T*& data) const {
    const int64_t n = i / (rows_ * columns_), place = i % (rows_ * columns_);
    const int64_t top = place / columns_ * step_ - pad_top, left = place % columns_ * step_ - pad_left;
    const auto first = [](int64_t start) { return std::max<int64_t>(0, -start); };
    const auto last = [extent](int64_t start, int64_t size) { return std::clamp<int64_t>(size - start, 0, extent); };
    data += n * images.image + top * images.row + left * images.column;
    return {images.row,
            images.column,
            images.block_stride,
            images.block,
            images.shape[1],
            first(top),
            last(top, images.shape[2]),
            first(left),
            last(left, images.shape[3])};
  }

  int64_t tiles;

 private:
  int64_t step_, rows_, columns_;
};

// c [m, n] (+)= a b, where rows of a, b and c are lda, ldb and ldc floats apart; with `turn_a` a is kept as [k, m],
// with `turn_b` b as [n, k].
struct Product {
  bool turn_a, turn_b;
  int64_t m, n, k, lda, ldb, ldc;

  void run(const float* a, const float* b, float* c, bool add) const {
    const dnnl_status_t status =
        dnnl_sgemm(turn_a ? 'T' : 'N', turn_b ? 'T' : 'N', m, n, k, 1.f, a, lda, b, ldb, add ? 1.f : 0.f, c, ldc);
    if (status != dnnl_success) core::fail("ERR_INTERNAL", "oneDNN's sgemm failed with status ", int(status));
  }
};

// Floats from one place of a transformed [rows, channels] to the next: a cache line more than it needs, so that a
// tile's 36 places do not all fall into one set of a cache.
inline int64_t pitch_of(int64_t rows, int64_t channels) { return rows * channels + 16; }
inline size_t bytes_of(int64_t rows, int64_t channels) {
  return size_t(kPlaces * pitch_of(rows, channels)) * sizeof(float);
}

// Tiles of a chunk: few enough for a cache, and enough to read large weights seldom.
inline int64_t chunk_of(int64_t tiles, int64_t channels, int64_t weights) {
  const int64_t fits = std::max(kChunkFloats / kPlaces, weights * 3 / 2) / channels;
  return std::min(tiles, std::max<int64_t>(32, fits / 16 * 16));
}

}  // namespace ostrich::cpu::winograd
