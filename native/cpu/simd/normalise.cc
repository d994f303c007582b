// Normalisations: moments, affine maps and their gradients, over a run of one channel or over rows of several channels
// side by side; and over a row of features of which each has factors of its own. A tile is summed in f32 in an order
// that its extents alone decide.
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "cpu/simd/parts.h"

namespace ostrich::cpu::simd::OSTRICH_ISA {
namespace {

constexpr int kLanes = 32;  // partial sums of a run

inline __attribute__((always_inline)) float joined(float* lanes) {
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int j = 0; j < width; ++j) lanes[j] += lanes[j + width];
  }
  return lanes[0];
}

// Sums of two terms over n elements: term(i, &a, &b) adds to both.
template <class Term>
inline __attribute__((always_inline)) void sum_two(float* sums, int64_t n, Term term) {
  float a[kLanes] = {}, b[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) term(i + j, a[j], b[j]);
  }
  for (int j = 0; i + j < n; ++j) term(i + j, a[j], b[j]);
  sums[0] = joined(a);
  sums[1] = joined(b);
}

template <class Term>
inline __attribute__((always_inline)) float sum_one(int64_t n, Term term) {
  float a[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) a[j] += term(i + j);
  }
  for (int j = 0; i + j < n; ++j) a[j] += term(i + j);
  return joined(a);
}

// body(columns at a time, first column) over the channels of a row.
template <class Body>
inline __attribute__((always_inline)) void for_columns(int64_t width, Body body) {
  int64_t c = 0;
  for (; c + 16 <= width; c += 16) body(std::integral_constant<int, 16>(), c);
  for (; c + 8 <= width; c += 8) body(std::integral_constant<int, 8>(), c);
  for (; c < width; ++c) body(std::integral_constant<int, 1>(), c);
}

template <class Kind>
void moments(float* mean, float* squares, const void* data, const NormTile& tile) {
  const auto* x = static_cast<const typename Kind::Stored*>(data);
  const float count = float(tile.rows);
  if (tile.width == 1) {
    const float m = sum_one(tile.rows, [&](int64_t i) { return Kind::load(x[i]); }) / count;
    mean[0] = m;
    squares[0] = sum_one(tile.rows, [&](int64_t i) {
      const float d = Kind::load(x[i]) - m;
      return d * d;
    });
    return;
  }
  for_columns(tile.width, [&](auto columns, int64_t c) {
    constexpr int W = decltype(columns)::value;
    float sum[W] = {}, square[W] = {};
    for (int64_t r = 0; r < tile.rows; ++r) {
      for (int j = 0; j < W; ++j) sum[j] += Kind::load(x[r * tile.stride + c + j]);
    }
    for (int j = 0; j < W; ++j) sum[j] /= count;
    for (int64_t r = 0; r < tile.rows; ++r) {
      for (int j = 0; j < W; ++j) {
        const float d = Kind::load(x[r * tile.stride + c + j]) - sum[j];
        square[j] += d * d;
      }
    }
    for (int j = 0; j < W; ++j) mean[c + j] = sum[j], squares[c + j] = square[j];
  });
}

template <bool relu>
inline __attribute__((always_inline)) float activated(float x) {
  return relu && x < 0.0f ? 0.0f : x;
}

template <class Kind, bool residual, bool relu>
void affine_as(void* to, const void* from, const void* added, const NormTile& tile, const float* a, const float* b) {
  using Stored = typename Kind::Stored;
  auto* y = static_cast<Stored*>(to);
  const auto *x = static_cast<const Stored*>(from), *rest = static_cast<const Stored*>(added);
  const auto each = [&](int64_t i, float scale, float shift) __attribute__((always_inline)) {
    const float value = scale * Kind::load(x[i]) + shift;
    y[i] = Kind::store(activated<relu>(residual ? value + Kind::load(rest[i]) : value));
  };
  if (tile.width == 1) {
    const float scale = a[0], shift = b[0];
#pragma GCC ivdep
    for (int64_t i = 0; i < tile.rows; ++i) each(i, scale, shift);
    return;
  }
  for_columns(tile.width, [&](auto columns, int64_t c) {
    constexpr int W = decltype(columns)::value;
    float scale[W], shift[W];
    for (int j = 0; j < W; ++j) scale[j] = a[c + j], shift[j] = b[c + j];
    for (int64_t r = 0; r < tile.rows; ++r) {
#pragma GCC ivdep
      for (int j = 0; j < W; ++j) each(r * tile.stride + c + j, scale[j], shift[j]);
    }
  });
}

