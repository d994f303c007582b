// bf16 convolutions over many channels and their gradients, of more tiles than a thread or a chunk takes at once, and
// the products beneath them: against double precision. Where this machine has no fast bf16 they run in another form,
// which must agree as well.
#include "cpu/kernels/winograd_bf16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "conv_oracle.h"
#include "cpu/simd/bf16/bf16_table.h"

namespace {

using namespace ostrich;
using core::DType;
using core::Shape;
using cpu::simd::Bf16Table;
using test::Array;
using test::ConvCase;
using test::json;

const DType kF32 = DType::f32, kBf16 = DType::bf16;

// A whole number of tiles or not, an odd number of them, groups, and channels last or not as the machine likes.
const ConvCase kCases[] = {{{3, 64, 33, 31}, {96, 64, 3, 3}, 1, 1},
                           {{1, 64, 35, 35}, {96, 64, 3, 3}, 1, 0},
                           {{2, 128, 19, 26}, {192, 64, 3, 3}, 2, 2},
                           {{1, 64, 25, 27}, {96, 64, 5, 5}, 1, 2},
                           {{2, 128, 11, 15}, {128, 64, 5, 5}, 2, 0}};

// A result's own rounding is 2^-9 of it, and the roundings of the tiles are some 2.5 times as large as those of typical
// results. Winograd's form is ours; oneDNN's sums depend on how many threads share them.
TEST(WinogradBf16, AgreesWithDoublePrecisionForwardAndBackward) {
  for (const ConvCase& c : kCases) test::expect_convolution(c, kBf16, kBf16, -7, cpu::winograd_bf16());
}

TEST(WinogradBf16, KeepsWhatIsNoNumber) {
  const ConvCase c = {{1, 64, 6, 6}, {96, 64, 3, 3}, 1, 1};
  Array x = test::random_array(kBf16, c.x, 1);
  const Array w = test::random_array(kBf16, c.w, 2), bias = test::random_array(kF32, {96}, 3);
  x.values[0] = NAN;
  json attrs = test::conv_attributes(c, kBf16);
  attrs["activation"] = "relu";
  const Array y = test::run_node("conv2d", {x, w, bias}, {{kBf16, {1, 96, 6, 6}}}, attrs)[0];
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
