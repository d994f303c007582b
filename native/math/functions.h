// Elementary functions of float, as formulas that a compiler can vectorise: no branches, no calls, no tables. Errors
// are at most 3 units in the last place, denormal results included; infinities and NaN behave as in C. Host and device
// code include this file; everything is internal to the including object, so that code for one instruction set never
// leaks into another. Refuses nothing. pow, sin and cos of any angle go to the C library.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#define OSTRICH_HD static __host__ __device__ __forceinline__
#else
#define OSTRICH_HD static inline __attribute__((always_inline))
#endif

namespace ostrich::math {

OSTRICH_HD uint32_t bits_of(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, 4);
  return bits;
}

OSTRICH_HD float from_bits(uint32_t bits) {
  float x;
  __builtin_memcpy(&x, &bits, 4);
  return x;
}

OSTRICH_HD float abs(float x) { return from_bits(bits_of(x) & 0x7fffffffu); }
OSTRICH_HD float copysign(float x, float sign) {
  return from_bits((bits_of(x) & 0x7fffffffu) | (bits_of(sign) & 0x80000000u));
}
// The largest float below `high`, but at least `low`: what rounding must not reach from draws of [low, high).
OSTRICH_HD float below(float high, float low) {
  const uint32_t bits = bits_of(high);
  const float next = high > 0.0f ? from_bits(bits - 1u) : high < 0.0f ? from_bits(bits + 1u) : from_bits(0x80000001u);
  return next > low ? next : low;
}

OSTRICH_HD float sqrt(float x) { return __builtin_sqrtf(x); }
OSTRICH_HD float rsqrt(float x) { return 1.0f / __builtin_sqrtf(x); }

// Adding and taking away 2^23 rounds to a whole number; from 2^23 on every float is one.
OSTRICH_HD float floor(float x) {
  const float size = abs(x);
  const float rounded = copysign((size + 8388608.0f) - 8388608.0f, x);
  const float down = rounded > x ? rounded - 1.0f : rounded;
  return size < 8388608.0f ? down : x;
}

// exp(x) = low * high * (1 + p), from n and r with x = n ln(2) + r, |r| <= ln(2) / 2, and p = exp(r) - 1; polynomial of
// Cephes expf. 2^n comes in two halves, so that results beyond the largest power of two and denormal ones are rounded
// once.
struct ExpParts {
  float p, low, high, inverse_high;
};

OSTRICH_HD ExpParts exp_parts(float x) {
  x = x > 89.0f ? 89.0f : x;
  x = x < -104.5f ? -104.5f : x;
  const float magic = 12582912.0f;  // 1.5 * 2^23: its low bits hold n
  const float shifted = x * 1.44269504088896341f + magic;
  const float n = shifted - magic;
  float r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r;
  const int32_t whole = int32_t(bits_of(shifted) - bits_of(magic));
  const int32_t half = whole >> 1;
  const float low = from_bits(uint32_t(half + 127) << 23);
  const float high = from_bits(uint32_t(whole - half + 127) << 23);
  return {p, low, high, from_bits(uint32_t(half - whole + 127) << 23)};
}

OSTRICH_HD float exp(float x) {
  const ExpParts parts = exp_parts(x);
  return (parts.p + 1.0f) * parts.low * parts.high;
}

// exp(x) - 1 without the loss of small x: p itself where n is 0.
OSTRICH_HD float expm1(float x) {
  const ExpParts parts = exp_parts(x);
  return (parts.p * parts.low + (parts.low - parts.inverse_high)) * parts.high;
}

// log(1 + m) - m + m^2 / 2, sqrt(1/2) <= 1 + m < sqrt(2); polynomial of Cephes logf.
OSTRICH_HD float log_tail(float m) {
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  return p * m * (m * m);
}

// log(x) = e ln 2 + log(1 + m), sqrt(1/2) <= 1 + m < sqrt(2).
OSTRICH_HD float log(float x) {
  const bool small = x < 1.17549435e-38f;
  const float scaled = small ? x * 8388608.0f : x;
  const uint32_t bits = bits_of(scaled);
  float e = float(int32_t(bits >> 23) - 126);
  e = small ? e - 23.0f : e;
  float m = from_bits((bits & 0x007fffffu) | 0x3f000000u);
  const bool low = m < 0.707106781186547524f;
  e = low ? e - 1.0f : e;
  m = (low ? m + m : m) - 1.0f;
  const float z = m * m;
  float y = log_tail(m);
  y = y + e * -2.12194440e-4f;
  y = y - 0.5f * z;
  float result = (m + y) + e * 0.693359375f;
  result = x < __builtin_inff() ? result : x;  // infinity and NaN give themselves
  result = x < 0.0f ? __builtin_nanf("") : result;
  return x == 0.0f ? -__builtin_inff() : result;
}