template <class Kind>
void affine(void* y, const void* x, const void* residual, const NormTile& tile, const float* a, const float* b,
            bool relu) {
  if (residual == nullptr) {
    return (relu ? affine_as<Kind, false, true> : affine_as<Kind, false, false>)(y, x, residual, tile, a, b);
  }
  (relu ? affine_as<Kind, true, true> : affine_as<Kind, true, false>)(y, x, residual, tile, a, b);
}

// dy, or 0 where relu made a x + b zero: by a mask of its bits, since a branch around the load of dy is not vectorised.
template <bool relu>
inline __attribute__((always_inline)) float masked(float dy, float x, float a, float b) {
  if (!relu) return dy;
  const uint32_t keep = a * x + b > 0.0f ? ~0u : 0u;
  uint32_t bits;
  std::memcpy(&bits, &dy, sizeof bits);
  bits &= keep;
  std::memcpy(&dy, &bits, sizeof bits);
  return dy;
}

template <class Kind, bool relu>
void grad_sums_as(float* sum, float* product, const void* dy_data, const void* x_data, const NormTile& tile,
                  const NormFactors& f) {
  using Stored = typename Kind::Stored;
  const auto *dy = static_cast<const Stored*>(dy_data), *x = static_cast<const Stored*>(x_data);
  if (tile.width == 1) {
    const float mean = f.mean[0], a = f.a[0], b = f.b[0];
    float sums[2];
    sum_two(sums, tile.rows, [&](int64_t i, float& one, float& two) {
      const float value = Kind::load(x[i]), dz = masked<relu>(Kind::load(dy[i]), value, a, b);
      one += dz;
      two += dz * (value - mean);
    });
    sum[0] = sums[0];
    product[0] = sums[1];
    return;
  }
  for_columns(tile.width, [&](auto columns, int64_t c) {
    constexpr int W = decltype(columns)::value;
    float one[W] = {}, two[W] = {}, mean[W], a[W], b[W];
    for (int j = 0; j < W; ++j) mean[j] = f.mean[c + j], a[j] = f.a[c + j], b[j] = f.b[c + j];
    for (int64_t r = 0; r < tile.rows; ++r) {
      for (int j = 0; j < W; ++j) {
        const int64_t i = r * tile.stride + c + j;
        const float value = Kind::load(x[i]), dz = masked<relu>(Kind::load(dy[i]), value, a[j], b[j]);
        one[j] += dz;
        two[j] += dz * (value - mean[j]);
      }
    }
    for (int j = 0; j < W; ++j) sum[c + j] = one[j], product[c + j] = two[j];
  });
}

template <class Kind>
void grad_sums(float* sum, float* product, const void* dy, const void* x, const NormTile& tile, const NormFactors& f,
               bool relu) {
  (relu ? grad_sums_as<Kind, true> : grad_sums_as<Kind, false>)(sum, product, dy, x, tile, f);
}

