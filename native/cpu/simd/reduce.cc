// Sums, maxima and their places. A sum runs in 64 interleaved partial sums whatever the vector length is, so every
// instruction set gives the same bits. Maxima pass NaN through; argmax gives the first maximum, or the first NaN.
#include "cpu/simd/parts.h"

namespace ostrich::cpu::simd::OSTRICH_ISA {
namespace {

constexpr int kLanes = 64;
constexpr int64_t kRun = 8192;  // elements summed in f32 before the total goes to a double

template <class T>
inline __attribute__((always_inline)) T larger(T a, T b) {
  return a > b || a != a ? a : b;
}

inline __attribute__((always_inline)) float term(float x, bool squared) { return squared ? x * x : x; }

template <class Kind, bool squared>
float sum_run(const typename Kind::Stored* x, int64_t n) {
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) lanes[j] += term(Kind::load(x[i + j]), squared);
  }
  for (int j = 0; i + j < n; ++j) lanes[j] += term(Kind::load(x[i + j]), squared);
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int j = 0; j < width; ++j) lanes[j] += lanes[j + width];
  }
  return lanes[0];
}

template <class Kind, bool squared>
double sum(const void* data, int64_t n) {
  const auto* x = static_cast<const typename Kind::Stored*>(data);
  double total = 0;
  for (int64_t i = 0; i < n; i += kRun) total += double(sum_run<Kind, squared>(x + i, n - i < kRun ? n - i : kRun));
  return total;
}

template <class Stored, class T, T (*load)(Stored)>
inline __attribute__((always_inline)) T max_run(const Stored* x, int64_t n) {
  T best = load(x[0]);
  int64_t i = 0;
  if (n >= kLanes) {
    T lanes[kLanes];
    for (int j = 0; j < kLanes; ++j) lanes[j] = load(x[j]);
    for (i = kLanes; i + kLanes <= n; i += kLanes) {
      for (int j = 0; j < kLanes; ++j) lanes[j] = larger(lanes[j], load(x[i + j]));
    }
    for (int width = kLanes / 2; width > 0; width /= 2) {
      for (int j = 0; j < width; ++j) lanes[j] = larger(lanes[j], lanes[j + width]);
    }
    best = lanes[0];
  }
  for (; i < n; ++i) best = larger(best, load(x[i]));
  return best;
}

inline __attribute__((always_inline)) int32_t load_i32(int32_t x) { return x; }

template <class Kind>
float max(const void* x, int64_t n) {
  using Stored = typename Kind::Stored;
  return max_run<Stored, float, Kind::load>(static_cast<const Stored*>(x), n);
}

int32_t max_i32(const int32_t* x, int64_t n) { return max_run<int32_t, int32_t, load_i32>(x, n); }

template <class Kind>
int64_t argmax(const void* data, int64_t n) {
  const auto* x = static_cast<const typename Kind::Stored*>(data);
  const float best = max<Kind>(data, n);
  for (int64_t i = 0; i < n; ++i) {
    const float value = Kind::load(x[i]);
    if (value == best || value != value) return i;
  }
  return 0;
}

// y (+)= the sum of `rows` rows, at most four, in one sweep over the columns.
template <class Kind, int rows, bool first>
inline __attribute__((always_inline)) void sum_few(float* y, const typename Kind::Stored* x, const int64_t* offsets,
                                                   int64_t cols) {
  const auto* r0 = x + offsets[0];
  const auto* r1 = x + offsets[rows > 1 ? 1 : 0];
  const auto* r2 = x + offsets[rows > 2 ? 2 : 0];
  const auto* r3 = x + offsets[rows > 3 ? 3 : 0];
#pragma GCC ivdep
  for (int64_t j = 0; j < cols; ++j) {
    float value = Kind::load(r0[j]);
    if (rows == 4) value = (value + Kind::load(r1[j])) + (Kind::load(r2[j]) + Kind::load(r3[j]));
    y[j] = first ? value : y[j] + value;
  }
}

template <class Kind>
void sum_rows(float* y, const void* data, const int64_t* offsets, int64_t rows, int64_t cols) {
  const auto* x = static_cast<const typename Kind::Stored*>(data);
  int64_t r = rows >= 4 ? 4 : 1;
  if (r == 4) {
    sum_few<Kind, 4, true>(y, x, offsets, cols);
  } else {
    sum_few<Kind, 1, true>(y, x, offsets, cols);
  }
  for (; r + 4 <= rows; r += 4) sum_few<Kind, 4, false>(y, x, offsets + r, cols);
  for (; r < rows; ++r) sum_few<Kind, 1, false>(y, x, offsets + r, cols);
}

template <class Stored, class T, T (*load)(Stored)>
inline __attribute__((always_inline)) void max_columns(T* y, const Stored* x, const int64_t* offsets, int64_t rows,
                                                       int64_t cols) {
  for (int64_t j = 0; j < cols; ++j) y[j] = load(x[offsets[0] + j]);
  for (int64_t r = 1; r < rows; ++r) {
    const Stored* row = x + offsets[r];
#pragma GCC ivdep
    for (int64_t j = 0; j < cols; ++j) y[j] = larger(y[j], load(row[j]));
  }
}

template <class Kind>
void max_rows(float* y, const void* x, const int64_t* offsets, int64_t rows, int64_t cols) {
  using Stored = typename Kind::Stored;
  max_columns<Stored, float, Kind::load>(y, static_cast<const Stored*>(x), offsets, rows, cols);
}

void max_rows_i32(int32_t* y, const int32_t* x, const int64_t* offsets, int64_t rows, int64_t cols) {
  max_columns<int32_t, int32_t, load_i32>(y, x, offsets, rows, cols);
}

template <class Kind>
void argmax_row(float* best, int32_t* index, const void* data, int32_t row, int64_t cols) {
  const auto* x = static_cast<const typename Kind::Stored*>(data);
#pragma GCC ivdep
  for (int64_t j = 0; j < cols; ++j) {
    const float value = Kind::load(x[j]), old = best[j];
    const bool better = row == 0 || value > old || (value != value && old == old);
    best[j] = better ? value : old;
    index[j] = better ? row : index[j];
  }
}

template <class Kind>
void add_row(float* y, const void* data, int64_t n) {
  const auto* x = static_cast<const typename Kind::Stored*>(data);
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) y[i] += Kind::load(x[i]);
}

template <class Kind>
void add_kind(Table& table, FloatKind kind) {
  table.sum[kind] = sum<Kind, false>;
  table.sum_squares[kind] = sum<Kind, true>;
  table.max[kind] = max<Kind>;
  table.argmax[kind] = argmax<Kind>;
  table.sum_rows[kind] = sum_rows<Kind>;
  table.max_rows[kind] = max_rows<Kind>;
  table.argmax_row[kind] = argmax_row<Kind>;
  table.add_row[kind] = add_row<Kind>;
}

}  // namespace

void add_reduce(Table& table) {
  add_kind<F32>(table, kF32);
  add_kind<Bf16>(table, kBf16);
  table.max_i32 = max_i32;
  table.max_rows_i32 = max_rows_i32;
}

}  // namespace ostrich::cpu::simd::OSTRICH_ISA
