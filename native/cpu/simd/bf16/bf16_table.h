// Inner loops for CPUs that multiply bf16 (AVX512-BF16), apart from table.h: there is one instruction set of this kind.
//
// A packed matrix of k rows lies in blocks of kColumns columns, [block][k / 2][kColumns][2]: elements of two
// neighbouring rows side by side, as the instruction multiplies them.
#pragma once

#include "cpu/simd/table.h"

namespace ostrich::cpu::simd {

// Weights [rows, columns], each 2 or 3, whose elements lie `row_step` and `column_step` apart.
struct WinogradWeights {
  int rows, columns;
  int64_t row_step, column_step;
};

struct Bf16Table {
  static constexpr int64_t kColumns = 32;

  // c [rows, kColumns] = a [rows, 2 * pairs] b, with rows of c and a `c_row` and `a_row` elements apart; b is one
  // packed block.
  void (*product)(float* c, int64_t c_row, const uint16_t* a, int64_t a_row, int64_t rows, const uint16_t* b,
                  int64_t pairs);
  // c [kColumns, kColumns] (+)= a^T b of two packed blocks.
  void (*packed_product)(float* c, int64_t c_row, const uint16_t* a, const uint16_t* b, int64_t pairs, bool add);

  // A tile of kPairTile x kPairTile between the packings: eight rows, in each of which two neighbouring rows of the
  // matrix lie side by side, become eight rows of two neighbouring columns each. Its own inverse.
  static constexpr int kPairTile = 16;
  void (*transpose_pairs)(uint16_t* to, int64_t to_row, const uint16_t* from, int64_t from_row);

  // Winograd's convolutions with 2 or 3 x 2 or 3 weights, over tiles of kSize x kSize whose channels and blocks are
  // multiples of 16. Transformed, place p of kPlaces lies at v + places[p]. Weights of 2 leave out the last row or
  // column of places: [is there no last row][no last column].
  static constexpr int kSize = 4, kResults = 2, kPlaces = kSize * kSize;
  // A place's channels side by side.
  void (*image[2][2])(uint16_t* v, const int64_t* places, const uint16_t* x, const WinogradTile& tile);
  // Two tiles as two rows of packed matrices, whose blocks lie `block` elements apart.
  void (*image_pair[2][2])(uint16_t* v, const int64_t* places, int64_t block, const uint16_t* const x[2],
                           const WinogradTile tiles[2]);
  void (*result_gradient_pair)(uint16_t* v, const int64_t* places, int64_t block, const uint16_t* const dy[2],
                               const WinogradTile tiles[2]);
  // m [kPlaces][tile.channels], `pitch` apart -> y; `bias` may be null.
  void (*result)(uint16_t* y, const float* m, int64_t pitch, const WinogradTile& tile, const float* bias, bool relu);
  // Places left out have negative places[p]. Two rows of n weights, `next` elements apart, as two rows of packed
  // matrices.
  void (*weights)(uint16_t* u, const int64_t* places, int64_t block, const uint16_t* w, int64_t next,
                  const WinogradWeights& shape, int64_t n);
  // One row of n weights as column 0 of a packed matrix of n rows.
  void (*weights_column)(uint16_t* u, const int64_t* places, const uint16_t* w, const WinogradWeights& shape,
                         int64_t n);
  // [element type of dw]
  void (*weights_gradient[2])(void* dw, const float* m, const int64_t* places, const WinogradWeights& shape, int64_t n);
};

// Null where this CPU does not multiply bf16 or OSTRICH_MAX_ISA keeps it from it.
const Bf16Table* bf16_table();

namespace avx512_bf16 {
void add_pairs(Bf16Table& table);
void add_product(Bf16Table& table);
void add_winograd(Bf16Table& table);
}  // namespace avx512_bf16

}  // namespace ostrich::cpu::simd
