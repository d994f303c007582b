// The small transforms of Winograd's convolutions over tiles of 6 x 6, Cook-Toom with the points 0, 1, -1, 2, -2 and
// infinity: r x r weights (3 or 5) make m x m results, m = 7 - r. The matrices are those of F(4x4, 3x3) in Lavin and
// Gray 2016, and for 5 x 5 the same points with longer rows of powers. Eight channels are done at a time.
#include <cstring>

#include "cpu/simd/parts.h"

namespace ostrich::cpu::simd::OSTRICH_ISA {
namespace {

constexpr int kTile = WinogradTile::kSize;
constexpr int64_t kLanes = WinogradTile::kLanes;

using Lanes = float __attribute__((vector_size(kLanes * sizeof(float))));

#define OSTRICH_INLINE inline __attribute__((always_inline))

OSTRICH_INLINE void load(Lanes& to, const float* from) { std::memcpy(&to, from, sizeof(Lanes)); }
OSTRICH_INLINE void store(float* to, const Lanes& from) { std::memcpy(to, &from, sizeof(Lanes)); }

// Each transform of one axis reads `kIn` values that lie `si` apart and writes `kOut` values `so` apart.

// B^T d: a tile of the image.
struct Image {
  static constexpr int kIn = kTile, kOut = kTile;
  static OSTRICH_INLINE void apply(Lanes* o, int so, const Lanes* d, int si) {
    const Lanes even = d[4 * si] - 4.f * d[2 * si], odd = d[3 * si] - 4.f * d[si];
    const Lanes near = d[4 * si] - d[2 * si], wide = 2.f * (d[3 * si] - d[si]);
    o[0] = 4.f * d[0] - 5.f * d[2 * si] + d[4 * si];
    o[so] = even + odd;
    o[2 * so] = even - odd;
    o[3 * so] = near + wide;
    o[4 * so] = near - wide;
    o[5 * so] = 4.f * d[si] - 5.f * d[3 * si] + d[5 * si];
  }
};

// A^T m: results of a tile.
template <int kResults>
struct Result {
  static constexpr int kIn = kTile, kOut = kResults;
  static OSTRICH_INLINE void apply(Lanes* o, int so, const Lanes* d, int si) {
    const Lanes sum1 = d[si] + d[2 * si], difference1 = d[si] - d[2 * si];
    const Lanes sum2 = d[3 * si] + d[4 * si], difference2 = d[3 * si] - d[4 * si];
    o[0] = d[0] + sum1 + sum2;
    if constexpr (kResults == 2) {
      o[so] = difference1 + 2.f * difference2 + d[5 * si];
    } else {
      o[so] = difference1 + 2.f * difference2;
      o[2 * so] = sum1 + 4.f * sum2;
      o[3 * so] = difference1 + 8.f * difference2 + d[5 * si];
    }
  }
};

// A dy: the gradient of a tile's results.
template <int kResults>
struct ResultGradient {
  static constexpr int kIn = kResults, kOut = kTile;
  static OSTRICH_INLINE void apply(Lanes* o, int so, const Lanes* d, int si) {
    Lanes even1 = d[0], odd1 = d[si], even2 = d[0], odd2 = 2.f * d[si];
    if constexpr (kResults == 4) {
      even1 += d[2 * si];
      odd1 += d[3 * si];
      even2 += 4.f * d[2 * si];
      odd2 += 8.f * d[3 * si];
    }
    o[0] = d[0];
    o[so] = even1 + odd1;
    o[2 * so] = even1 - odd1;
    o[3 * so] = even2 + odd2;
    o[4 * so] = even2 - odd2;
    o[5 * so] = d[(kResults - 1) * si];
  }
};

// G g: weights.
template <int kWeights>
struct Weights {
  static constexpr int kIn = kWeights, kOut = kTile;
  static OSTRICH_INLINE void apply(Lanes* o, int so, const Lanes* d, int si) {
    Lanes even1 = d[0] + d[2 * si], odd1 = d[si], even2 = d[0] + 4.f * d[2 * si], odd2 = 2.f * d[si];
    if constexpr (kWeights == 5) {
      even1 += d[4 * si];
      odd1 += d[3 * si];
      even2 += 16.f * d[4 * si];
      odd2 += 8.f * d[3 * si];
    }
    o[0] = d[0] * (1.f / 4);
    o[so] = (even1 + odd1) * (-1.f / 6);
    o[2 * so] = (even1 - odd1) * (-1.f / 6);
    o[3 * so] = (even2 + odd2) * (1.f / 24);
    o[4 * so] = (even2 - odd2) * (1.f / 24);
    o[5 * so] = d[(kWeights - 1) * si];
  }
};

// G^T m: the gradient of weights.
template <int kWeights>
struct WeightsGradient {
  static constexpr int kIn = kTile, kOut = kWeights;
  static OSTRICH_INLINE void apply(Lanes* o, int so, const Lanes* d, int si) {
    const Lanes sum1 = (d[si] + d[2 * si]) * (-1.f / 6), difference1 = (d[si] - d[2 * si]) * (-1.f / 6);
    const Lanes sum2 = (d[3 * si] + d[4 * si]) * (1.f / 24), difference2 = (d[3 * si] - d[4 * si]) * (1.f / 24);
    o[0] = d[0] * (1.f / 4) + sum1 + sum2;
    o[so] = difference1 + 2.f * difference2;
    o[2 * so] = sum1 + 4.f * sum2;
    if constexpr (kWeights == 5) {
      o[3 * so] = difference1 + 8.f * difference2;
      o[4 * so] = sum1 + 16.f * sum2;
    }
    o[(kWeights - 1) * so] += d[5 * si];
  }
};

// Both axes: in [kIn][kIn] -> out [kOut][kOut].
template <class Axis>
OSTRICH_INLINE void transform(Lanes* out, const Lanes* in) {
  constexpr int kIn = Axis::kIn, kOut = Axis::kOut;
  Lanes half[kOut * kIn];
  for (int column = 0; column < kIn; ++column) Axis::apply(half + column, kIn, in + column, kIn);
  for (int row = 0; row < kOut; ++row) Axis::apply(out + row * kOut, 1, half + row * kIn, 1);
}

// What a tile holds of its image for 8 channels; zero outside.
template <int kExtent>
OSTRICH_INLINE void read_tile(Lanes* d, const float* x, const WinogradTile& tile) {
  for (int row = 0; row < kExtent; ++row) {
    for (int column = 0; column < kExtent; ++column) {
      Lanes& to = d[row * kExtent + column];
      const bool inside =
          row >= tile.row_begin && row < tile.row_end && column >= tile.column_begin && column < tile.column_end;
      if (inside) {
        load(to, x + row * tile.row_stride + column * tile.column_stride);
      } else {
        to = Lanes{};
      }
    }
  }
}

int64_t channel_offset(int64_t channel, const WinogradTile& tile) {
  return channel / tile.block * tile.block_stride + channel % tile.block;
}

template <class Axis>
void spread(float* v, int64_t pitch, const float* x, const WinogradTile& tile) {
  Lanes in[Axis::kIn * Axis::kIn], out[kTile * kTile];
  for (int64_t channel = 0; channel < tile.channels; channel += kLanes) {
    read_tile<Axis::kIn>(in, x + channel_offset(channel, tile), tile);
    transform<Axis>(out, in);
    for (int i = 0; i < kTile * kTile; ++i) store(v + i * pitch + channel, out[i]);
  }
}

void image(float* v, int64_t pitch, const float* x, const WinogradTile& tile) { spread<Image>(v, pitch, x, tile); }

void result_gradient(float* v, int64_t pitch, const float* dy, const WinogradTile& tile, int results) {
  if (results == 4) return spread<ResultGradient<4>>(v, pitch, dy, tile);
  spread<ResultGradient<2>>(v, pitch, dy, tile);
}

template <int kResults>
void gather(float* y, const float* m, int64_t pitch, const WinogradTile& tile, const float* bias, bool relu) {
  Lanes in[kTile * kTile], out[kResults * kResults];
  for (int64_t channel = 0; channel < tile.channels; channel += kLanes) {
    for (int i = 0; i < kTile * kTile; ++i) load(in[i], m + i * pitch + channel);
    transform<Result<kResults>>(out, in);
    Lanes add{};
    if (bias != nullptr) load(add, bias + channel);
    float* to = y + channel_offset(channel, tile);
    for (int row = 0; row < tile.row_end; ++row) {
      for (int column = 0; column < tile.column_end; ++column) {
        Lanes value = out[row * kResults + column] + add;
        if (relu) value = value < 0.f ? Lanes{} : value;  // NaN stays
        store(to + row * tile.row_stride + column * tile.column_stride, value);
      }
    }
  }
}

void result(float* y, const float* m, int64_t pitch, const WinogradTile& tile, int results, const float* bias,
            bool relu) {
  if (results == 4) return gather<4>(y, m, pitch, tile, bias, relu);
  gather<2>(y, m, pitch, tile, bias, relu);
}

template <int kWeights>
void spread_weights(float* u, int64_t pitch, const float* w, int64_t step, bool turned, int64_t n) {
  constexpr int kCount = kWeights * kWeights;
  Lanes in[kCount], out[kTile * kTile];
  for (int64_t i = 0; i < n; i += kLanes) {
    for (int place = 0; place < kCount; ++place) load(in[turned ? kCount - 1 - place : place], w + place * step + i);
    transform<Weights<kWeights>>(out, in);
    for (int place = 0; place < kTile * kTile; ++place) store(u + place * pitch + i, out[place]);
  }
}

void weights(float* u, int64_t pitch, const float* w, int64_t step, int extent, bool turned, int64_t n) {
  if (extent == 3) return spread_weights<3>(u, pitch, w, step, turned, n);
  spread_weights<5>(u, pitch, w, step, turned, n);
}

template <int kWeights>
void gather_weights(float* dw, int64_t step, const float* m, int64_t pitch, int64_t n) {
  constexpr int kCount = kWeights * kWeights;
  Lanes in[kTile * kTile], out[kCount];
  for (int64_t i = 0; i < n; i += kLanes) {
    for (int place = 0; place < kTile * kTile; ++place) load(in[place], m + place * pitch + i);
    transform<WeightsGradient<kWeights>>(out, in);
    for (int place = 0; place < kCount; ++place) store(dw + place * step + i, out[place]);
  }
}

void weights_gradient(float* dw, int64_t step, const float* m, int64_t pitch, int extent, int64_t n) {
  if (extent == 3) return gather_weights<3>(dw, step, m, pitch, n);
  gather_weights<5>(dw, step, m, pitch, n);
}

}  // namespace

void add_winograd(Table& table) {
  table.winograd_image = image;
  table.winograd_result = result;
  table.winograd_result_gradient = result_gradient;
  table.winograd_weights = weights;
  table.winograd_weights_gradient = weights_gradient;
}

}  // namespace ostrich::cpu::simd::OSTRICH_ISA
