// The small transforms of Winograd's F(2x2, 3x3) over tiles of 4 x 4 (Lavin and Gray 2016, section 4.1), in f32 between
// elements of bf16; with 2 weights in place of 3 a row or column of places drops out. Larger tiles would save more
// products, but their transforms weigh values by more before they cancel, which eight bits do not bear. Sixteen
// channels are done at a time.
#include <immintrin.h>

#include <cstring>

#include "cpu/simd/bf16/bf16_table.h"

namespace ostrich::cpu::simd::avx512_bf16 {
namespace {

constexpr int kSize = Bf16Table::kSize, kResults = Bf16Table::kResults, kPlaces = Bf16Table::kPlaces;
constexpr int kWeights = 3;
constexpr int64_t kLanes = 16, kColumns = Bf16Table::kColumns;

using Lanes = float __attribute__((vector_size(kLanes * 4)));
using Bits = uint32_t __attribute__((vector_size(kLanes * 4)));
using Narrow = uint16_t __attribute__((vector_size(kLanes * 2)));

#define OSTRICH_INLINE inline __attribute__((always_inline))

OSTRICH_INLINE Lanes load(const float* from) {
  Lanes x;
  std::memcpy(&x, from, sizeof(x));
  return x;
}

OSTRICH_INLINE void store(float* to, Lanes x) { std::memcpy(to, &x, sizeof(x)); }

OSTRICH_INLINE Lanes load(const uint16_t* from) {
  Narrow x;
  std::memcpy(&x, from, sizeof(x));
  return (Lanes)(__builtin_convertvector(x, Bits) << 16);
}

OSTRICH_INLINE Narrow narrowed(Lanes x) { return (Narrow)_mm512_cvtneps_pbh(x); }

OSTRICH_INLINE void store(uint16_t* to, Lanes x) {
  const Narrow y = narrowed(x);
  std::memcpy(to, &y, sizeof(y));
}

// The elements of two rows side by side.
OSTRICH_INLINE void store_pair(uint16_t* to, Lanes first, Lanes second) {
  const Bits low = __builtin_convertvector(narrowed(first), Bits),
             high = __builtin_convertvector(narrowed(second), Bits);
  const Bits both = low | (high << 16);
  std::memcpy(to, &both, sizeof(both));
}

// Each transform of one axis reads `kIn` values that lie `si` apart and writes `kOut` values `so` apart.

// B^T d: a tile of the image.
struct Image {
  static constexpr int kIn = kSize, kOut = kSize;
  static OSTRICH_INLINE void apply(Lanes* o, int so, const Lanes* d, int si) {
    o[0] = d[0] - d[2 * si];
    o[so] = d[si] + d[2 * si];
    o[2 * so] = d[2 * si] - d[si];
    o[3 * so] = d[si] - d[3 * si];
  }
};

// A^T m: results of a tile.
struct Result {
  static constexpr int kIn = kSize, kOut = kResults;
  static OSTRICH_INLINE void apply(Lanes* o, int so, const Lanes* d, int si) {
    o[0] = d[0] + d[si] + d[2 * si];
    o[so] = d[si] - d[2 * si] - d[3 * si];
  }
};

// A dy: the gradient of a tile's results.
struct ResultGradient {
  static constexpr int kIn = kResults, kOut = kSize;
  static OSTRICH_INLINE void apply(Lanes* o, int so, const Lanes* d, int si) {
    o[0] = d[0];
    o[so] = d[0] + d[si];
    o[2 * so] = d[0] - d[si];
    o[3 * so] = -d[si];
  }
};

// G g: weights.
struct Weights {
  static constexpr int kIn = kWeights, kOut = kSize;
  static OSTRICH_INLINE void apply(Lanes* o, int so, const Lanes* d, int si) {
    const Lanes even = 0.5f * (d[0] + d[2 * si]), odd = 0.5f * d[si];
    o[0] = d[0];
    o[so] = even + odd;
    o[2 * so] = even - odd;
    o[3 * so] = d[2 * si];
  }
};

// G^T m: the gradient of weights.
struct WeightsGradient {
  static constexpr int kIn = kSize, kOut = kWeights;
  static OSTRICH_INLINE void apply(Lanes* o, int so, const Lanes* d, int si) {
    const Lanes sum = 0.5f * (d[si] + d[2 * si]);
    o[0] = d[0] + sum;
    o[so] = 0.5f * (d[si] - d[2 * si]);
    o[2 * so] = sum + d[3 * si];
  }
};

// Both axes: in [kIn][kIn] -> out [kOut][kOut].
template <class Axis>
OSTRICH_INLINE void transform(Lanes* out, const Lanes* in) {
  constexpr int kIn = Axis::kIn, kOut = Axis::kOut;
  Lanes half[kOut * kIn];
#pragma GCC unroll 4
  for (int column = 0; column < kIn; ++column) Axis::apply(half + column, kIn, in + column, kIn);
#pragma GCC unroll 4
  for (int row = 0; row < kOut; ++row) Axis::apply(out + row * kOut, 1, half + row * kIn, 1);
}

int64_t channel_offset(int64_t channel, const WinogradTile& tile) {
  return channel / tile.block * tile.block_stride + channel % tile.block;
}

// Where a tile's places lie; those outside of the image read zeros, whichever the channel.
template <int kExtent>
struct Places {
  Places(const uint16_t* x, const WinogradTile& tile) {
    alignas(32) static constexpr uint16_t kZeros[kLanes] = {};
    for (int row = 0; row < kExtent; ++row) {
      for (int column = 0; column < kExtent; ++column) {
        const bool inside =
            row >= tile.row_begin && row < tile.row_end && column >= tile.column_begin && column < tile.column_end;
        const int place = row * kExtent + column;
        at[place] = inside ? x + row * tile.row_stride + column * tile.column_stride : kZeros;
        moves[place] = inside ? -1 : 0;
      }
    }
  }

