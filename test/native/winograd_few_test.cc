// Convolutions whose transformed weights stay in a core's cache, and their gradients, against double precision:
// more tiles than a thread takes at once and than a part of the sums has, channels that fill no register, more columns
// than one product takes, channels last or not as the machine likes.
#include "cpu/kernels/winograd_few.h"

#include <gtest/gtest.h>

#include "conv_oracle.h"
#include "cpu/conv_layout.h"
#include "cpu/kernels/winograd_bf16.h"

namespace {

using namespace ostrich;
using core::DType;
using test::ConvCase;

const ConvCase kCases[] = {{{4, 16, 33, 31}, {24, 16, 3, 3}, 1, 1}, {{3, 48, 37, 40}, {80, 48, 3, 3}, 1, 0},
                           {{2, 72, 19, 26}, {56, 72, 3, 3}, 1, 2}, {{2, 16, 25, 27}, {40, 16, 5, 5}, 1, 2},
                           {{2, 24, 11, 15}, {16, 24, 5, 5}, 1, 0}, {{1, 16, 8, 8}, {16, 16, 3, 3}, 1, 1}};

// Whether images lie as this form reads them: where machines like blocks of 16 channels, only if these are whole.
bool is_read(const ConvCase& c) { return cpu::channels_last_is_faster() || (c.x[1] % 16 == 0 && c.w[0] % 16 == 0); }

TEST(WinogradFew, AgreesWithDoublePrecisionForwardAndBackward) {
  for (const ConvCase& c : kCases) {
    ASSERT_TRUE(cpu::winograd_few(c.w, c.groups));
    ASSERT_TRUE(cpu::winograd_pays(DType::f32, DType::f32, c.x, c.w, test::result_of(c), c.groups));
    test::expect_convolution(c, DType::f32, DType::f32, -16, is_read(c));
  }
}

// Results have one rounding, their own, or none where they are in f32.
TEST(WinogradFew, DoesSoInBf16) {
  for (const ConvCase& c : kCases) {
    const bool ours = cpu::winograd_pays(DType::bf16, DType::bf16, c.x, c.w, test::result_of(c), c.groups);
    EXPECT_EQ(ours, cpu::winograd_bf16());
    const bool taken = ours && is_read(c);
    test::expect_convolution(c, DType::bf16, DType::bf16, taken ? -8 : -7, taken);
    test::expect_convolution(c, DType::bf16, DType::f32, taken ? -16 : -7, taken);
  }
}

TEST(WinogradFew, LeavesManyWeightsFewChannelsAndGroupsAlone) {
  EXPECT_FALSE(cpu::winograd_few({128, 64, 3, 3}, 1)) << "1.2 MB of transformed weights";
  EXPECT_FALSE(cpu::winograd_few({32, 16, 3, 3}, 2));
  EXPECT_FALSE(cpu::winograd_pays(DType::f32, DType::f32, {8, 8, 32, 32}, {16, 8, 3, 3}, {8, 16, 32, 32}, 1));
}

TEST(WinogradFew, KeepsWhatIsNoNumber) {
  const ConvCase c = {{1, 16, 8, 8}, {16, 16, 3, 3}, 1, 1};
  test::Array x = test::random_array(DType::f32, c.x, 1);
  const test::Array w = test::random_array(DType::f32, c.w, 2), bias = test::random_array(DType::f32, {16}, 3);
  x.values[0] = NAN;
  test::json attrs = test::conv_attributes(c, DType::f32);
  attrs["activation"] = "relu";
  const test::Array y = test::run_node("conv2d", {x, w, bias}, {{DType::f32, {1, 16, 8, 8}}}, attrs)[0];
  EXPECT_TRUE(std::isnan(y.values[0])) << "relu of NaN is NaN";
}

}  // namespace
