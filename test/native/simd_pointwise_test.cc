// The pointwise loops of every instruction set that this machine runs, against double precision over all of float's
// range, and every operand variant against the plain formula.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <vector>

#include "cpu/simd/table.h"
#include "math/pointwise.h"
#include "program/chain.h"

namespace {

using ostrich::cpu::simd::Table;
using ostrich::cpu::simd::table_of;
using ostrich::program::PointwiseOp;

std::vector<const Table*> tables() {
  std::vector<const Table*> found;
  for (const char* isa : {"baseline", "avx2", "avx512"}) {
    if (const Table* table = table_of(isa)) found.push_back(table);
  }
  return found;
}

float from_bits(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, 4);
  return x;
}

// Floats of every exponent and sign, NaN and infinities among them: each 1021st bit pattern.
const std::vector<float>& wide_range() {
  static const std::vector<float> values = [] {
    std::vector<float> list;
    for (uint64_t bits = 0; bits < (1ull << 32); bits += 1021) list.push_back(from_bits(uint32_t(bits)));
    const float infinity = std::numeric_limits<float>::infinity();
    for (float x : {0.0f, -0.0f, infinity, -infinity, std::nanf(""), 1.0f, -1.0f, 88.7228394f, 88.7228317f, -87.33655f,
                    -103.972084f, 0.625f, 8388608.0f, 8388607.5f, -0.5f, 1.17549435e-38f, 1e-45f}) {
      list.push_back(x);
    }
    return list;
  }();
  return values;
}

double ulp(double x) {
  const double size = std::max(std::fabs(x), double(std::numeric_limits<float>::min()));
  return std::ldexp(1.0, std::ilogb(size) - 23);
}

// Largest error in units of the last place of the float nearest to the reference; infinite where the kind of value
// differs.
double error(float got, double expected) {
  if (std::isnan(expected)) return std::isnan(got) ? 0 : INFINITY;
  const float nearest = float(expected);
  if (std::isinf(nearest) || std::isinf(got)) return got == nearest ? 0 : INFINITY;
  return std::fabs(double(got) - expected) / ulp(expected);
}

struct Function {
  PointwiseOp op;
  std::function<double(double)> reference;
  double tolerance;  // ulp
};

TEST(SimdPointwise, FunctionsAreAccurateOverAllFloats) {
  const std::vector<Function> functions = {
      {PointwiseOp::exp, [](double x) { return std::exp(x); }, 1.5},
      {PointwiseOp::expm1, [](double x) { return std::expm1(x); }, 2},
      {PointwiseOp::log, [](double x) { return std::log(x); }, 1.5},
      {PointwiseOp::tanh, [](double x) { return std::tanh(x); }, 2},
      {PointwiseOp::sigmoid, [](double x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); },
       3},
      {PointwiseOp::erf, [](double x) { return std::erf(x); }, 2},
      {PointwiseOp::softplus, [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }, 2},
      {PointwiseOp::sqrt, [](double x) { return std::sqrt(x); }, 0.5},
      {PointwiseOp::rsqrt, [](double x) { return 1 / std::sqrt(x); }, 1.5},
      {PointwiseOp::floor, [](double x) { return std::floor(x); }, 0},
      {PointwiseOp::sin, [](double x) { return std::sin(x); }, 1},
      {PointwiseOp::cos, [](double x) { return std::cos(x); }, 1},
  };
  const std::vector<float>& x = wide_range();
  std::vector<float> y(x.size());
  for (const Table* table : tables()) {
    for (const Function& function : functions) {
      table->pointwise[1][int(function.op)][0](y.data(), x.data(), nullptr, nullptr, int64_t(x.size()));
      double worst = 0;
      size_t at = 0;
      for (size_t i = 0; i < x.size(); ++i) {
        const double wrong = error(y[i], function.reference(double(x[i])));
        if (wrong > worst) worst = wrong, at = i;
      }
      EXPECT_LE(worst, function.tolerance)
          << table->isa << " " << ostrich::program::name_of(function.op) << "(" << x[at] << ") = " << y[at]
          << ", expected " << function.reference(double(x[at]));
      RecordProperty(std::string(table->isa) + "_" + ostrich::program::name_of(function.op), std::to_string(worst));
    }
  }
}