  OSTRICH_INLINE void read(Lanes* to, int64_t offset) const {
#pragma GCC unroll 16
    for (int i = 0; i < kExtent * kExtent; ++i) to[i] = load(at[i] + (offset & moves[i]));
  }

  const uint16_t* at[kExtent * kExtent];
  int64_t moves[kExtent * kExtent];
};

template <int kRows, int kInRow>
void image(uint16_t* v, const int64_t* places, const uint16_t* x, const WinogradTile& tile) {
  const Places<kSize> from(x, tile);
  for (int64_t channel = 0; channel < tile.channels; channel += kLanes) {
    Lanes in[kPlaces], out[kPlaces];
    from.read(in, channel_offset(channel, tile));
    transform<Image>(out, in);
#pragma GCC unroll 16
    for (int i = 0; i < kRows * kSize; ++i) {
      if (i % kSize < kInRow) store(v + places[i] + channel, out[i]);
    }
  }
}

template <class Axis, int kRows, int kInRow>
void spread_pair(uint16_t* v, const int64_t* places, int64_t block, const uint16_t* const x[2],
                 const WinogradTile tiles[2]) {
  const Places<Axis::kIn> first(x[0], tiles[0]), second(x[1], tiles[1]);
  for (int64_t channel = 0; channel < tiles[0].channels; channel += kLanes) {
    Lanes in[Axis::kIn * Axis::kIn], one[kPlaces], other[kPlaces];
    const int64_t offset = channel_offset(channel, tiles[0]);
    first.read(in, offset);
    transform<Axis>(one, in);
    second.read(in, offset);
    transform<Axis>(other, in);
    uint16_t* to = v + channel / kColumns * block + channel % kColumns * 2;
#pragma GCC unroll 16
    for (int i = 0; i < kRows * kSize; ++i) {
      if (i % kSize < kInRow) store_pair(to + places[i], one[i], other[i]);
    }
  }
}

void result(uint16_t* y, const float* m, int64_t pitch, const WinogradTile& tile, const float* bias, bool relu) {
  for (int64_t channel = 0; channel < tile.channels; channel += kLanes) {
    Lanes in[kPlaces], out[kResults * kResults];
#pragma GCC unroll 16
    for (int i = 0; i < kPlaces; ++i) in[i] = load(m + i * pitch + channel);
    transform<Result>(out, in);
    const Lanes add = bias != nullptr ? load(bias + channel) : Lanes{};
    uint16_t* to = y + channel_offset(channel, tile);
    for (int row = 0; row < tile.row_end; ++row) {
      for (int column = 0; column < tile.column_end; ++column) {
        Lanes value = out[row * kResults + column] + add;
        if (relu) value = value < 0.f ? Lanes{} : value;  // NaN stays
        store(to + row * tile.row_stride + column * tile.column_stride, value);
      }
    }
  }
}

// Weights that are not there are 0.
OSTRICH_INLINE void read_weights(Lanes* out, const uint16_t* w, const WinogradWeights& shape) {
  Lanes in[kWeights * kWeights];
#pragma GCC unroll 9
  for (int i = 0; i < kWeights * kWeights; ++i) {
    const int row = i / kWeights, column = i % kWeights;
    const bool there = row < shape.rows && column < shape.columns;
    in[i] = there ? load(w + row * shape.row_step + column * shape.column_step) : Lanes{};
  }
  transform<Weights>(out, in);
}

void weights(uint16_t* u, const int64_t* places, int64_t block, const uint16_t* w, int64_t next,
             const WinogradWeights& shape, int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes) {
    Lanes one[kPlaces], other[kPlaces];
    read_weights(one, w + i, shape);
    read_weights(other, w + next + i, shape);
    uint16_t* to = u + i / kColumns * block + i % kColumns * 2;
#pragma GCC unroll 16
    for (int place = 0; place < kPlaces; ++place) {
      if (places[place] >= 0) store_pair(to + places[place], one[place], other[place]);
    }
  }
}

void weights_column(uint16_t* u, const int64_t* places, const uint16_t* w, const WinogradWeights& shape, int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes) {
    Lanes out[kPlaces];
    read_weights(out, w + i, shape);
    for (int place = 0; place < kPlaces; ++place) {
      if (places[place] < 0) continue;
      uint16_t row[kLanes];
      store(row, out[place]);
      for (int64_t j = 0; j < kLanes; j += 2) std::memcpy(u + places[place] + (i + j) * kColumns, row + j, 4);
    }
  }
}

