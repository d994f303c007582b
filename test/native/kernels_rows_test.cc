// softmax, cross-entropy, norm, gather, scatterAdd, and random draws: against double precision, against core/philox.h
// word for word, and with labels and indices that do not exist.
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/philox.h"
#include "cpu/kernels/bad_row.h"
#include "run_program.h"

namespace {

using namespace ostrich;
using core::DType;
using core::Shape;
using test::Array;
using test::json;

const DType kF32 = DType::f32, kBf16 = DType::bf16, kI32 = DType::i32;

double log_sum_exp(const Array& x, int64_t row, int64_t k) {
  double max = -INFINITY, sum = 0;
  for (int64_t j = 0; j < k; ++j) max = std::max(max, x.values[size_t(row * k + j)]);
  for (int64_t j = 0; j < k; ++j) sum += std::exp(x.values[size_t(row * k + j)] - max);
  return max + std::log(sum);
}

struct Case {
  DType dtype;
  int64_t rows, k;
  double tolerance;  // bf16: half a unit of 8 bits
};
const Case kCases[] = {
    {kF32, 300, 10, 1e-6}, {kF32, 3, 5000, 1e-6}, {kBf16, 70, 1025, 4e-3}, {kF32, 4, 1, 1e-6}, {kBf16, 9, 16, 4e-3}};

TEST(Rows, SoftmaxAndItsLogarithm) {
  for (const Case& c : kCases) {
    const Array x = test::random_array(c.dtype, {c.rows, c.k}, 1, 30);
    const auto p = test::run_node("softmax", {x}, {{c.dtype, x.shape}}, json::object())[0];
    const auto l = test::run_node("logSoftmax", {x}, {{c.dtype, x.shape}}, json::object())[0];
    for (size_t i = 0; i < x.values.size(); ++i) {
      const double exact = x.values[i] - log_sum_exp(x, int64_t(i) / c.k, c.k);
      ASSERT_NEAR(p.values[i], std::exp(exact), c.tolerance * std::exp(exact) * 2 + 1e-12);
      ASSERT_NEAR(l.values[i], exact, c.tolerance * std::max(1.0, std::fabs(exact)));
    }
  }
}

TEST(Rows, SoftmaxOfExtremeLogits) {
  const Array x{kF32, {3, 3}, {1000, 1000, -1000, -INFINITY, 0, -INFINITY, 3e38, -3e38, 0}};
  const auto p = test::run_node("softmax", {x}, {{kF32, {3, 3}}}, json::object())[0];
  EXPECT_EQ(p.values, (std::vector<double>{0.5, 0.5, 0, 0, 1, 0, 1, 0, 0}));
}

double norm_of(const Array& x) { return test::run_node("norm", {x}, {{kF32, {}}}, json::object())[0].values[0]; }

// Also where f32 does not hold the squares, or their sum; more than one piece, of which one is large.
TEST(Rows, NormWhateverTheSumOfSquares) {
  for (DType dtype : {kF32, kBf16}) {
    for (double scale : {1.0, 1e18, 1e25, 1e34}) {
      Array x = test::random_array(dtype, {70000}, 1);
      for (size_t i = 0; i < 40000; ++i) x.values[i] *= scale;
      double sum = 0;
      for (double value : test::from_bytes(dtype, x.shape, test::to_bytes(x)).values) sum += value * value;
      EXPECT_NEAR(norm_of(x), std::sqrt(sum), 1e-6 * std::sqrt(sum)) << scale;
    }
    Array x = test::random_array(dtype, {100}, 2);
    x.values[7] = INFINITY;
    EXPECT_EQ(norm_of(x), INFINITY);
    x.values[8] = NAN;
    EXPECT_TRUE(std::isnan(norm_of(x)));
    EXPECT_EQ(norm_of({dtype, {3}, {0, 0, 0}}), 0);
  }
}

Array labels_of(int64_t rows, int64_t k) {
  Array labels{kI32, {rows}, {}};
  for (int64_t i = 0; i < rows; ++i) labels.values.push_back(double(i * 7 % k));
  return labels;
}

void check_cross_entropy(const Case& c, double smoothing) {
  const json attrs{{"smoothing", smoothing}};
  const Array x = test::random_array(c.dtype, {c.rows, c.k}, 2, 8), labels = labels_of(c.rows, c.k);
  const auto out = test::run_node("crossEntropy", {x, labels}, {{kF32, {c.rows}}, {kF32, {c.rows, 2}}}, attrs);
  const Array dloss = test::random_array(kF32, {c.rows}, 3);
  const auto dx = test::run_node("crossEntropyGrad", {dloss, x, labels, out[1]}, {{c.dtype, x.shape}}, attrs)[0];
  for (int64_t row = 0; row < c.rows; ++row) {
    const double lse = log_sum_exp(x, row, c.k);
    const int64_t label = int64_t(labels.values[size_t(row)]);
    const double parts = out[1].values[size_t(2 * row)] + out[1].values[size_t(2 * row + 1)];
    ASSERT_NEAR(parts, lse, 2e-6 * std::max(1.0, std::fabs(lse)));
    double wanted = (1 - smoothing) * x.values[size_t(row * c.k + label)];
    for (int64_t j = 0; j < c.k; ++j) wanted += smoothing * x.values[size_t(row * c.k + j)] / double(c.k);
    ASSERT_NEAR(out[0].values[size_t(row)], lse - wanted, 4e-6 * std::max(1.0, std::fabs(lse)));
    for (int64_t j = 0; j < c.k; ++j) {
      const double target = smoothing / double(c.k) + (j == label ? 1 - smoothing : 0);
      const double slope = std::exp(x.values[size_t(row * c.k + j)] - lse) - target;
      ASSERT_NEAR(dx.values[size_t(row * c.k + j)], dloss.values[size_t(row)] * slope, std::max(c.tolerance, 5e-6));
    }
  }
}

TEST(Rows, CrossEntropyAndItsGradient) {
  for (const double smoothing : {0.0, 0.1, 0.75}) {
    for (const Case& c : kCases) check_cross_entropy(c, smoothing);
  }
}

TEST(Rows, CrossEntropyOfLargeLogitsLosesNothing) {
  const json plain{{"smoothing", 0}};
  for (const double top : {1e3, 1e6, 1e8, -1e8}) {
    // Equal logits, and one that is larger by 64, which every float of this size tells apart.
    const Array x{kF32, {2, 4}, {top, top, top, top, top, top, top, top + 64}}, labels{kI32, {2}, {0, 2}};
    const auto out = test::run_node("crossEntropy", {x, labels}, {{kF32, {2}}, {kF32, {2, 2}}}, plain);
    const Array dloss{kF32, {2}, {1, -2}};
    const auto dx = test::run_node("crossEntropyGrad", {dloss, x, labels, out[1]}, {{kF32, {2, 4}}}, plain)[0].values;
    EXPECT_NEAR(out[0].values[0], std::log(4.0), 2e-7) << top;
    EXPECT_NEAR(out[0].values[1], 64, 1e-5) << top;
    // The mean of the second row is 48 below its largest.
    const json half{{"smoothing", 0.5}};
    const auto smooth = test::run_node("crossEntropy", {x, labels}, {{kF32, {2}}, {kF32, {2, 2}}}, half)[0].values;
    EXPECT_NEAR(smooth[1], 0.5 * 64 + 0.5 * 48, 1e-5) << top;
    const double want[] = {-0.75, 0.25, 0.25, 0.25, 0, 0, 2, -2};
    for (size_t i = 0; i < 8; ++i) EXPECT_NEAR(dx[i], want[i], 1e-6) << top << " at " << i;
  }
}

void expect_data_error(const std::string& op, const std::vector<Array>& inputs,
                       const std::vector<test::Output>& outputs, const json& attrs, const std::string& message) {
  try {
    test::run_node(op, inputs, outputs, attrs);
    FAIL() << op << " took a bad index";
  } catch (const core::Error& error) {
    EXPECT_EQ(error.code(), "ERR_DATA");
    EXPECT_EQ(std::string(error.what()), message);
  }
}

TEST(Rows, LabelsAndIndicesOutsideAreErrorsThatNameThePlace) {
  const Array x = test::random_array(kF32, {5, 10}, 1), dloss = test::random_array(kF32, {5}, 2);
  const Array high{kI32, {5}, {0, 9, 3, 12, -1}}, low{kI32, {5}, {0, 9, -1, 3, 1}};
  const Array parts = test::random_array(kF32, {5, 2}, 3);
  expect_data_error("crossEntropy", {x, high}, {{kF32, {5}}, {kF32, {5, 2}}}, json{{"smoothing", 0}},
                    "crossEntropy[test]: expected labels 0..9, got 12 at row 3");
  expect_data_error("crossEntropyGrad", {dloss, x, low, parts}, {{kF32, {5, 10}}}, json{{"smoothing", 0}},
                    "crossEntropyGrad[test]: expected labels 0..9, got -1 at row 2");
  expect_data_error("gather", {x, high}, {{kF32, {5, 10}}}, json::object(),
                    "gather[test]: expected indices 0..4, got 9 at position 1");
  expect_data_error("scatterAdd", {low, x}, {{kF32, {8, 10}}}, {{"rows", 8}},
                    "scatterAdd[test]: expected indices 0..7, got 9 at position 1");
  expect_data_error("coalesce", {low, x}, {{kF32, {5, 10}}}, {{"rows", 8}},
                    "coalesce[test]: expected indices 0..7, got 9 at position 1");
  expect_data_error("setRows", {test::random_array(kF32, {8, 10}, 4), low, x}, {{kF32, {8, 10}}}, json::object(),
                    "setRows[test]: expected indices 0..7, got 9 at position 1");
}

TEST(Rows, NegativeIndicesAreRefusedWhateverTheLimit) {
  for (const int64_t limit :
       {int64_t(3), int64_t(1) << 31, (int64_t(1) << 31) + 5, int64_t(1) << 32, int64_t(1) << 40}) {
    const int32_t good[] = {0, 2}, bad[] = {2, INT32_MIN}, minus_one[] = {-1};
    EXPECT_NO_THROW(cpu::expect_below("test", "indices", good, 2, limit, "position"));
    EXPECT_THROW(cpu::expect_below("test", "indices", bad, 2, limit, "position"), core::Error) << limit;
    EXPECT_THROW(cpu::expect_below("test", "indices", minus_one, 1, limit, "position"), core::Error) << limit;
  }
}

TEST(Rows, GatherTakesRows) {
  for (DType dtype : {kF32, kBf16}) {
    const Array table = test::random_array(dtype, {50, 33}, 1), index = test::random_array(kI32, {40, 60}, 2, 50);
    const auto y = test::run_node("gather", {table, index}, {{dtype, {40, 60, 33}}}, json::object())[0];
    for (size_t i = 0; i < y.values.size(); ++i)
      ASSERT_EQ(y.values[i], table.values[size_t(index.values[i / 33]) * 33 + i % 33]);
  }
}

TEST(Rows, ScatterAddSumsRowsInOrder) {
  for (DType dtype : {kF32, kBf16}) {
    const Array updates = test::random_array(dtype, {3000, 20}, 1), index = test::random_array(kI32, {3000}, 2, 200);
    std::vector<float> exact(300 * 20);
    for (size_t i = 0; i < updates.values.size(); ++i)
      exact[size_t(index.values[i / 20]) * 20 + i % 20] += float(updates.values[i]);
    for (int threads : {1, 2}) {
      const auto y =
          test::run_node("scatterAdd", {index, updates}, {{dtype, {300, 20}}}, {{"rows", 300}}, threads, 2)[0];
      for (size_t i = 0; i < exact.size(); ++i) {
        const float rounded = dtype == kF32 ? exact[i] : core::bf16_to_float(core::float_to_bf16(exact[i]));
        ASSERT_EQ(float(y.values[i]), rounded) << core::name_of(dtype) << " element " << i;
      }
    }
  }
}

TEST(Rows, CoalesceSumsRowsInOrderAtTheLastOfThem) {
  for (DType dtype : {kF32, kBf16}) {
    const Array updates = test::random_array(dtype, {3000, 20}, 1), index = test::random_array(kI32, {3000}, 2, 200);
    std::vector<float> sums(200 * 20), exact(3000 * 20);
    for (size_t i = 0; i < updates.values.size(); ++i)
      sums[size_t(index.values[i / 20]) * 20 + i % 20] += float(updates.values[i]);
    std::vector<bool> taken(200);
    for (size_t i = 3000; i-- > 0;) {
      const size_t row = size_t(index.values[i]);
      for (size_t j = 0; j < 20 && !taken[row]; ++j) exact[i * 20 + j] = sums[row * 20 + j];
      taken[row] = true;
    }
    for (int threads : {1, 2}) {
      // More rows than one pass of sorting tells apart.
      const auto y =
          test::run_node("coalesce", {index, updates}, {{dtype, {3000, 20}}}, {{"rows", 5000000}}, threads, 2)[0];
      for (size_t i = 0; i < exact.size(); ++i) {
        const float rounded = dtype == kF32 ? exact[i] : core::bf16_to_float(core::float_to_bf16(exact[i]));
        ASSERT_EQ(float(y.values[i]), rounded) << core::name_of(dtype) << " element " << i;
      }
    }
  }
}

TEST(Rows, SetRowsKeepsTheLastOfARow) {
  for (DType dtype : {kF32, kBf16}) {
    const Array table = test::random_array(dtype, {300, 20}, 1), rows = test::random_array(dtype, {3000, 20}, 2);
    const Array index = test::random_array(kI32, {3000}, 3, 200);
    auto exact = table.values;
    for (size_t i = 0; i < rows.values.size(); ++i) exact[size_t(index.values[i / 20]) * 20 + i % 20] = rows.values[i];
    for (int threads : {1, 2}) {
      const auto y =
          test::run_node("setRows", {table, index, rows}, {{dtype, {300, 20}}}, json::object(), threads, 2)[0];
      ASSERT_EQ(y.values, exact) << core::name_of(dtype) << " with " << threads << " threads";
    }
  }
}

uint32_t word_of(int64_t element, uint32_t stream) {
  const uint64_t block = uint64_t(element) / 4;
  return core::philox(uint32_t(block), uint32_t(block >> 32), stream, 0xfffffffeu, 5, uint32_t(-6)).word[element % 4];
}
const Array kSeed{kI32, {2}, {5, -6}}, kStep{kI32, {}, {-2}};

TEST(Random, UniformIsExact) {
  for (int64_t n : {1, 63, 64, 20001}) {
    const auto y = test::run_node("randomUniform", {kSeed, kStep}, {{kF32, {n}}},
                                  {{"shape", {n}}, {"stream", 9}, {"low", -0.3}, {"high", 0.45}})[0];
    for (int64_t i = 0; i < n; ++i) {
      volatile float scaled = float(word_of(i, 9) >> 8) * 0x1p-24f * (0.45f - -0.3f);
      ASSERT_EQ(float(y.values[size_t(i)]), scaled + -0.3f) << i;
    }
  }
}

TEST(Random, UniformStaysBelowItsUpperBound) {
  // Between these bounds a thirtieth of a percent of the draws are rounded to the upper one.
  const struct {
    double low, high, last;
  } cases[] = {{1000, 1001, 1000.99993896484375}, {-1001, -1000, -1000.00006103515625}, {3, 3, 3}, {-1, 0, -1e-45}};
  for (const auto& c : cases) {
    const auto y = test::run_node("randomUniform", {kSeed, kStep}, {{kF32, {400000}}},
                                  {{"shape", {400000}}, {"stream", 9}, {"low", c.low}, {"high", c.high}})[0];
    for (size_t i = 0; i < y.values.size(); ++i) {
      ASSERT_GE(y.values[i], c.low) << i;
      ASSERT_LE(float(y.values[i]), float(c.last)) << i;
    }
  }
}

TEST(Random, NormalIsBoxMuller) {
  const int64_t n = 20003;
  const auto y = test::run_node("randomNormal", {kSeed, kStep}, {{kF32, {n}}},
                                {{"shape", {n}}, {"stream", 3}, {"mean", 1}, {"std", 2}})[0];
  for (int64_t i = 0; i < n; ++i) {
    const double u = double((word_of(i / 2 * 2, 3) >> 8) + 1) * 0x1p-24,
                 turn = double(word_of(i / 2 * 2 + 1, 3) >> 8) * 0x1p-24;
    const double r = std::sqrt(-2 * std::log(u)), t = 6.283185307179586 * turn;
    ASSERT_NEAR(y.values[size_t(i)], 1 + 2 * r * (i % 2 ? std::sin(t) : std::cos(t)), 3e-6) << i;
  }
}

TEST(Random, DropoutKeepsWhatTheDrawSays) {
  for (DType dtype : {kF32, kBf16}) {
    for (double rate : {0.0, 0.1, 0.5, 0.999}) {
      const Array x = test::random_array(dtype, {131, 77}, 1);
      const auto y =
          test::run_node("dropout", {x, kSeed, kStep}, {{dtype, x.shape}}, {{"rate", rate}, {"stream", 2}})[0];
      for (size_t i = 0; i < x.values.size(); ++i) {
        const bool keep = double(word_of(int64_t(i), 2) >> 8) * 0x1p-24 >= rate;
        const float kept = float(x.values[i]) * float(1 / (1 - rate));
        const float rounded = dtype == kF32 ? kept : core::bf16_to_float(core::float_to_bf16(kept));
        ASSERT_EQ(float(y.values[i]), keep ? rounded : 0) << i;
      }
    }
  }
}

}  // namespace
