// Local response normalisation of a tile: its rows are brought together as floats, each with its channels side by side
// (or `step` apart), so that a window is a sum of shifted rows whatever the layout.
#include "math/lrn.h"

#include "cpu/simd/parts.h"

namespace ostrich::cpu::simd::OSTRICH_ISA {
namespace {

// kBlock: the length of a run where it is known when compiled, else 0.
template <class Kind, int kBlock>
inline __attribute__((always_inline)) void load_runs(float* rows, int64_t pitch, const typename Kind::Stored* x,
                                                     const LrnTile& tile) {
  const int64_t block = kBlock > 0 ? kBlock : tile.block;
  for (int64_t b = 0; b < tile.blocks; ++b) {
    for (int64_t row = 0; row < tile.rows; ++row) {
      const auto* from = x + row * tile.row_stride + b * tile.block_stride;
      float* to = rows + row * pitch + b * block;
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
  for (int64_t i = 0; i < n; ++i) sum[i] = x[i];
  for (int64_t j = step; j <= half * step; j += step) {
    for (int64_t i = 0; i < n; ++i) sum[i] += x[i - j] + x[i + j];
  }
}

// What a tile's scratch is cut into: rows of x (and of dy), one row of sums, one row between `pad` zeros on either
// side.
struct Scratch {
  Scratch(float* data, const LrnTile& tile, int64_t half, int inputs) : n(tile.blocks * tile.block) {
    const int64_t pad = half * tile.step;
    x = data;
    dy = x + tile.rows * n;
    sum = x + inputs * tile.rows * n;
    padded = sum + n + pad;
    for (int64_t i = 1; i <= pad; ++i) padded[-i] = padded[n + i - 1] = 0;
  }
  int64_t n;
  float *x, *dy, *sum, *padded;
};

template <class Power>
void normalise(const Scratch& at, float* __restrict x, const LrnTile& tile, const LrnFactors& f) {
  float* __restrict padded = at.padded;
  const float* __restrict sum = at.sum;
  const float alpha = f.alpha, beta = f.beta, k = f.k;
  for (int64_t i = 0; i < at.n; ++i) padded[i] = x[i] * x[i];
  window_sums(at.sum, padded, at.n, f.half, tile.step);
  for (int64_t i = 0; i < at.n; ++i) x[i] *= Power::inverse(k + alpha * sum[i], beta);
}

// dx takes the place of dy: dy s^-beta - 2 alpha beta x W(dy x s^(-beta - 1)), s = k + alpha W(x^2).
template <class Power>
void differentiate(const Scratch& at, float* __restrict dy, const float* __restrict x, const LrnTile& tile,
                   const LrnFactors& f) {
  float* __restrict padded = at.padded;
  const float* __restrict sum = at.sum;
  const float alpha = f.alpha, beta = f.beta, k = f.k, twice = -2 * f.alpha * f.beta;
  for (int64_t i = 0; i < at.n; ++i) padded[i] = x[i] * x[i];
  window_sums(at.sum, padded, at.n, f.half, tile.step);
  for (int64_t i = 0; i < at.n; ++i) {
    const float s = k + alpha * sum[i], direct = dy[i] * Power::inverse(s, beta);
    padded[i] = direct * x[i] / s;
    dy[i] = direct;
  }
  window_sums(at.sum, padded, at.n, f.half, tile.step);
  for (int64_t i = 0; i < at.n; ++i) dy[i] += twice * x[i] * sum[i];
}

template <class Kind>
void lrn(void* y, const void* x, const LrnTile& tile, const LrnFactors& factors, float* scratch) {
  const Scratch at(scratch, tile, factors.half, 1);
  load_rows<Kind>(at.x, at.n, x, tile);
  const auto normalise_row = factors.beta == 0.75f ? normalise<math::ThreeQuarters> : normalise<math::AnyPower>;
  for (int64_t row = 0; row < tile.rows; ++row) normalise_row(at, at.x + row * at.n, tile, factors);
  store_rows<Kind>(y, at.x, at.n, tile);
}

template <class Kind>
void lrn_grad(void* dx, const void* dy, const void* x, const LrnTile& tile, const LrnFactors& factors, float* scratch) {
  const Scratch at(scratch, tile, factors.half, 2);
  load_rows<Kind>(at.x, at.n, x, tile);
  load_rows<Kind>(at.dy, at.n, dy, tile);
  const auto gradient = factors.beta == 0.75f ? differentiate<math::ThreeQuarters> : differentiate<math::AnyPower>;
  for (int64_t row = 0; row < tile.rows; ++row) gradient(at, at.dy + row * at.n, at.x + row * at.n, tile, factors);
  store_rows<Kind>(dx, at.dy, at.n, tile);
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
