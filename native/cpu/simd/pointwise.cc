// Loops over blocks for every pointwise instruction: the formula of math/pointwise.h, in f32 and in i32, with any of
// its operands a block or a single element.
#include "math/pointwise.h"

#include "cpu/simd/parts.h"

namespace ostrich::cpu::simd::OSTRICH_ISA {
namespace {

// A loop that the compiler may vectorise though y may be one of the operands: element i depends on elements i only.
#define OSTRICH_LOOP(n) _Pragma("GCC ivdep") for (int64_t i = 0; i < (n); ++i)

template <class T, class F>
void unary(void* y, const void* a, const void*, const void*, int64_t n) {
  using Result = decltype(F::of(T()));
  auto* out = static_cast<Result*>(y);
  const auto* x = static_cast<const T*>(a);
  OSTRICH_LOOP(n) out[i] = F::of(x[i]);
}

template <class T, class F, int variant>
void binary(void* y, const void* a, const void* b, const void*, int64_t n) {
  using Result = decltype(F::of(T(), T()));
  auto* out = static_cast<Result*>(y);
  const auto* left = static_cast<const T*>(a);
  const auto* right = static_cast<const T*>(b);
  const T left0 = left[0], right0 = right[0];
  OSTRICH_LOOP(n) out[i] = F::of((variant & 1) ? left0 : left[i], (variant & 2) ? right0 : right[i]);
}

template <class T, class F, int variant>
void ternary(void* y, const void* a, const void* b, const void* c, int64_t n) {
  auto* out = static_cast<T*>(y);
  const auto* condition = static_cast<const int32_t*>(a);
  const auto* left = static_cast<const T*>(b);
  const auto* right = static_cast<const T*>(c);
  const T left0 = left[0], right0 = right[0];
  OSTRICH_LOOP(n) out[i] = F::of(condition[i], (variant & 1) ? left0 : left[i], (variant & 2) ? right0 : right[i]);
}

// Fills one op's row of the table, by arity.
template <int arity>
struct Row;

template <>
struct Row<1> {
  template <class T, class F>
  static void fill(BlockFn* row) {
    row[0] = unary<T, F>;
  }
};

template <>
struct Row<2> {
  template <class T, class F>
  static void fill(BlockFn* row) {
    row[0] = binary<T, F, 0>;
    row[1] = binary<T, F, 1>;
    row[2] = binary<T, F, 2>;
    row[3] = binary<T, F, 3>;
  }
};

template <>
struct Row<3> {
  template <class T, class F>
  static void fill(BlockFn* row) {
    row[0] = ternary<T, F, 0>;
    row[1] = ternary<T, F, 1>;
    row[2] = ternary<T, F, 2>;
    row[3] = ternary<T, F, 3>;
  }
};

#define OSTRICH_POINTWISE(name, arity)                                    \
  struct name##_formula {                                                 \
    template <class... T>                                                 \
    static inline __attribute__((always_inline)) auto of(T... operands) { \
      return math::pointwise::name(operands...);                          \
    }                                                                     \
  };
#include "program/ops.def"

}  // namespace

void add_pointwise(Table& table) {
  int op = 0;
#define OSTRICH_POINTWISE(name, arity)                               \
  Row<arity>::fill<int32_t, name##_formula>(table.pointwise[0][op]); \
  Row<arity>::fill<float, name##_formula>(table.pointwise[1][op++]);
#include "program/ops.def"
}

}  // namespace ostrich::cpu::simd::OSTRICH_ISA
