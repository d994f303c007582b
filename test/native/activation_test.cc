// Activations that products end with: their values, NaN that must pass, and padding that must stay zero.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "run_program.h"

namespace {

using namespace ostrich;
using core::DType;
using core::Shape;
using test::Array;
using test::json;

const DType kF32 = DType::f32, kBf16 = DType::bf16;

double activated(const std::string& name, double x) {
  if (name == "relu") return x < 0 ? 0 : x;
  if (name == "tanh") return std::tanh(x);
  return name == "sigmoid" ? 1 / (1 + std::exp(-x)) : x;
}

json conv_attrs(int64_t pad, const std::string& activation, DType dtype) {
  return {{"stride", {1, 1}}, {"padding", {pad, pad, pad, pad}}, {"dilation", {1, 1}},
          {"groups", 1},      {"activation", activation},        {"dtype", core::name_of(dtype)}};
}

json matmul_attrs(bool transpose_b, const std::string& activation, DType dtype) {
  return {{"transposeA", false},
          {"transposeB", transpose_b},
          {"sumA", false},
          {"activation", activation},
          {"dtype", core::name_of(dtype)}};
}

// What the node gives with each activation, against the activation of what it gives without one, or NaN where it
// `must`: Winograd's form spreads it over more. Forms differ by their roundings; bf16 is rounded before and after.
void expect_activated(const std::string& op, const std::vector<Array>& inputs, const Shape& y,
                      const std::function<json(const std::string&, DType)>& attrs,
                      const std::function<bool(int64_t)>& must) {
  const DType input = inputs[0].dtype;
  for (DType dtype : {kF32, input}) {
    const Array plain = test::run_node(op, inputs, {{dtype, y}}, attrs("none", dtype))[0];
    for (const char* name : {"relu", "tanh", "sigmoid"}) {
      const Array got = test::run_node(op, inputs, {{dtype, y}}, attrs(name, dtype))[0];
      for (size_t i = 0; i < plain.values.size(); ++i) {
        const double want = activated(name, plain.values[i]);
        if (must(int64_t(i))) {
          ASSERT_TRUE(std::isnan(got.values[i])) << op << " " << name << " of NaN at " << i << ": " << got.values[i];
        } else if (!std::isnan(want) && !std::isnan(got.values[i])) {
          ASSERT_NEAR(got.values[i], want, (input == kF32 ? 1e-4 : 5e-2) * std::max(1.0, std::fabs(want)))
              << op << " " << name << " at " << i;
        }
      }
    }
  }
}

TEST(Activation, OfAConvolutionLetsNanThrough) {
  struct Case {
    int64_t channels, outputs, kernel;
  };
  // Winograd's form, few channels, a product of channels, and channels that fill no block.
  for (const Case& c : {Case{64, 64, 3}, Case{3, 64, 3}, Case{64, 32, 1}, Case{5, 20, 3}}) {
    for (DType dtype : {kF32, kBf16}) {
      Array x = test::random_array(dtype, {2, c.channels, 12, 12}, 1);
      x.values[5 * 12 + 5] = NAN;
      const Array w = test::random_array(dtype, {c.outputs, c.channels, c.kernel, c.kernel}, 2, 0.2),
                  bias = test::random_array(kF32, {c.outputs}, 3);
      const int64_t pad = c.kernel / 2;
      const auto attrs = [&](const std::string& name, DType result) { return conv_attrs(pad, name, result); };
      const auto must = [&](int64_t i) {
        return i < c.outputs * 144 && std::abs(i / 12 % 12 - 5) <= pad && std::abs(i % 12 - 5) <= pad;
      };
      expect_activated("conv2d", {x, w, bias}, {2, c.outputs, 12, 12}, attrs, must);
    }
  }
}

TEST(Activation, OfAProductLetsNanThrough) {
  for (DType dtype : {kF32, kBf16}) {
    for (bool transpose_b : {true, false}) {
      Array a = test::random_array(dtype, {40, 64}, 1);
      a.values[3 * 64 + 1] = NAN;
      const Array b = test::random_array(dtype, transpose_b ? Shape{48, 64} : Shape{64, 48}, 2, 0.3),
                  bias = test::random_array(kF32, {48}, 3);
      const auto attrs = [&](const std::string& name, DType result) { return matmul_attrs(transpose_b, name, result); };
      const auto must = [](int64_t i) { return i / 48 == 3; };
      expect_activated("matmul", {a, b, bias}, {40, 48}, attrs, must);
      expect_activated("matmul", {a, b}, {40, 48}, attrs, must);
    }
  }
}

TEST(Activation, LeavesPaddingZero) {
  // norm goes over what fills up blocks too: 20 channels fill none.
  const Array x = test::random_array(kF32, {1, 24, 6, 6}, 1), w = test::random_array(kF32, {20, 24, 3, 3}, 2, 0.1);
  const Shape shape = {1, 20, 6, 6};
  json text = test::node_text("conv2d", {x, w}, {{kF32, shape}}, conv_attrs(1, "sigmoid", kF32));
  text["nodes"].push_back({{"op", "norm"},
                           {"in", {2}},
                           {"out", json::array({test::declare(3, kF32, {})})},
                           {"attrs", json::object()},
                           {"path", "test"}});
  text["fetches"].push_back({{"name", "norm"}, {"value", 3}});
  const std::vector<Array> got = test::run_text(text, {x, w}, {{kF32, shape}, {kF32, {}}});
  double sum = 0;
  for (double value : got[0].values) sum += value * value;
  EXPECT_NEAR(got[1].values[0], std::sqrt(sum), 1e-4 * std::sqrt(sum));
}

}  // namespace