template <class T>
void weights_gradient(void* dw, const float* m, const int64_t* places, const WinogradWeights& shape, int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes) {
    Lanes in[kPlaces], out[kWeights * kWeights];
#pragma GCC unroll 16
    for (int place = 0; place < kPlaces; ++place)
      in[place] = places[place] >= 0 ? load(m + places[place] + i) : Lanes{};
    transform<WeightsGradient>(out, in);
#pragma GCC unroll 9
    for (int place = 0; place < kWeights * kWeights; ++place) {
      const int row = place / kWeights, column = place % kWeights;
      T* to = static_cast<T*>(dw) + row * shape.row_step + column * shape.column_step + i;
      if (row < shape.rows && column < shape.columns) store(to, out[place]);
    }
  }
}

}  // namespace

void add_winograd(Bf16Table& table) {
  table.image[0][0] = image<4, 4>;
  table.image[0][1] = image<4, 3>;
  table.image[1][0] = image<3, 4>;
  table.image[1][1] = image<3, 3>;
  table.image_pair[0][0] = spread_pair<Image, 4, 4>;
  table.image_pair[0][1] = spread_pair<Image, 4, 3>;
  table.image_pair[1][0] = spread_pair<Image, 3, 4>;
  table.image_pair[1][1] = spread_pair<Image, 3, 3>;
  table.result_gradient_pair = spread_pair<ResultGradient, 4, 4>;
  table.result = result;
  table.weights = weights;
  table.weights_column = weights_column;
  table.weights_gradient[kF32] = weights_gradient<float>;
  table.weights_gradient[kBf16] = weights_gradient<uint16_t>;
}

}  // namespace ostrich::cpu::simd::avx512_bf16
