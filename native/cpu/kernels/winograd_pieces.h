// 5 x 5 weights as the sum of 3 x 3, 3 x 2, 2 x 3 and 2 x 2 ones: in one axis a piece of 3 needs all 4 places of a tile
// (F(2, 3)), one of 2 the first 3 (F(2, 2) has the same points), so that both axes take 7 * 7 products for 2 x 2
// results in place of 100. Weights of 3 x 3 are one piece, with 16 products in place of 36.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "cpu/simd/bf16/bf16_table.h"

namespace ostrich::cpu::winograd {

constexpr int64_t kGap = 32;  // elements between places: not all in one set of a cache

inline const simd::Bf16Table& loops() { return *simd::bf16_table(); }

class Pieces {
 public:
  static constexpr int kSize = simd::Bf16Table::kSize, kPlaces = simd::Bf16Table::kPlaces;

  using Offsets = std::array<int64_t, kPlaces>;

  struct Piece {
    int64_t top, left;  // of its first weight
    int rows, columns;
    Offsets at;  // which of all products its place is; -1 where it has none

    // Where its places lie when products are `pitch` apart.
    Offsets offsets(int64_t pitch) const {
      Offsets offsets = at;
      for (int64_t& offset : offsets) offset = offset < 0 ? -1 : offset * pitch;
      return offsets;
    }
  };

  explicit Pieces(int64_t extent) {
    for (int64_t top = 0; top < extent; top += 3) {
      for (int64_t left = 0; left < extent; left += 3)
        all.push_back(
            {top, left, int(std::min<int64_t>(3, extent - top)), int(std::min<int64_t>(3, extent - left)), {}});
    }
    for (int place = 0; place < kPlaces; ++place) {
      first[size_t(place)] = products;
      for (Piece& piece : all) {
        const bool has = place / kSize <= piece.rows && place % kSize <= piece.columns;
        piece.at[size_t(place)] = has ? products++ : -1;
      }
    }
    first[kPlaces] = products;
  }

  std::vector<Piece> all;
  std::array<int64_t, kPlaces + 1> first;  // products of place p are first[p] to first[p + 1]
  int64_t products = 0;
};

}  // namespace ostrich::cpu::winograd
