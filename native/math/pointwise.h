// One formula for each OSTRICH_POINTWISE line of program/ops.def, by the same name. T is float or int32_t, as the
// instruction computes; integers wrap, and functions of real numbers see them as floats. Comparisons give 0 or 1. NaN
// passes through everything but comparisons.
#pragma once

#include "math/convert.h"
#include "math/functions.h"

namespace ostrich::math::pointwise {

OSTRICH_HD float result(float x, float) { return x; }
OSTRICH_HD int32_t result(float x, int32_t) { return float_to_i32(x); }

// Two's complement arithmetic, and a quotient that no operand can trap.
OSTRICH_HD float plus(float a, float b) { return a + b; }
OSTRICH_HD float minus(float a, float b) { return a - b; }
OSTRICH_HD float times(float a, float b) { return a * b; }
OSTRICH_HD float over(float a, float b) { return a / b; }
OSTRICH_HD int32_t plus(int32_t a, int32_t b) { return int32_t(uint32_t(a) + uint32_t(b)); }
OSTRICH_HD int32_t minus(int32_t a, int32_t b) { return int32_t(uint32_t(a) - uint32_t(b)); }
OSTRICH_HD int32_t times(int32_t a, int32_t b) { return int32_t(uint32_t(a) * uint32_t(b)); }
OSTRICH_HD int32_t over(int32_t a, int32_t b) { return b == 0 ? 0 : b == -1 ? minus(0, a) : a / b; }
OSTRICH_HD float negative(float a) { return -a; }
OSTRICH_HD int32_t negative(int32_t a) { return minus(0, a); }
OSTRICH_HD float magnitude(float a) { return math::abs(a); }
OSTRICH_HD int32_t magnitude(int32_t a) { return a < 0 ? minus(0, a) : a; }

// clang-format off
template <class T> OSTRICH_HD T neg(T x) { return negative(x); }
template <class T> OSTRICH_HD T abs(T x) { return magnitude(x); }
template <class T> OSTRICH_HD T sign(T x) { return x > T(0) ? T(1) : x < T(0) ? T(-1) : x; }
template <class T> OSTRICH_HD T exp(T x) { return result(math::exp(float(x)), x); }
template <class T> OSTRICH_HD T expm1(T x) { return result(math::expm1(float(x)), x); }
template <class T> OSTRICH_HD T log(T x) { return result(math::log(float(x)), x); }
template <class T> OSTRICH_HD T sqrt(T x) { return result(math::sqrt(float(x)), x); }
template <class T> OSTRICH_HD T rsqrt(T x) { return result(math::rsqrt(float(x)), x); }
template <class T> OSTRICH_HD T tanh(T x) { return result(math::tanh(float(x)), x); }
template <class T> OSTRICH_HD T sigmoid(T x) { return result(math::sigmoid(float(x)), x); }
template <class T> OSTRICH_HD T relu(T x) { return x < T(0) ? T(0) : x; }
template <class T> OSTRICH_HD T erf(T x) { return result(math::erf(float(x)), x); }
template <class T> OSTRICH_HD T gelu(T x) { return result(math::gelu(float(x)), x); }
template <class T> OSTRICH_HD T geluTanh(T x) { return result(math::gelu_tanh(float(x)), x); }
template <class T> OSTRICH_HD T silu(T x) { return result(float(x) * math::sigmoid(float(x)), x); }
template <class T> OSTRICH_HD T softplus(T x) { return result(math::softplus(float(x)), x); }
template <class T> OSTRICH_HD T floor(T x) { return result(math::floor(float(x)), x); }
template <class T> OSTRICH_HD T cos(T x) { return result(math::cos(float(x)), x); }
template <class T> OSTRICH_HD T sin(T x) { return result(math::sin(float(x)), x); }
template <class T> OSTRICH_HD T cast(T x) { return x; }
template <class T> OSTRICH_HD T add(T a, T b) { return plus(a, b); }
template <class T> OSTRICH_HD T sub(T a, T b) { return minus(a, b); }
template <class T> OSTRICH_HD T mul(T a, T b) { return times(a, b); }
template <class T> OSTRICH_HD T div(T a, T b) { return over(a, b); }
template <class T> OSTRICH_HD T pow(T a, T b) { return result(math::pow(float(a), float(b)), a); }
template <class T> OSTRICH_HD T maximum(T a, T b) { return a > b || a != a ? a : b; }
template <class T> OSTRICH_HD T minimum(T a, T b) { return a < b || a != a ? a : b; }
template <class T> OSTRICH_HD int32_t equal(T a, T b) { return a == b; }
template <class T> OSTRICH_HD int32_t less(T a, T b) { return a < b; }
template <class T> OSTRICH_HD int32_t lessEqual(T a, T b) { return a <= b; }
template <class T> OSTRICH_HD T reluGrad(T dy, T x) { return x > T(0) ? dy : T(0); }
template <class T> OSTRICH_HD T where(int32_t c, T a, T b) { return c != 0 ? a : b; }
// clang-format on

}  // namespace ostrich::math::pointwise
