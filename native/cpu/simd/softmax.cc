// Rows of K logits. A row goes through a buffer of floats that is padded with -infinity to whole vectors, so that rows
// of ten classes are as vectorised as rows of fifty thousand words. Buffers are pieces of the row; one sweep over the
// row keeps a running maximum m and s = sum exp(x - m), rescaled when m grows (Milakov and Gimelshein 2018).
#include "cpu/simd/parts.h"

namespace ostrich::cpu::simd::OSTRICH_ISA {
namespace {

constexpr int64_t kPiece = 1024;
constexpr int kLanes = 16;

struct Running {
  float max, sum;
};

// Elements x[0..n) as floats, padded with -infinity; returns the padded length.
template <class Kind>
inline __attribute__((always_inline)) int64_t load_piece(float* piece, const typename Kind::Stored* x, int64_t n) {
  for (int64_t i = 0; i < n; ++i) piece[i] = Kind::load(x[i]);
  const int64_t padded = (n + kLanes - 1) / kLanes * kLanes;
  for (int64_t i = n; i < padded; ++i) piece[i] = -__builtin_inff();
  return padded;
}

inline float max_of(const float* piece, int64_t padded) {
  float lanes[kLanes];
  for (int j = 0; j < kLanes; ++j) lanes[j] = piece[j];
  for (int64_t i = kLanes; i < padded; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) lanes[j] = piece[i + j] > lanes[j] ? piece[i + j] : lanes[j];
  }
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int j = 0; j < width; ++j) lanes[j] = lanes[j] > lanes[j + width] ? lanes[j] : lanes[j + width];
  }
  return lanes[0];
}

// sum of exp(piece - m)
inline float sum_exp(const float* piece, int64_t padded, float m) {
  float lanes[kLanes] = {};
  for (int64_t i = 0; i < padded; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) lanes[j] += math::exp(piece[i + j] - m);
  }
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int j = 0; j < width; ++j) lanes[j] += lanes[j + width];
  }
  return lanes[0];
}

template <class Kind>
Running scan_row(const typename Kind::Stored* x, int64_t k) {
  alignas(64) float piece[kPiece];
  Running row{-__builtin_inff(), 0.0f};
  for (int64_t i = 0; i < k; i += kPiece) {
    const int64_t padded = load_piece<Kind>(piece, x + i, k - i < kPiece ? k - i : kPiece);
    const float top = max_of(piece, padded), max = top > row.max ? top : row.max;
    // Of a row of -infinity nothing is larger: 0 in place of -infinity keeps the differences defined.
    const float base = max == -__builtin_inff() ? 0.0f : max;
    const float rest = i == 0 ? 0.0f : row.sum * math::exp(row.max - base);
    row.sum = rest + sum_exp(piece, padded, base);
    row.max = max;
  }
  return row;
}

template <class Kind>
void log_sum_exp(float* parts, const void* x, int64_t k) {
  const Running row = scan_row<Kind>(static_cast<const typename Kind::Stored*>(x), k);
  parts[0] = row.max;
  parts[1] = math::log(row.sum);
}

// y = f(x) element by element, through padded pieces.
template <class Kind, class F>
inline __attribute__((always_inline)) void map_row(typename Kind::Stored* y, const typename Kind::Stored* x, int64_t k,
                                                   F f) {
  alignas(64) float piece[kPiece];
  for (int64_t i = 0; i < k; i += kPiece) {
    const int64_t n = k - i < kPiece ? k - i : kPiece, padded = load_piece<Kind>(piece, x + i, n);
    for (int64_t j = 0; j < padded; j += kLanes) {
      for (int lane = 0; lane < kLanes; ++lane) piece[j + lane] = f(piece[j + lane]);
    }
    for (int64_t j = 0; j < n; ++j) y[i + j] = Kind::store(piece[j]);
  }
}

template <class Kind>
void softmax(void* y, const void* x, int64_t k) {
  using Stored = typename Kind::Stored;
  const auto* in = static_cast<const Stored*>(x);
  const Running row = scan_row<Kind>(in, k);
  const float max = row.max, scale = 1.0f / row.sum;
  map_row<Kind>(static_cast<Stored*>(y), in, k, [=](float v) { return math::exp(v - max) * scale; });
}

template <class Kind>
void log_softmax(void* y, const void* x, int64_t k) {
  using Stored = typename Kind::Stored;
  const auto* in = static_cast<const Stored*>(x);
  const Running row = scan_row<Kind>(in, k);
  const float max = row.max, log_sum = math::log(row.sum);
  map_row<Kind>(static_cast<Stored*>(y), in, k, [=](float v) { return (v - max) - log_sum; });
}

template <class Kind>
float sum_from(const void* x, int64_t k, float from) {
  const auto* in = static_cast<const typename Kind::Stored*>(x);
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= k; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) lanes[j] += Kind::load(in[i + j]) - from;
  }
  for (int j = 0; i < k; ++i, ++j) lanes[j] += Kind::load(in[i]) - from;
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int j = 0; j < width; ++j) lanes[j] += lanes[j + width];
  }
  return lanes[0];
}

template <class Kind>
void cross_entropy_grad(void* dx, const void* x, int64_t k, int64_t label, const float* parts, float dloss, float own,
                        float spread) {
  using Stored = typename Kind::Stored;
  auto* out = static_cast<Stored*>(dx);
  const auto* in = static_cast<const Stored*>(x);
  const float max = parts[0], log_sum = parts[1];
  const float p = math::exp((Kind::load(in[label]) - max) - log_sum);  // before dx overwrites x
  map_row<Kind>(out, in, k, [=](float v) { return dloss * (math::exp((v - max) - log_sum) - spread); });
  out[label] = Kind::store(dloss * (p - own - spread));
}

template <class Kind>
void add_kind(Table& table, FloatKind kind) {
  table.softmax[kind] = softmax<Kind>;
  table.log_softmax[kind] = log_softmax<Kind>;
  table.log_sum_exp[kind] = log_sum_exp<Kind>;
  table.sum_from[kind] = sum_from<Kind>;
  table.cross_entropy_grad[kind] = cross_entropy_grad<Kind>;
}

}  // namespace

void add_softmax(Table& table) {
  add_kind<F32>(table, kF32);
  add_kind<Bf16>(table, kBf16);
}

}  // namespace ostrich::cpu::simd::OSTRICH_ISA
