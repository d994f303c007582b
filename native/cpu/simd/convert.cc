// Loops between element types in memory and the registers of a pointwise chain.
#include <cstring>

#include "cpu/simd/parts.h"

namespace ostrich::cpu::simd::OSTRICH_ISA {
namespace {

template <class To, class From, To (*convert)(From)>
void block(void* y, const void* a, const void*, const void*, int64_t n) {
  auto* out = static_cast<To*>(y);
  const auto* in = static_cast<const From*>(a);
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) out[i] = convert(in[i]);
}

void copy4(void* y, const void* a, const void*, const void*, int64_t n) { std::memmove(y, a, size_t(n) * 4); }

void fill4(void* y, const void* a, const void*, const void*, int64_t n) {
  auto* out = static_cast<uint32_t*>(y);
  const uint32_t value = *static_cast<const uint32_t*>(a);
  for (int64_t i = 0; i < n; ++i) out[i] = value;
}

inline float widen(int32_t x) { return float(x); }
inline float widen_byte(uint8_t x) { return float(x); }
inline int32_t whole_byte(uint8_t x) { return x; }
inline uint8_t low_byte(int32_t x) { return uint8_t(uint32_t(x)); }
inline int32_t wrap_byte(int32_t x) { return x & 255; }
inline int32_t is_true(float x) { return x != 0.0f; }
inline float from_bf16(uint16_t x) { return math::bf16_to_float(x); }
inline uint16_t to_bf16(float x) { return math::float_to_bf16(x); }
inline float round_bf16(float x) { return math::round_to_bf16(x); }
// By its bits: below 0, and no NaN.
inline uint16_t relu_bits(uint16_t x) { return x > 0x8000u && x <= 0xff80u ? 0 : x; }
inline int32_t to_i32(float x) { return math::float_to_i32(x); }
inline int32_t to_u8(float x) { return math::float_to_u8(x); }

}  // namespace

void add_convert(Table& table) {
  table.copy4 = copy4;
  table.fill4 = fill4;
  table.f32_from_bf16 = block<float, uint16_t, from_bf16>;
  table.f32_from_i32 = block<float, int32_t, widen>;
  table.f32_from_u8 = block<float, uint8_t, widen_byte>;
  table.i32_from_u8 = block<int32_t, uint8_t, whole_byte>;
  table.bf16_from_f32 = block<uint16_t, float, to_bf16>;
  table.relu_bf16 = block<uint16_t, uint16_t, relu_bits>;
  table.i32_from_f32 = block<int32_t, float, to_i32>;
  table.u8_from_i32 = block<uint8_t, int32_t, low_byte>;
  table.round_bf16 = block<float, float, round_bf16>;
  table.wrap_u8 = block<int32_t, int32_t, wrap_byte>;
  table.saturate_u8 = block<int32_t, float, to_u8>;
  table.truth = block<int32_t, float, is_true>;
}

}  // namespace ostrich::cpu::simd::OSTRICH_ISA
