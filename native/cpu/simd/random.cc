// Philox4x32-10 in vectors: the draws of FORMAT.md, "Random draws". A group of counters gives the words of
// consecutive elements, four each. 32-bit words lie in the low halves of 64-bit lanes, where a widening multiply reads
// them; the upper halves are left as they come.
#include <immintrin.h>

#include "cpu/simd/parts.h"

namespace ostrich::cpu::simd::OSTRICH_ISA {
namespace {

#if defined(__AVX512F__)
using Word = __m512i;
// The masked form with a full mask: the plain one reads an uninitialised register on purpose, and g++ 12 warns of it.
inline __attribute__((always_inline)) Word multiply(Word a, Word b) { return _mm512_maskz_mul_epu32(0xff, a, b); }
#elif defined(__AVX2__)
using Word = __m256i;
inline __attribute__((always_inline)) Word multiply(Word a, Word b) { return _mm256_mul_epu32(a, b); }
#else
using Word = __m128i;
inline __attribute__((always_inline)) Word multiply(Word a, Word b) { return _mm_mul_epu32(a, b); }
#endif
typedef uint64_t Lanes __attribute__((vector_size(sizeof(Word))));

constexpr int kWidth = sizeof(Word) / 8;  // counters of a vector
constexpr int kBlocks = 2 * kWidth;       // counters of a group, 4 words each: two vectors hide each other's latency
constexpr int kGroup = 4 * kBlocks;
constexpr float kUnit = 0x1p-24f;

// Words of elements 4 * block ... 4 * (block + kBlocks).
inline __attribute__((always_inline)) void draw_group(uint32_t* words, const Draws& draws, uint64_t block) {
  const Lanes zero{}, m0 = zero + uint64_t(0xD2511F53u), m1 = zero + uint64_t(0xCD9E8D57u);
  uint64_t counters[kBlocks];
  for (int j = 0; j < kBlocks; ++j) counters[j] = block + uint64_t(j);
  Lanes c0[2], c1[2], c2[2], c3[2];
  __builtin_memcpy(c0, counters, sizeof c0);
  for (int half = 0; half < 2; ++half) {
    c1[half] = c0[half] >> 32;
    c2[half] = zero + uint64_t(draws.stream);
    c3[half] = zero + uint64_t(draws.step);
  }
  uint32_t k0 = draws.key0, k1 = draws.key1;
  for (int round = 0; round < 10; ++round) {
    for (int half = 0; half < 2; ++half) {
      const Lanes p0 = Lanes(multiply(Word(c0[half]), Word(m0)));
      const Lanes p1 = Lanes(multiply(Word(c2[half]), Word(m1)));
      c0[half] = (p1 >> 32) ^ c1[half] ^ uint64_t(k0);
      c2[half] = (p0 >> 32) ^ c3[half] ^ uint64_t(k1);
      c1[half] = p1;
      c3[half] = p0;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  const uint64_t low = 0xffffffffu;
  Lanes first[2], second[2];
  for (int half = 0; half < 2; ++half) {
    first[half] = (c0[half] & low) | (c1[half] << 32);
    second[half] = (c2[half] & low) | (c3[half] << 32);
  }
  uint64_t left[kBlocks], right[kBlocks], pairs[2 * kBlocks];
  __builtin_memcpy(left, first, sizeof left);
  __builtin_memcpy(right, second, sizeof right);
  for (int j = 0; j < kBlocks; ++j) {
    pairs[2 * j] = left[j];
    pairs[2 * j + 1] = right[j];
  }
  __builtin_memcpy(words, pairs, sizeof pairs);
}

// Calls body(offset, words, count) for every group.
template <class Body>
inline __attribute__((always_inline)) void for_groups(int64_t n, const Draws& draws, Body body) {
  alignas(64) uint32_t words[kGroup];
  for (int64_t i = 0; i < n; i += kGroup) {
    draw_group(words, draws, uint64_t(draws.first + i) / 4);
    body(i, words, n - i < kGroup ? n - i : int64_t(kGroup));
  }
}

// A group's worth of y, whole vectors unless it is the last one.
template <class Stored>
inline __attribute__((always_inline)) void store_group(Stored* y, const Stored* group, int64_t count) {
  if (count == kGroup) {
    __builtin_memcpy(y, group, kGroup * sizeof(Stored));
  } else {
    for (int64_t i = 0; i < count; ++i) y[i] = group[i];
  }
}

void uniform(float* y, int64_t n, const Draws& draws, float low, float high) {
  const float width = high - low, last = math::below(high, low);
  for_groups(n, draws, [&](int64_t i, const uint32_t* words, int64_t count) {
    float group[kGroup];
    for (int j = 0; j < kGroup; ++j) {
      // Rounded product first: no fused multiply-add, whatever the machine.
      group[j] = float(int32_t(words[j] >> 8)) * kUnit * width;
    }
    __asm__("" : "+m"(group));
    for (int j = 0; j < kGroup; ++j) {
      const float value = group[j] + low;
      group[j] = value < last ? value : last;
    }
    store_group(y + i, group, count);
  });
}

void normal(float* y, int64_t n, const Draws& draws, float mean, float std) {
  for_groups(n, draws, [&](int64_t i, const uint32_t* words, int64_t count) {
    float radius[kGroup / 2], turn[kGroup / 2], group[kGroup];
    for (int j = 0; j < kGroup / 2; ++j) {
      radius[j] = float(int32_t(words[2 * j] >> 8) + 1) * kUnit;
      turn[j] = float(int32_t(words[2 * j + 1] >> 8)) * kUnit;
    }
    for (int j = 0; j < kGroup / 2; ++j) {
      float cosine, sine;
      math::cos_sin_turns(turn[j], &cosine, &sine);
      const float r = math::sqrt(-2.0f * math::log(radius[j])) * std;
      radius[j] = mean + r * cosine;
      turn[j] = mean + r * sine;
    }
    for (int j = 0; j < kGroup / 2; ++j) {
      group[2 * j] = radius[j];
      group[2 * j + 1] = turn[j];
    }
    store_group(y + i, group, count);
  });
}

template <class Kind>
void dropout(void* out, const void* in, int64_t n, const Draws& draws, uint32_t threshold, float scale) {
  using Stored = typename Kind::Stored;
  auto* y = static_cast<Stored*>(out);
  const auto* x = static_cast<const Stored*>(in);
  const int32_t least = int32_t(threshold);
  for_groups(n, draws, [&](int64_t i, const uint32_t* words, int64_t count) {
    Stored group[kGroup];
    if (count == kGroup) {
      for (int j = 0; j < kGroup; ++j) {
        const float kept = Kind::load(x[i + j]) * scale;
        group[j] = Kind::store(int32_t(words[j] >> 8) >= least ? kept : 0.0f);
      }
    } else {
      for (int64_t j = 0; j < count; ++j) {
        const float kept = Kind::load(x[i + j]) * scale;
        group[j] = Kind::store(int32_t(words[j] >> 8) >= least ? kept : 0.0f);
      }
    }
    store_group(y + i, group, count);
  });
}

}  // namespace

void add_random(Table& table) {
  table.uniform = uniform;
  table.normal = normal;
  table.dropout[kF32] = dropout<F32>;
  table.dropout[kBf16] = dropout<Bf16>;
}

}  // namespace ostrich::cpu::simd::OSTRICH_ISA