// Cephes tanhf: a polynomial near zero, elsewhere by exp.
OSTRICH_HD float tanh(float x) {
  const float size = abs(x), z = x * x;
  float p = -5.70498872745e-3f;
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  const float near = p * z * x + x;
  const float far = copysign(1.0f - 2.0f / (exp(size + size) + 1.0f), x);
  return size < 0.625f ? near : far;
}

// With e = exp(-|x|) neither side overflows, and small results keep their relative accuracy.
OSTRICH_HD float sigmoid(float x) {
  const float e = exp(-abs(x));
  return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

// A polynomial near zero, elsewhere 1 - exp of one (N. Juffa's coefficients).
OSTRICH_HD float erf(float x) {
  const float size = abs(x), z = x * x;
  float p = -5.96761703e-4f;
  p = p * z + 4.99119423e-3f;
  p = p * z - 2.67681349e-2f;
  p = p * z + 1.12819925e-1f;
  p = p * z - 3.76125336e-1f;
  p = p * z + 1.28379166e-1f;
  const float near = p * x + x;
  float q = (-1.72853470e-5f * size + 3.83197126e-4f) * z + (-3.88396438e-3f * size + 2.42546219e-2f);
  q = q * size - 1.06777877e-1f;
  q = q * size - 6.34846687e-1f;
  q = q * size - 1.28717512e-1f;
  q = q * size - size;
  const float far = copysign(1.0f - exp(q), x);
  return size <= 0.927734375f ? near : far;
}

// x times the share of the normal distribution below x. Its error is relative to x: below -5.5 it is 0.
OSTRICH_HD float gelu(float x) { return 0.5f * x * (1.0f + erf(x * 0.707106781186547524f)); }
// 1/2 (1 + tanh(u)) = sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3).
OSTRICH_HD float gelu_tanh(float x) { return x * sigmoid(x * (1.59576912160573071f + 0.0713548162726009f * x * x)); }

// log(1 + e^x) = max(x, 0) + log(1 + e), e = e^-|x|. What rounding takes from 1 + e comes back by log's slope.
OSTRICH_HD float softplus(float x) {
  const float e = exp(-abs(x)), u = 1.0f + e;
  const float rest = e - (u - 1.0f);
  return (x < 0.0f ? 0.0f : x) + (log(u) + rest / u);
}

// log(e^a + e^b): the larger, and log(1 + e) with e = e^-distance, from e itself or from (e - 1) / 2. Of two
// -infinities it is -infinity.
OSTRICH_HD float log_add(float a, float b) {
  const float high = a > b ? a : b, low = a > b ? b : a;
  const float e = exp(low - (high == -__builtin_inff() ? 0.0f : high));
  const bool far = e > 0.414213562f;
  const float m = far ? 0.5f * e - 0.5f : e;
  return high + ((m - 0.5f * (m * m)) + log_tail(m) + (far ? 0.693147181f : 0.0f));
}

// cos and sin of 2 pi u for u in [0, 1): the reduction to an eighth of a turn is exact.
OSTRICH_HD void cos_sin_turns(float u, float* cosine, float* sine) {
  const float magic = 12582912.0f;
  const float shifted = u * 4.0f + magic;
  const uint32_t quarter = bits_of(shifted) & 3u;
  const float r = (u - (shifted - magic) * 0.25f) * 6.28318530717958648f, z = r * r;
  float s = -1.9515295891e-4f;
  s = s * z + 8.3321608736e-3f;
  s = s * z - 1.6666654611e-1f;
  s = s * z * r + r;
  float c = 2.443315711809948e-5f;
  c = c * z - 1.388731625493765e-3f;
  c = c * z + 4.166664568298827e-2f;
  c = c * (z * z) - 0.5f * z + 1.0f;
  const float first = (quarter & 1u) ? s : c, second = (quarter & 1u) ? c : s;
  *cosine = from_bits(bits_of(first) ^ (((quarter + 1u) & 2u) << 30));
  *sine = from_bits(bits_of(second) ^ ((quarter & 2u) << 30));
}

OSTRICH_HD float sin(float x) { return __builtin_sinf(x); }
OSTRICH_HD float cos(float x) { return __builtin_cosf(x); }
OSTRICH_HD float pow(float x, float y) { return __builtin_powf(x, y); }

}  // namespace ostrich::math
