// Conversions between the element types: bfloat16 as its 16 bits, rounded to nearest even, NaN stays NaN; float to
// integer truncates and saturates, NaN gives 0; i32 to u8 wraps.
#pragma once

#include "math/functions.h"

namespace ostrich::math {

OSTRICH_HD float bf16_to_float(uint16_t bits) { return from_bits(uint32_t(bits) << 16); }

OSTRICH_HD uint16_t float_to_bf16(float x) {
  const uint32_t bits = bits_of(x);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  return uint16_t((bits & 0x7fffffffu) > 0x7f800000u ? (bits >> 16) | 0x40u : rounded);
}

OSTRICH_HD float round_to_bf16(float x) { return bf16_to_float(float_to_bf16(x)); }

OSTRICH_HD int32_t float_to_i32(float x) {
  const float finite = x == x ? x : 0.0f;
  const float above = finite < -2147483648.0f ? -2147483648.0f : finite;
  const float within = above > 2147483520.0f ? 2147483520.0f : above;
  const int32_t whole = int32_t(within);
  return finite >= 2147483648.0f ? 0x7fffffff : whole;
}

OSTRICH_HD int32_t float_to_u8(float x) {
  const float above = x > 0.0f ? x : 0.0f;
  return int32_t(above < 255.0f ? above : 255.0f);
}

}  // namespace ostrich::math
