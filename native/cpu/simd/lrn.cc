// Local response normalisation of a tile: its rows are brought together as floats, each with its channels side by side
// (or `step` apart), so that a window is a sum of shifted rows whatever the layout.
#include "math/lrn.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <cfloat>

#include "cpu/simd/parts.h"

namespace ostrich::cpu::simd::OSTRICH_ISA {
namespace {

// kBlock: the length of a run where it is known when compiled, else 0.
template <class Kind, int kBlock>
inline __attribute__((always_inline)) void load_runs(float* rows, int64_t pitch, const typename Kind::Stored* x,
                                                     const LrnTile& tile) {
  const int64_t block = kBlock > 0 ? kBlock : tile.block;
  // To the next tile, asked for now: a processor foresees fewer runs at a time than there are blocks.
  const int64_t next = tile.rows > 1 ? tile.rows * tile.row_stride : block;
  for (int64_t b = 0; b < tile.blocks; ++b) {
    for (int64_t row = 0; row < tile.rows; ++row) {
      const auto* from = x + row * tile.row_stride + b * tile.block_stride;
      float* to = rows + row * pitch + b * block;
      __builtin_prefetch(from + next);
      for (int64_t i = 0; i < block; ++i) to[i] = Kind::load(from[i]);
    }
  }
}

template <class Kind, int kBlock>
inline __attribute__((always_inline)) void store_runs(typename Kind::Stored* y, const float* rows, int64_t pitch,
                                                      const LrnTile& tile) {
  const int64_t block = kBlock > 0 ? kBlock : tile.block;
  for (int64_t b = 0; b < tile.blocks; ++b) {
    for (int64_t row = 0; row < tile.rows; ++row) {
      auto* to = y + row * tile.row_stride + b * tile.block_stride;
      const float* from = rows + row * pitch + b * block;
      for (int64_t i = 0; i < block; ++i) to[i] = Kind::store(from[i]);
    }
  }
}

template <class Kind>
void load_rows(float* rows, int64_t pitch, const void* x, const LrnTile& tile) {
  const auto* from = static_cast<const typename Kind::Stored*>(x);
  if (tile.block == 8) return load_runs<Kind, 8>(rows, pitch, from, tile);
  if (tile.block == 16) return load_runs<Kind, 16>(rows, pitch, from, tile);
  load_runs<Kind, 0>(rows, pitch, from, tile);
}

template <class Kind>
void store_rows(void* y, const float* rows, int64_t pitch, const LrnTile& tile) {
  auto* to = static_cast<typename Kind::Stored*>(y);
  if (tile.block == 8) return store_runs<Kind, 8>(to, rows, pitch, tile);
  if (tile.block == 16) return store_runs<Kind, 16>(to, rows, pitch, tile);
  store_runs<Kind, 0>(to, rows, pitch, tile);
}

// sum[i] = x[i] and what lies up to `half` steps to either side of it.
void window_sums(float* __restrict sum, const float* __restrict x, int64_t n, int64_t half, int64_t step) {
  // The size of 5 of every published network, in one pass.
  if (half == 2) {
    for (int64_t i = 0; i < n; ++i) {
      sum[i] = x[i] + (x[i - step] + x[i + step]) + (x[i - 2 * step] + x[i + 2 * step]);
    }
    return;
  }
  for (int64_t i = 0; i < n; ++i) sum[i] = x[i];
  for (int64_t j = step; j <= half * step; j += step) {
    for (int64_t i = 0; i < n; ++i) sum[i] += x[i - j] + x[i + j];
  }
}

// What a tile's scratch is cut into: x (and dy), sums, and what they are sums of. Each has its rows one after another
// with `pad` elements before, between and behind them, so that all rows are one run; in what is summed those are zero.
// A pass over all rows at a time, not over one: what it stores is then in the cache before shifted loads ask for it.
struct Scratch {
  Scratch(float* data, const LrnTile& tile, int64_t half, int inputs)
      : pad(half * tile.step), pitch(tile.blocks * tile.block + pad), run(tile.rows * pitch - pad) {
    const int64_t each = run + 2 * pad;
    x = data + pad;
    dy = x + (inputs - 1) * each;
    sum = dy + each;
    padded = sum + each;
  }
  void clear_pads(float* rows) const {
    for (int64_t at = -pad; at <= run; at += pitch) std::fill_n(rows + at, pad, 0.0f);
  }
  int64_t pad, pitch, run;
  float *x, *dy, *sum, *padded;
};

// In a run: p = s^-beta and, where it is wanted, inverse = 1 / s, of s = k + alpha * sum; p may be sum.
struct AnyPowers {
  static void row(float* p, float* inverse, const float* sum, int64_t n, const LrnFactors& f) {
    const float alpha = f.alpha, beta = f.beta, k = f.k;
    for (int64_t i = 0; i < n; ++i) {
      const float s = k + alpha * sum[i];
      if (inverse != nullptr) inverse[i] = 1 / s;
      p[i] = math::AnyPower().inverse(s, beta);
    }
  }
};

#if defined(__AVX2__)
#if defined(__AVX512F__)
using Vector = __m512;
// Forms with a mask: the others warn of values that GCC 12's own headers leave unset.
constexpr __mmask16 kAll = 0xffff;
inline Vector guess(Vector x) { return _mm512_maskz_rsqrt14_ps(kAll, x); }
inline Vector load(const float* x) { return _mm512_loadu_ps(x); }
inline void store(float* y, Vector x) { _mm512_storeu_ps(y, x); }
inline Vector all(float x) { return _mm512_set1_ps(x); }
inline Vector smaller(Vector a, Vector b) { return _mm512_maskz_min_ps(kAll, a, b); }
inline Vector larger(Vector a, Vector b) { return _mm512_maskz_max_ps(kAll, a, b); }
#else
using Vector = __m256;
inline Vector guess(Vector x) { return _mm256_rsqrt_ps(x); }
inline Vector load(const float* x) { return _mm256_loadu_ps(x); }
inline void store(float* y, Vector x) { _mm256_storeu_ps(y, x); }
inline Vector all(float x) { return _mm256_set1_ps(x); }
inline Vector smaller(Vector a, Vector b) { return _mm256_min_ps(a, b); }
inline Vector larger(Vector a, Vector b) { return _mm256_max_ps(a, b); }
#endif

// A NaN, always the second operand, stays one.
inline Vector normal(Vector x) { return larger(all(FLT_MIN), smaller(all(FLT_MAX), x)); }

// x^-1/2 for normal x: the guess of 12 or 14 bits and one step of Newton's, 22 bits or more.
inline Vector inverse_root(Vector x) {
  const Vector r = guess(x);
  return r + all(0.5f) * r * (all(1) - x * r * r);
}
#endif

// beta = 3/4: root and division cost several times as much as the two guesses.
struct ThreeQuarterPowers {
  static void row(float* p, float* inverse, const float* sum, int64_t n, const LrnFactors& f) {
    int64_t i = 0;
#if defined(__AVX2__)
    constexpr int64_t kLanes = sizeof(Vector) / sizeof(float);
    for (; i + kLanes <= n; i += kLanes) {
      const Vector r = inverse_root(normal(all(f.k) + all(f.alpha) * load(sum + i)));
      if (inverse != nullptr) store(inverse + i, r * r);
      store(p + i, r * r * inverse_root(r));
    }
#endif
    for (; i < n; ++i) {
      const float s = f.k + f.alpha * sum[i];
      if (inverse != nullptr) inverse[i] = 1 / s;
      p[i] = math::ThreeQuarters().inverse(s, f.beta);
    }
  }
};

// sum = W(x^2)
void energies(const Scratch& at, const LrnTile& tile, const LrnFactors& f) {
  float* __restrict padded = at.padded;
  const float* __restrict x = at.x;
  at.clear_pads(at.x);
  for (int64_t i = -at.pad; i < at.run + at.pad; ++i) padded[i] = x[i] * x[i];
  window_sums(at.sum, padded, at.run, f.half, tile.step);
}

// x s^-beta takes the place of x, s = k + alpha W(x^2).
template <class Powers>
void normalise(const Scratch& at, const LrnTile& tile, const LrnFactors& f) {
  energies(at, tile, f);
  Powers::row(at.sum, nullptr, at.sum, at.run, f);
  float* __restrict x = at.x;
  const float* __restrict p = at.sum;
  for (int64_t i = 0; i < at.run; ++i) x[i] *= p[i];
}

// dx takes the place of dy: dy s^-beta - 2 alpha beta x W(dy x s^(-beta - 1)).
template <class Powers>
void differentiate(const Scratch& at, const LrnTile& tile, const LrnFactors& f) {
  energies(at, tile, f);
  Powers::row(at.sum, at.padded, at.sum, at.run, f);
  float* __restrict padded = at.padded, * __restrict dy = at.dy;
  const float* __restrict sum = at.sum, * __restrict x = at.x;
  const float twice = -2 * f.alpha * f.beta;
  for (int64_t i = 0; i < at.run; ++i) {
    dy[i] *= sum[i];
    padded[i] *= dy[i] * x[i];
  }
  at.clear_pads(padded);  // not finite where a neighbour is not
  window_sums(at.sum, padded, at.run, f.half, tile.step);
  for (int64_t i = 0; i < at.run; ++i) dy[i] += twice * x[i] * sum[i];
}

template <class Kind>
void lrn(void* y, const void* x, const LrnTile& tile, const LrnFactors& factors, float* scratch) {
  const Scratch at(scratch, tile, factors.half, 1);
  load_rows<Kind>(at.x, at.pitch, x, tile);
  (factors.beta == 0.75f ? normalise<ThreeQuarterPowers> : normalise<AnyPowers>)(at, tile, factors);
  store_rows<Kind>(y, at.x, at.pitch, tile);
}

template <class Kind>
void lrn_grad(void* dx, const void* dy, const void* x, const LrnTile& tile, const LrnFactors& factors, float* scratch) {
  const Scratch at(scratch, tile, factors.half, 2);
  load_rows<Kind>(at.x, at.pitch, x, tile);
  load_rows<Kind>(at.dy, at.pitch, dy, tile);
  (factors.beta == 0.75f ? differentiate<ThreeQuarterPowers> : differentiate<AnyPowers>)(at, tile, factors);
  store_rows<Kind>(dx, at.dy, at.pitch, tile);
}

template <class Kind>
void add_kind(Table& table, FloatKind kind) {
  table.lrn[kind] = lrn<Kind>;
  table.lrn_grad[kind] = lrn_grad<Kind>;
}

}  // namespace

void add_lrn(Table& table) {
  add_kind<F32>(table, kF32);
  add_kind<Bf16>(table, kBf16);
}

}  // namespace ostrich::cpu::simd::OSTRICH_ISA
