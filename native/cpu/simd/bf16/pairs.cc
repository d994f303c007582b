// Between the two packings of a matrix of bf16: pairs of neighbouring rows side by side, and pairs of columns.
#include <immintrin.h>

#include "cpu/simd/bf16/bf16_table.h"

namespace ostrich::cpu::simd::avx512_bf16 {
namespace {

constexpr int kRows = Bf16Table::kPairTile / 2;

using Row = int64_t __attribute__((vector_size(kRows * 8)));

// Rows of eight times 64 bits become columns.
void transpose(Row* x) {
  Row y[kRows];
#pragma GCC unroll 4
  for (int i = 0; i < kRows; i += 2) {
    y[i] = __builtin_shufflevector(x[i], x[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    y[i + 1] = __builtin_shufflevector(x[i], x[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
  // y[2 i + odd]: of rows 2 i and 2 i + 1, columns odd, odd + 2, .. by quarters of a register.
  Row z[kRows];
#pragma GCC unroll 2
  for (int half = 0; half < kRows; half += 4) {
#pragma GCC unroll 2
    for (int odd = 0; odd < 2; ++odd) {
      z[half + odd] = __builtin_shufflevector(y[half + odd], y[half + odd + 2], 0, 1, 4, 5, 8, 9, 12, 13);
      z[half + odd + 2] = __builtin_shufflevector(y[half + odd], y[half + odd + 2], 2, 3, 6, 7, 10, 11, 14, 15);
    }
  }
  // z[half + odd + 2 k]: of rows half to half + 3, columns odd + 2 k and odd + 2 k + 4.
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    x[i] = __builtin_shufflevector(z[i], z[i + 4], 0, 1, 4, 5, 8, 9, 12, 13);
    x[i + 4] = __builtin_shufflevector(z[i], z[i + 4], 2, 3, 6, 7, 10, 11, 14, 15);
  }
}

void transpose_pairs(uint16_t* to, int64_t to_row, const uint16_t* from, int64_t from_row) {
  // Two pairs of each row and of each column make a square of 64 bits, whose second and third element change places.
  constexpr int64_t kFirst = 0x0706030205040100, kSecond = 0x0f0e0b0a0d0c0908;
  const __m512i turn = _mm512_set4_epi64(kSecond, kFirst, kSecond, kFirst);
  Row x[kRows];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) x[i] = (Row)_mm512_shuffle_epi8(_mm512_loadu_si512(from + i * from_row), turn);
  transpose(x);
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) _mm512_storeu_si512(to + i * to_row, (__m512i)x[i]);
}

}  // namespace

void add_pairs(Bf16Table& table) { table.transpose_pairs = transpose_pairs; }

}  // namespace ostrich::cpu::simd::avx512_bf16
