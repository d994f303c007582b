// The small transforms of Winograd's convolutions over tiles of 6 x 6, Cook-Toom with the points 0, 1, -1, 2, -2 and
// infinity: r x r weights (3 or 5) make m x m results, m = 7 - r. The matrices are those of F(4x4, 3x3) in Lavin and
// Gray 2016, and for 5 x 5 the same points with longer rows of powers.
#pragma once

#include "cpu/simd/table.h"

#define OSTRICH_INLINE inline __attribute__((always_inline))

namespace ostrich::cpu::simd::OSTRICH_ISA {
namespace {

constexpr int kTile = WinogradTile::kSize;

// Each transform of one axis reads `kIn` values that lie `si` apart and writes `kOut` values `so` apart.

// B^T d: a tile of the image.
struct Image {
  static constexpr int kIn = kTile, kOut = kTile;
  template <class Lanes>
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
  template <class Lanes>
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
  template <class Lanes>
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
  template <class Lanes>
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
  template <class Lanes>
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
template <class Axis, class Lanes>
OSTRICH_INLINE void transform(Lanes* out, const Lanes* in) {
  constexpr int kIn = Axis::kIn, kOut = Axis::kOut;
  Lanes half[kOut * kIn];
#pragma GCC unroll 6
  for (int column = 0; column < kIn; ++column) Axis::apply(half + column, kIn, in + column, kIn);
#pragma GCC unroll 6
  for (int row = 0; row < kOut; ++row) Axis::apply(out + row * kOut, 1, half + row * kIn, 1);
}

}  // namespace
}  // namespace ostrich::cpu::simd::OSTRICH_ISA
