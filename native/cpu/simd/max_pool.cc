// Max pooling over channels that lie side by side, a vector of them at a time. NaN is larger than any number, and the
// first of equal maxima (or of several NaN) is the one.
#include <cstring>

#include "cpu/simd/parts.h"

namespace ostrich::cpu::simd::OSTRICH_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int64_t kLanes = 16;
#elif defined(__AVX2__)
constexpr int64_t kLanes = 8;
#else
constexpr int64_t kLanes = 4;
#endif

using Lanes = float __attribute__((vector_size(kLanes * 4)));
using Whole = int32_t __attribute__((vector_size(kLanes * 4)));
using Bits = uint32_t __attribute__((vector_size(kLanes * 4)));
using Halves = uint16_t __attribute__((vector_size(kLanes * 2)));
using Bytes = uint8_t __attribute__((vector_size(kLanes)));

#define OSTRICH_INLINE inline __attribute__((always_inline))

// Vectors of `n` elements, at most kLanes; the others are 0 and stay unwritten.
template <class Vector, class Stored>
OSTRICH_INLINE Vector read(const Stored* from, int64_t n) {
  Vector x{};
  if (n >= kLanes) {
    std::memcpy(&x, from, sizeof(x));
  } else {
    std::memcpy(&x, from, size_t(n) * sizeof(Stored));
  }
  return x;
}

template <class Vector, class Stored>
OSTRICH_INLINE void write(Stored* to, const Vector& x, int64_t n) {
  if (n >= kLanes) {
    std::memcpy(to, &x, sizeof(x));
  } else {
    std::memcpy(to, &x, size_t(n) * sizeof(Stored));
  }
}

OSTRICH_INLINE Lanes load(const float* from, int64_t n) { return read<Lanes>(from, n); }
OSTRICH_INLINE Lanes load(const uint16_t* from, int64_t n) {
  return Lanes(__builtin_convertvector(read<Halves>(from, n), Bits) << 16);
}
OSTRICH_INLINE void store(float* to, Lanes x, int64_t n) { write(to, x, n); }
// To nearest even; NaN stays NaN.
OSTRICH_INLINE void store(uint16_t* to, Lanes x, int64_t n) {
  const Bits bits = Bits(x), rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16, cut = (bits >> 16) | 0x40u;
  write(to, __builtin_convertvector(x != x ? cut : rounded, Halves), n);
}

// The largest of a window for n channels from x on.
template <bool kIndexed, class T>
OSTRICH_INLINE void window(T* y, uint8_t* index, const T* x, const PoolSweep& sweep, int64_t n) {
  const PoolTap* taps = sweep.taps;
  Lanes best = load(x + taps[0].offset, n);
  Whole place = Whole{} + taps[0].place;
  for (int64_t tap = 1; tap < sweep.count; ++tap) {
    const Lanes value = load(x + taps[tap].offset, n);
    const Whole better = ~(value <= best) & (best == best);
    best = better ? value : best;
    if (kIndexed) place = better ? Whole{} + taps[tap].place : place;
  }
  store(y, best, n);
  if (kIndexed) write(index, __builtin_convertvector(place, Bytes), n);
}

template <bool kIndexed, class T>
OSTRICH_INLINE void windows(T* y, uint8_t* index, const T* x, const PoolSweep& sweep) {
  for (int64_t i = 0; i < sweep.positions; ++i) {
    int64_t c = 0;
    for (; c + kLanes <= sweep.channels; c += kLanes) window<kIndexed>(y + c, index + c, x + c, sweep, kLanes);
    if (c < sweep.channels) window<kIndexed>(y + c, index + c, x + c, sweep, sweep.channels - c);
    y += sweep.out_step;
    if (kIndexed) index += sweep.out_step;
    x += sweep.in_step;
  }
}

template <class T>
void max_pool(void* y, uint8_t* index, const void* x, const PoolSweep& sweep) {
  if (index != nullptr) return windows<true>(static_cast<T*>(y), index, static_cast<const T*>(x), sweep);
  windows<false>(static_cast<T*>(y), index, static_cast<const T*>(x), sweep);
}

template <class T>
OSTRICH_INLINE void place_sum(T* dx, const T* dy, const uint8_t* index, const PoolSweep& sweep, int64_t n) {
  Lanes sum{};
  for (int64_t tap = 0; tap < sweep.count; ++tap) {
    const int64_t at = sweep.taps[tap].offset;
    const Whole place = __builtin_convertvector(read<Bytes>(index + at, n), Whole);
    sum += place == sweep.taps[tap].place ? load(dy + at, n) : Lanes{};
  }
  store(dx, sum, n);
}

template <class T>
void max_pool_grad(void* dx, const void* dy, const uint8_t* index, const PoolSweep& sweep) {
  auto* to = static_cast<T*>(dx);
  const auto* from = static_cast<const T*>(dy);
  for (int64_t i = 0; i < sweep.positions; ++i) {
    int64_t c = 0;
    for (; c + kLanes <= sweep.channels; c += kLanes) place_sum(to + c, from + c, index + c, sweep, kLanes);
    if (c < sweep.channels) place_sum(to + c, from + c, index + c, sweep, sweep.channels - c);
    to += sweep.out_step;
    from += sweep.in_step;
    index += sweep.in_step;
  }
}

}  // namespace

void add_max_pool(Table& table) {
  table.max_pool[kF32] = max_pool<float>;
  table.max_pool[kBf16] = max_pool<uint16_t>;
  table.max_pool_grad[kF32] = max_pool_grad<float>;
  table.max_pool_grad[kBf16] = max_pool_grad<uint16_t>;
}

}  // namespace ostrich::cpu::simd::OSTRICH_ISA