// dx = p dz + q (x - mean) + t
template <class Kind, bool relu>
void grad_as(void* to, const void* dy_data, const void* x_data, const NormTile& tile, const NormFactors& f,
             const float* p, const float* q, const float* t) {
  using Stored = typename Kind::Stored;
  auto* dx = static_cast<Stored*>(to);
  const auto *dy = static_cast<const Stored*>(dy_data), *x = static_cast<const Stored*>(x_data);
  if (tile.width == 1) {
    const float mean = f.mean[0], a = f.a[0], b = f.b[0], p0 = p[0], q0 = q[0], t0 = t[0];
#pragma GCC ivdep
    for (int64_t i = 0; i < tile.rows; ++i) {
      const float value = Kind::load(x[i]), dz = masked<relu>(Kind::load(dy[i]), value, a, b);
      dx[i] = Kind::store(p0 * dz + (q0 * (value - mean) + t0));
    }
    return;
  }
  for_columns(tile.width, [&](auto columns, int64_t c) {
    constexpr int W = decltype(columns)::value;
    float mean[W], a[W], b[W], of[3][W];
    for (int j = 0; j < W; ++j) mean[j] = f.mean[c + j], a[j] = f.a[c + j], b[j] = f.b[c + j];
    for (int j = 0; j < W; ++j) of[0][j] = p[c + j], of[1][j] = q[c + j], of[2][j] = t[c + j];
    for (int64_t r = 0; r < tile.rows; ++r) {
#pragma GCC ivdep
      for (int j = 0; j < W; ++j) {
        const int64_t i = r * tile.stride + c + j;
        const float value = Kind::load(x[i]), dz = masked<relu>(Kind::load(dy[i]), value, a[j], b[j]);
        dx[i] = Kind::store(of[0][j] * dz + (of[1][j] * (value - mean[j]) + of[2][j]));
      }
    }
  });
}

template <class Kind>
void grad(void* dx, const void* dy, const void* x, const NormTile& tile, const NormFactors& f, const float* p,
          const float* q, const float* t, bool relu) {
  (relu ? grad_as<Kind, true> : grad_as<Kind, false>)(dx, dy, x, tile, f, p, q, t);
}

template <class Kind>
void features(void* to, const void* from, int64_t n, float mean, float inverse, const float* scale,
              const float* shift) {
  auto* y = static_cast<typename Kind::Stored*>(to);
  const auto* x = static_cast<const typename Kind::Stored*>(from);
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) y[i] = Kind::store((Kind::load(x[i]) - mean) * inverse * scale[i] + shift[i]);
}

// Sums of g = scale dy and of g (x - mean) / std; dx = inverse (g - their means, as they are or times (x - mean) /
// std).
template <class Kind>
void features_grad(void* to, float* dscale, float* dshift, const void* dy_data, const void* x_data, int64_t n,
                   float mean, float inverse, const float* scale) {
  using Stored = typename Kind::Stored;
  auto* dx = static_cast<Stored*>(to);
  const auto *dy = static_cast<const Stored*>(dy_data), *x = static_cast<const Stored*>(x_data);
  float sums[2];
  sum_two(sums, n, [&](int64_t i, float& one, float& two) {
    const float g = Kind::load(dy[i]) * scale[i];
    one += g;
    two += g * ((Kind::load(x[i]) - mean) * inverse);
  });
  const float one = sums[0] / float(n), two = sums[1] / float(n);
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) {
    const float d = Kind::load(dy[i]), hat = (Kind::load(x[i]) - mean) * inverse;
    dscale[i] += d * hat;
    dshift[i] += d;
    dx[i] = Kind::store(inverse * (d * scale[i] - one - hat * two));
  }
}

template <class Kind>
void add_kind(Table& table, FloatKind kind) {
  table.moments[kind] = moments<Kind>;
  table.affine[kind] = affine<Kind>;
  table.norm_grad_sums[kind] = grad_sums<Kind>;
  table.norm_grad[kind] = grad<Kind>;
  table.norm_features[kind] = features<Kind>;
  table.norm_features_grad[kind] = features_grad<Kind>;
}

}  // namespace

void add_normalise(Table& table) {
  add_kind<F32>(table, kF32);
  add_kind<Bf16>(table, kBf16);
}

}  // namespace ostrich::cpu::simd::OSTRICH_ISA
