// Convolutions in double precision, and the attributes of their nodes: what a form of ours must agree with.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "run_program.h"

namespace ostrich::test {

// x [N, C, H, W], w [O, C/groups, R, R], of stride 1.
struct ConvCase {
  core::Shape x, w;
  int64_t groups, pad;
};

inline core::Shape result_of(const ConvCase& c) {
  return {c.x[0], c.w[0], c.x[2] + 2 * c.pad - c.w[2] + 1, c.x[3] + 2 * c.pad - c.w[3] + 1};
}

inline json conv_attributes(const ConvCase& c, core::DType dtype) {
  return {{"stride", {1, 1}},
          {"padding", {c.pad, c.pad, c.pad, c.pad}},
          {"dilation", {1, 1}},
          {"groups", c.groups},
          {"dtype", core::name_of(dtype)}};
}

// Calls visit(y, x, w) with the places of every product that the convolution sums.
template <class Visit>
void for_each_tap(const ConvCase& c, Visit visit) {
  const core::Shape y = result_of(c);
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

// The largest error is below 2^exponent of the largest element.
inline void expect_close(const Array& got, const std::vector<double>& want, int exponent) {
  double error = 0, largest = 0;
  ASSERT_EQ(got.values.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) {
    ASSERT_TRUE(std::isfinite(got.values[i])) << i;
    error = std::max(error, std::fabs(got.values[i] - want[i]));
    largest = std::max(largest, std::fabs(want[i]));
  }
  EXPECT_LT(error, std::ldexp(largest, exponent));
}

// Forward with a bias and relu, and both gradients, of images of `dtype` to results of type `result`, and weights'
// gradients in f32; the gradient of weights has the same bits for one thread and for two where `is_ours`.
inline void expect_convolution(const ConvCase& c, core::DType dtype, core::DType result, int exponent, bool is_ours) {
  const core::DType kF32 = core::DType::f32;
  const Array x = random_array(dtype, c.x, 1), w = random_array(dtype, c.w, 2),
              dy = random_array(dtype, result_of(c), 3), bias = random_array(kF32, {c.w[0]}, 4);
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
  json forward = conv_attributes(c, result), to_x = forward, to_w = conv_attributes(c, kF32);
  forward["activation"] = "relu";
  to_x["size"] = {c.x[2], c.x[3]};
  to_w["kernel"] = {c.w[2], c.w[3]};
  to_w["sumDy"] = true;
  expect_close(run_node("conv2d", {x, w, bias}, {{result, dy.shape}}, forward)[0], y, exponent);
  expect_close(run_node("conv2dGradInput", {dy, w}, {{result, x.shape}}, to_x)[0], dx, exponent);
  const auto run = [&](int threads) {
    return run_node("conv2dGradWeight", {x, dy}, {{kF32, w.shape}, {kF32, {c.w[0]}}}, to_w, threads, 2);
  };
  const std::vector<Array> two = run(2), other = run(is_ours ? 1 : 2);
  expect_close(two[0], dw, exponent);
  for (size_t i = 0; i < channels; ++i) EXPECT_NEAR(two[1].values[i], db[i], 1e-3) << i;
  EXPECT_EQ(two[0].values, other[0].values);
  EXPECT_EQ(two[1].values, other[1].values);
}

}  // namespace ostrich::test
