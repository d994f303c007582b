// Products of bf16 in f32: the accumulators of up to 12 rows and 32 columns stay in registers while k runs.
#include <immintrin.h>

#include <cstring>

#include "cpu/simd/bf16/bf16_table.h"

namespace ostrich::cpu::simd::avx512_bf16 {
namespace {

constexpr int64_t kLanes = 16, kColumns = Bf16Table::kColumns;
constexpr int kRows = 12;

#define OSTRICH_INLINE inline __attribute__((always_inline))

// Two elements that are multiplied and summed at once.
OSTRICH_INLINE __m512bh broadcast(const uint16_t* pair) {
  int32_t bits;
  std::memcpy(&bits, pair, sizeof(bits));
  return (__m512bh)_mm512_set1_epi32(bits);
}

// Pair i of row r of `a` lies at r * row + i * step elements.
template <int kCount>
OSTRICH_INLINE void some_rows(float* c, int64_t c_row, const uint16_t* a, int64_t row, int64_t step, const uint16_t* b,
                              int64_t pairs, bool add) {
  __m512 sum[kCount][2];
#pragma GCC unroll 12
  for (int r = 0; r < kCount; ++r) {
    sum[r][0] = add ? _mm512_loadu_ps(c + r * c_row) : _mm512_setzero_ps();
    sum[r][1] = add ? _mm512_loadu_ps(c + r * c_row + kLanes) : _mm512_setzero_ps();
  }
  // Every third row has a pointer of its own: all twelve would not fit the address registers.
  const uint16_t* thirds[(kCount + 2) / 3];
#pragma GCC unroll 4
  for (int third = 0; third * 3 < kCount; ++third) thirds[third] = a + third * 3 * row;
  for (int64_t i = 0; i < pairs; ++i) {
    const __m512bh left = (__m512bh)_mm512_loadu_si512(b + i * kColumns * 2);
    const __m512bh right = (__m512bh)_mm512_loadu_si512(b + i * kColumns * 2 + kLanes * 2);
#pragma GCC unroll 12
    for (int r = 0; r < kCount; ++r) {
      const __m512bh factor = broadcast(thirds[r / 3] + r % 3 * row + i * step);
      sum[r][0] = _mm512_dpbf16_ps(sum[r][0], factor, left);
      sum[r][1] = _mm512_dpbf16_ps(sum[r][1], factor, right);
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < kCount; ++r) {
    _mm512_storeu_ps(c + r * c_row, sum[r][0]);
    _mm512_storeu_ps(c + r * c_row + kLanes, sum[r][1]);
  }
}

template <int kCount>
void rows_product(float* c, int64_t c_row, const uint16_t* a, int64_t row, const uint16_t* b, int64_t pairs) {
  some_rows<kCount>(c, c_row, a, row, 2, b, pairs, false);
}

template <int kCount>
void columns_product(float* c, int64_t c_row, const uint16_t* a, const uint16_t* b, int64_t pairs, bool add) {
  some_rows<kCount>(c, c_row, a, 2, kColumns * 2, b, pairs, add);
}

// Calls rows_product for the number of rows that are left, at most kCount.
template <int kCount>
void last_rows(int64_t rows, float* c, int64_t c_row, const uint16_t* a, int64_t a_row, const uint16_t* b,
               int64_t pairs) {
  if (rows >= kCount) {
    rows_product<kCount>(c, c_row, a, a_row, b, pairs);
  } else if constexpr (kCount > 1) {
    last_rows<kCount - 1>(rows, c, c_row, a, a_row, b, pairs);
  }
}

void product(float* c, int64_t c_row, const uint16_t* a, int64_t a_row, int64_t rows, const uint16_t* b,
             int64_t pairs) {
  const int64_t groups = (rows + kRows - 1) / kRows, height = (rows + groups - 1) / groups;
  for (int64_t row = 0; row < rows; row += height) {
    const int64_t count = rows - row < height ? rows - row : height;
    last_rows<kRows>(count, c + row * c_row, c_row, a + row * a_row, a_row, b, pairs);
  }
}

void packed_product(float* c, int64_t c_row, const uint16_t* a, const uint16_t* b, int64_t pairs, bool add) {
  static_assert(kColumns == 11 + 11 + 10);
  columns_product<11>(c, c_row, a, b, pairs, add);
  columns_product<11>(c + 11 * c_row, c_row, a + 22, b, pairs, add);
  columns_product<10>(c + 22 * c_row, c_row, a + 44, b, pairs, add);
}

}  // namespace

void add_product(Bf16Table& table) {
  table.product = product;
  table.packed_product = packed_product;
}

}  // namespace ostrich::cpu::simd::avx512_bf16