// Far below zero GELU is a difference of numbers near 1, and SiLU a multiple of a denormal number: their errors are
// relative to x.
TEST(SimdPointwise, LinearUnitsAreAccurateForTheSizeOfTheirArgument) {
  const auto exact = [](double x) { return x / 2 * std::erfc(-x / std::sqrt(2.0)); };
  const auto by_tanh = [](double x) {
    return x / (1 + std::exp(-2 * std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
  };
  const std::map<PointwiseOp, std::function<double(double)>> units = {
      {PointwiseOp::gelu, exact},
      {PointwiseOp::geluTanh, by_tanh},
      {PointwiseOp::silu, [](double x) { return x / (1 + std::exp(-x)); }},
  };
  std::vector<float> x, y;
  for (float each = -20; each <= 20; each += 1 / 1024.0f) x.push_back(each);
  y.resize(x.size());
  for (const Table* table : tables()) {
    for (const auto& [op, unit] : units) {
      table->pointwise[1][int(op)][0](y.data(), x.data(), nullptr, nullptr, int64_t(x.size()));
      for (size_t i = 0; i < x.size(); ++i) {
        EXPECT_LE(std::fabs(double(y[i]) - unit(double(x[i]))), 2 * ulp(double(x[i]))) << table->isa << " " << x[i];
      }
    }
  }
}

TEST(SimdPointwise, PowIsAccurate) {
  std::vector<float> x, y, z;
  for (float base : {0.0f, 0.5f, 0.9f, 0.999f, 1.0f, 2.0f, 10.0f, -3.0f}) {
    for (float exponent : {-2.0f, -0.5f, 0.0f, 0.5f, 1.0f, 3.0f, 1000.0f}) x.push_back(base), y.push_back(exponent);
  }
  z.resize(x.size());
  for (const Table* table : tables()) {
    table->pointwise[1][int(PointwiseOp::pow)][0](z.data(), x.data(), y.data(), nullptr, int64_t(x.size()));
    for (size_t i = 0; i < x.size(); ++i) EXPECT_LE(error(z[i], std::pow(double(x[i]), double(y[i]))), 1);
  }
}

template <class T>
std::vector<T> samples(int salt) {
  std::vector<T> list;
  for (int i = 0; i < 101; ++i) list.push_back(T((i * 37 + salt) % 23 - 11));
  return list;
}

// Lengths that leave every remainder, each variant of splatted operands, and y in place of the first operand.
template <class T>
void check_binary(const Table& table, PointwiseOp op, T (*formula)(T, T)) {
  const std::vector<T> a = samples<T>(1), b = samples<T>(7);
  for (int variant = 0; variant < 4; ++variant) {
    for (int64_t n : {1, 15, 16, 33, 101}) {
      std::vector<T> y = a;
      table.pointwise[std::is_same<T, float>::value][int(op)][variant](y.data(), y.data(), b.data(), nullptr, n);
      for (int64_t i = 0; i < n; ++i) {
        const T expected = formula(a[size_t(variant & 1 ? 0 : i)], b[size_t(variant & 2 ? 0 : i)]);
        EXPECT_EQ(y[size_t(i)], expected)
            << table.isa << " " << ostrich::program::name_of(op) << " variant " << variant;
      }
      for (size_t i = size_t(n); i < y.size(); ++i) EXPECT_EQ(y[i], a[i]) << "written past the end";
    }
  }
}

namespace formula = ostrich::math::pointwise;

TEST(SimdPointwise, EveryVariantIsTheFormula) {
  for (const Table* table : tables()) {
    check_binary<float>(*table, PointwiseOp::add, [](float a, float b) { return a + b; });
    check_binary<float>(*table, PointwiseOp::sub, [](float a, float b) { return a - b; });
    check_binary<float>(*table, PointwiseOp::mul, [](float a, float b) { return a * b; });
    check_binary<float>(*table, PointwiseOp::maximum, [](float a, float b) { return std::fmax(a, b); });
    check_binary<float>(*table, PointwiseOp::reluGrad, [](float a, float b) { return b > 0 ? a : 0.0f; });
    check_binary<int32_t>(*table, PointwiseOp::sub, [](int32_t a, int32_t b) { return a - b; });
    check_binary<int32_t>(*table, PointwiseOp::div, [](int32_t a, int32_t b) { return b == 0 ? 0 : a / b; });
    check_binary<int32_t>(*table, PointwiseOp::less, [](int32_t a, int32_t b) { return int32_t(a < b); });
    check_binary<int32_t>(*table, PointwiseOp::minimum, [](int32_t a, int32_t b) { return std::min(a, b); });
  }
}

TEST(SimdPointwise, WhereSplatsEitherSide) {
  const std::vector<int32_t> condition = samples<int32_t>(3);
  const std::vector<float> a = samples<float>(1), b = samples<float>(7);
  for (const Table* table : tables()) {
    for (int variant = 0; variant < 4; ++variant) {
      std::vector<float> y(condition.size());
      const auto where = table->pointwise[1][int(PointwiseOp::where)][variant];
      where(y.data(), condition.data(), a.data(), b.data(), int64_t(y.size()));
      for (size_t i = 0; i < y.size(); ++i) {
        EXPECT_EQ(y[i], condition[i] != 0 ? a[variant & 1 ? 0 : i] : b[variant & 2 ? 0 : i]) << table->isa;
      }
    }
  }
}

TEST(SimdPointwise, NanPassesThroughExtremaAndRelu) {
  const float nan = std::nanf("");
  for (const Table* table : tables()) {
    for (PointwiseOp op : {PointwiseOp::maximum, PointwiseOp::minimum}) {
      const std::vector<float> a(40, nan), b(40, 1.0f);
      std::vector<float> y(40);
      table->pointwise[1][int(op)][0](y.data(), a.data(), b.data(), nullptr, 40);
      for (float value : y) EXPECT_TRUE(std::isnan(value)) << table->isa;
      table->pointwise[1][int(op)][0](y.data(), b.data(), a.data(), nullptr, 40);
      for (float value : y) EXPECT_TRUE(std::isnan(value)) << table->isa;
    }
    std::vector<float> y(40, nan);
    table->pointwise[1][int(PointwiseOp::relu)][0](y.data(), y.data(), nullptr, nullptr, 40);
    for (float value : y) EXPECT_TRUE(std::isnan(value)) << table->isa;
  }
}

TEST(SimdPointwise, IntegersWrapAndDivisionCannotTrap) {
  const int32_t least = std::numeric_limits<int32_t>::min();
  for (const Table* table : tables()) {
    std::vector<int32_t> a(20, least), b(20, -1), y(20);
    table->pointwise[0][int(PointwiseOp::div)][0](y.data(), a.data(), b.data(), nullptr, 20);
    EXPECT_EQ(y[7], least);
    table->pointwise[0][int(PointwiseOp::add)][0](y.data(), a.data(), b.data(), nullptr, 20);
    EXPECT_EQ(y[7], std::numeric_limits<int32_t>::max());
    table->pointwise[0][int(PointwiseOp::neg)][0](y.data(), a.data(), nullptr, nullptr, 20);
    EXPECT_EQ(y[7], least);
  }
}

TEST(SimdConvert, FloatToIntegersTruncatesAndSaturates) {
  const std::vector<float> x = {0.9f,      -0.9f,         255.9f,        256.0f, -1.0f,  2147483648.0f,
                                -3e9f,     1e30f,         std::nanf(""), -2.5f,  100.0f, INFINITY,
                                -INFINITY, 2147483520.0f, 7.0f,          8.0f,   9.0f};
  for (const Table* table : tables()) {
    std::vector<int32_t> whole(x.size()), byte(x.size());
    table->i32_from_f32(whole.data(), x.data(), nullptr, nullptr, int64_t(x.size()));
    table->saturate_u8(byte.data(), x.data(), nullptr, nullptr, int64_t(x.size()));
    const int32_t most = std::numeric_limits<int32_t>::max(), least = std::numeric_limits<int32_t>::min();
    EXPECT_EQ(whole, (std::vector<int32_t>{0, 0, 255, 256, -1, most, least, most, 0, -2, 100, most, least, 2147483520,
                                           7, 8, 9}));
    EXPECT_EQ(byte, (std::vector<int32_t>{0, 0, 255, 255, 0, 255, 0, 255, 0, 0, 100, 255, 0, 255, 7, 8, 9}))
        << table->isa;
  }
}

TEST(SimdConvert, Bf16RoundsToNearestEvenAndBack) {
  const std::vector<uint32_t> bits = {0x3f800000, 0x3f808000, 0x3f818000, 0x3f808001,
                                      0x7f7fffff, 0x7f800001, 0xff800000, 0x00000001};
  const std::vector<uint16_t> expected = {0x3f80, 0x3f80, 0x3f82, 0x3f81, 0x7f80, 0x7fc0, 0xff80, 0x0000};
  for (const Table* table : tables()) {
    std::vector<uint16_t> half(bits.size());
    table->bf16_from_f32(half.data(), bits.data(), nullptr, nullptr, int64_t(bits.size()));
    EXPECT_EQ(half, expected) << table->isa;
    std::vector<float> wide(bits.size()), rounded(bits.size());
    table->f32_from_bf16(wide.data(), half.data(), nullptr, nullptr, int64_t(bits.size()));
    table->round_bf16(rounded.data(), bits.data(), nullptr, nullptr, int64_t(bits.size()));
    EXPECT_EQ(std::memcmp(wide.data(), rounded.data(), bits.size() * 4), 0) << table->isa;
  }
}

// In a process of its own, since the choice is made once.
TEST(SimdTable, EitherCapBoundsTheChoice) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto choose = [](const char* cap, const char* of_onednn = "DEFAULT") {
    setenv("OSTRICH_MAX_ISA", cap, 1);
    setenv("ONEDNN_MAX_CPU_ISA", of_onednn, 1);
    std::fprintf(stderr, "chose %s", ostrich::cpu::simd::table().isa);
    std::exit(0);
  };
  EXPECT_EXIT(choose("baseline"), testing::ExitedWithCode(0), "chose baseline");
  for (const char* isa : {"avx2", "avx512"}) {
    if (table_of(isa) == nullptr) continue;
    EXPECT_EXIT(choose(isa), testing::ExitedWithCode(0), std::string("chose ") + isa);
    EXPECT_EXIT(choose(isa, "SSE41"), testing::ExitedWithCode(0), "chose baseline");
    EXPECT_EXIT(choose(isa, "AVX2"), testing::ExitedWithCode(0), "chose avx2");
  }
}

}  // namespace
