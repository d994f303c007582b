// bf16 convolutions over many channels and their gradients, of more tiles than a thread or a chunk takes at once, and
// the products beneath them: against double precision. Where this machine has no fast bf16 they run in another form,
// which must agree as well.
#include "cpu/kernels/winograd_bf16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "cpu/simd/bf16/bf16_table.h"
#include "run_program.h"

namespace {

using namespace ostrich;
using core::DType;
using core::Shape;
using cpu::simd::Bf16Table;
using test::Array;
using test::json;

const DType kF32 = DType::f32, kBf16 = DType::bf16;

struct Case {
  Shape x, w;
  int64_t groups, pad;
};

// A whole number of tiles or not, an odd number of them, groups, and channels last or not as the machine likes.
const Case kCases[] = {{{3, 64, 33, 31}, {96, 64, 3, 3}, 1, 1},
                       {{1, 64, 35, 35}, {64, 64, 3, 3}, 1, 0},
                       {{2, 128, 19, 26}, {192, 64, 3, 3}, 2, 2},
                       {{1, 64, 25, 27}, {96, 64, 5, 5}, 1, 2},
                       {{2, 128, 11, 15}, {128, 64, 5, 5}, 2, 0}};

Shape result_of(const Case& c) {
  return {c.x[0], c.w[0], c.x[2] + 2 * c.pad - c.w[2] + 1, c.x[3] + 2 * c.pad - c.w[3] + 1};
}

json attributes(const Case& c, DType dtype) {
  return {{"stride", {1, 1}},
          {"padding", {c.pad, c.pad, c.pad, c.pad}},
          {"dilation", {1, 1}},
          {"groups", c.groups},
          {"dtype", core::name_of(dtype)}};
}

// Calls visit(y, x, w) with the places of every product that the convolution sums.
template <class Visit>
void for_each_tap(const Case& c, Visit visit) {
  const Shape y = result_of(c);
  const int64_t per_group = c.w[0] / c.groups, extent = c.w[2], taps = extent * extent;
  for (int64_t n = 0; n < y[0]; ++n) {
    for (int64_t o = 0; o < y[1]; ++o) {
      for (int64_t k = 0; k < c.w[1]; ++k) {
        const int64_t channel = o / per_group * c.w[1] + k;
        for (int64_t tap = 0; tap < taps; ++tap) {
          for (int64_t row = 0; row < y[2]; ++row) {
            const int64_t in_row = row + tap / extent - c.pad;
            if (in_row < 0 || in_row >= c.x[2]) continue;
            for (int64_t column = 0; column < y[3]; ++column) {
              const int64_t in_column = column + tap % extent - c.pad;
              if (in_column < 0 || in_column >= c.x[3]) continue;
              visit(size_t(((n * y[1] + o) * y[2] + row) * y[3] + column),
                    size_t(((n * c.x[1] + channel) * c.x[2] + in_row) * c.x[3] + in_column),
                    size_t((o * c.w[1] + k) * taps + tap));
            }
          }
        }
      }
    }
  }
}

// Largest error relative to the largest element: a result's own rounding is 2^-9 of it, and the roundings of the tiles
// are some 2.5 times as large as those of typical results.
void expect_close(const Array& got, const std::vector<double>& want) {
  double error = 0, largest = 0;
  ASSERT_EQ(got.values.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) {
    ASSERT_TRUE(std::isfinite(got.values[i])) << i;
    error = std::max(error, std::fabs(got.values[i] - want[i]));
    largest = std::max(largest, std::fabs(want[i]));
  }
  EXPECT_LT(error, std::ldexp(largest, -7));
}

TEST(WinogradBf16, AgreesWithDoublePrecisionForwardAndBackward) {
  for (const Case& c : kCases) {
    const Array x = test::random_array(kBf16, c.x, 1), w = test::random_array(kBf16, c.w, 2),
                dy = test::random_array(kBf16, result_of(c), 3), bias = test::random_array(kF32, {c.w[0]}, 4);
    std::vector<double> y(dy.values.size()), dx(x.values.size()), dw(w.values.size()), db(size_t(c.w[0]));
    for_each_tap(c, [&](size_t iy, size_t ix, size_t iw) {
      y[iy] += x.values[ix] * w.values[iw];
      dx[ix] += dy.values[iy] * w.values[iw];
      dw[iw] += dy.values[iy] * x.values[ix];
    });
    const size_t plane = size_t(dy.shape[2] * dy.shape[3]), channels = size_t(c.w[0]);
    for (size_t i = 0; i < y.size(); ++i) {
      y[i] = std::max(0.0, y[i] + bias.values[i / plane % channels]);
      db[i / plane % channels] += dy.values[i];
    }
    json forward = attributes(c, kBf16), to_x = forward, to_w = attributes(c, kF32);
    forward["activation"] = "relu";
    to_x["size"] = {c.x[2], c.x[3]};
    to_w["kernel"] = {c.w[2], c.w[3]};
    to_w["sumDy"] = true;
    expect_close(test::run_node("conv2d", {x, w, bias}, {{kBf16, dy.shape}}, forward)[0], y);
    expect_close(test::run_node("conv2dGradInput", {dy, w}, {{kBf16, x.shape}}, to_x)[0], dx);
    const auto run = [&](int threads) {
      return test::run_node("conv2dGradWeight", {x, dy}, {{kF32, w.shape}, {kF32, {c.w[0]}}}, to_w, threads, 2);
    };
    const std::vector<Array> two = run(2), one = run(1);
    expect_close(two[0], dw);
    for (size_t i = 0; i < channels; ++i) EXPECT_NEAR(two[1].values[i], db[i], 1e-3) << i;
    // Winograd's form is ours; oneDNN's sums depend on how many threads share them.
    const std::vector<Array>& again = cpu::winograd_bf16() ? one : run(2);
    EXPECT_EQ(two[0].values, again[0].values);
    EXPECT_EQ(two[1].values, again[1].values);
  }
}

TEST(WinogradBf16, KeepsWhatIsNoNumber) {
  const Case c = {{1, 64, 6, 6}, {64, 64, 3, 3}, 1, 1};
  Array x = test::random_array(kBf16, c.x, 1);
  const Array w = test::random_array(kBf16, c.w, 2), bias = test::random_array(kF32, {64}, 3);
  x.values[0] = NAN;
  json attrs = attributes(c, kBf16);
  attrs["activation"] = "relu";
  const Array y = test::run_node("conv2d", {x, w, bias}, {{kBf16, {1, 64, 6, 6}}}, attrs)[0];
  EXPECT_TRUE(std::isnan(y.values[0])) << "relu of NaN is NaN";
}

TEST(WinogradBf16, MultipliesEveryNumberOfRows) {
  const Bf16Table* table = cpu::simd::bf16_table();
  if (table == nullptr) GTEST_SKIP() << "this CPU does not multiply bf16";
  constexpr int64_t kPairs = 9, kRow = 2 * kPairs + 4, kColumns = Bf16Table::kColumns;
  const auto element = [](const Array& array, int64_t i) {
    return core::float_to_bf16(float(array.values[size_t(i)]));
  };
  const Array a = test::random_array(kBf16, {40, kRow}, 1), b = test::random_array(kBf16, {2 * kPairs, kColumns}, 2),
              d = test::random_array(kBf16, {2 * kPairs, kColumns}, 3);
  std::vector<uint16_t> rows, packed_b, packed_d;
  for (int64_t i = 0; i < 40 * kRow; ++i) rows.push_back(element(a, i));
  for (int64_t i = 0; i < 2 * kPairs * kColumns; ++i) {
    const int64_t at = (i / (2 * kColumns) * 2 + i % 2) * kColumns + i / 2 % kColumns;
    packed_b.push_back(element(b, at));
    packed_d.push_back(element(d, at));
  }
  const auto expect_row = [&](const std::vector<float>& c, int64_t row, const std::function<double(int64_t)>& left,
                              double start) {
    for (int64_t column = 0; column < kColumns; ++column) {
      double want = start;
      for (int64_t i = 0; i < 2 * kPairs; ++i) want += left(i) * b.values[size_t(i * kColumns + column)];
      ASSERT_NEAR(double(c[size_t(row * (kColumns + 3) + column)]), want, 1e-5) << row << ", " << column;
    }
  };
  for (int64_t count = 1; count <= 40; ++count) {
    std::vector<float> c(size_t(count * (kColumns + 3)), NAN);
    table->product(c.data(), kColumns + 3, rows.data(), kRow, count, packed_b.data(), kPairs);
    for (int64_t row = 0; row < count; ++row)
      expect_row(
          c, row, [&](int64_t i) { return a.values[size_t(row * kRow + i)]; }, 0);
  }
  for (const bool add : {false, true}) {
    std::vector<float> c(size_t(kColumns * (kColumns + 3)), add ? 0.5f : NAN);
    table->packed_product(c.data(), kColumns + 3, packed_d.data(), packed_b.data(), kPairs, add);
    for (int64_t row = 0; row < kColumns; ++row)
      expect_row(
          c, row, [&](int64_t i) { return d.values[size_t(i * kColumns + row)]; }, add ? 0.5 : 0);
  }
}

}  // namespace
