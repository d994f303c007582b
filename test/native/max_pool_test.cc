// Max pools and their gradients in every layout, against the plain definition: the first maximum of a window wins, and
// NaN is larger than any number.
#include <gtest/gtest.h>

#include <cmath>

#include "cpu/simd/table.h"
#include "run_program.h"

namespace {

using namespace ostrich;
using core::DType;
using core::Shape;
using test::Array;
using test::json;

const DType kF32 = DType::f32, kBf16 = DType::bf16, kU8 = DType::u8;

struct Pool {
  Shape x;
  std::vector<int64_t> kernel, stride, padding;

  Shape result() const {
    const auto count = [&](size_t axis) {
      return (x[axis + 2] + padding[axis] + padding[axis + 2] - kernel[axis]) / stride[axis] + 1;
    };
    return {x[0], x[1], count(0), count(1)};
  }
  json attrs() const { return {{"kernel", kernel}, {"stride", stride}, {"padding", padding}}; }
};

// Few channels and many, whole vectors and not; windows side by side, overlapping, apart, padded, with rows left over,
// of one place, and of 256, the most that an index tells apart.
const Pool kPools[] = {
    {{2, 3, 9, 8}, {3, 2}, {2, 1}, {1, 0, 1, 1}},       {{3, 16, 8, 8}, {2, 2}, {2, 2}, {0, 0, 0, 0}},
    {{2, 64, 13, 13}, {3, 3}, {2, 2}, {0, 0, 0, 0}},    {{1, 20, 11, 10}, {3, 3}, {1, 1}, {1, 1, 1, 1}},
    {{2, 8, 9, 9}, {2, 2}, {3, 3}, {0, 0, 0, 0}},       {{1, 33, 5, 7}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
    {{1, 16, 32, 33}, {16, 16}, {8, 16}, {0, 0, 0, 0}}, {{2, 32, 6, 5}, {5, 5}, {1, 1}, {4, 4, 4, 4}}};

// Place in x of the winner of each window.
std::vector<size_t> winners(const Pool& pool, const Array& x) {
  std::vector<size_t> places;
  const Shape y = pool.result();
  for (int64_t plane = 0; plane < y[0] * y[1]; ++plane) {
    for (int64_t i = 0; i < y[2] * y[3]; ++i) {
      int64_t best = -1;
      for (int64_t k = 0; k < pool.kernel[0] * pool.kernel[1]; ++k) {
        const int64_t row = i / y[3] * pool.stride[0] - pool.padding[0] + k / pool.kernel[1],
                      column = i % y[3] * pool.stride[1] - pool.padding[1] + k % pool.kernel[1];
        if (row < 0 || row >= x.shape[2] || column < 0 || column >= x.shape[3]) continue;
        const int64_t at = (plane * x.shape[2] + row) * x.shape[3] + column;
        const double value = x.values[size_t(at)], so_far = best < 0 ? 0 : x.values[size_t(best)];
        if (best < 0 || value > so_far || (std::isnan(value) && !std::isnan(so_far))) best = at;
      }
      places.push_back(size_t(best));
    }
  }
  return places;
}

// y and dx of x and dy.
std::vector<Array> run_pool(const Pool& pool, const Array& x, const Array& dy, int threads) {
  const core::DType dtype = x.dtype;
  const Shape y = pool.result();
  json text = test::node_text("maxPool2d", {x, dy}, {{dtype, y}, {kU8, y}}, pool.attrs());
  json attrs = pool.attrs();
  attrs["size"] = {x.shape[2], x.shape[3]};
  text["nodes"][0]["in"] = {0};
  text["nodes"].push_back({{"op", "maxPool2dGrad"},
                           {"in", {1, 3}},
                           {"out", json::array({test::declare(4, dtype, x.shape)})},
                           {"attrs", attrs},
                           {"path", "test"}});
  text["fetches"][1] = {{"name", "dx"}, {"value", 4}};
  return test::run_text(text, {x, dy}, {{dtype, y}, {dtype, x.shape}}, threads, 2);
}

void expect_right(const Pool& pool, const Array& x, const Array& dy) {
  const std::vector<size_t> places = winners(pool, x);
  std::vector<float> dx(x.values.size());
  for (size_t i = 0; i < places.size(); ++i) dx[places[i]] += float(dy.values[i]);
  const std::vector<Array> got = run_pool(pool, x, dy, 2), alone = run_pool(pool, x, dy, 1);
  for (size_t i = 0; i < places.size(); ++i) {
    const double want = x.values[places[i]];
    if (std::isnan(want)) {
      EXPECT_TRUE(std::isnan(got[0].values[i])) << i;
    } else {
      ASSERT_EQ(got[0].values[i], want) << i;
    }
  }
  for (size_t i = 0; i < dx.size(); ++i) {
    const float want = x.dtype == kF32 ? dx[i] : core::bf16_to_float(core::float_to_bf16(dx[i]));
    ASSERT_EQ(float(got[1].values[i]), want) << i;
    ASSERT_EQ(got[1].values[i], alone[1].values[i]) << "the number of threads decides no bit";
  }
}

TEST(MaxPool, TakesTheFirstMaximumOfEveryWindow) {
  for (const Pool& pool : kPools) {
    for (DType dtype : {kF32, kBf16}) {
      SCOPED_TRACE(core::to_string(pool.x) + " " + core::name_of(dtype));
      // Few values, so that many windows hold equal ones.
      Array x = test::random_array(dtype, pool.x, 1);
      for (double& value : x.values) value = std::round(value * 4);
      expect_right(pool, x, test::random_array(dtype, pool.result(), 2));
    }
  }
}

TEST(MaxPool, LetsNanThrough) {
  for (const Pool& pool : kPools) {
    for (DType dtype : {kF32, kBf16}) {
      SCOPED_TRACE(core::to_string(pool.x) + " " + core::name_of(dtype));
      Array x = test::random_array(dtype, pool.x, 1);
      for (size_t i = 0; i < x.values.size(); i += 7) x.values[i] = i % 2 != 0 ? NAN : -INFINITY;
      expect_right(pool, x, test::random_array(dtype, pool.result(), 2));
      x.values.assign(x.values.size(), NAN);
      const Array y = run_pool(pool, x, test::random_array(dtype, pool.result(), 2), 2)[0];
      for (size_t i = 0; i < y.values.size(); ++i) ASSERT_TRUE(std::isnan(y.values[i])) << y.values[i] << " at " << i;
    }
  }
}

TEST(MaxPool, EveryInstructionSetAgrees) {
  constexpr int64_t kChannels = 37, kPlaces = 5;
  const Array x = test::random_array(kF32, {kPlaces, kChannels}, 1);
  const std::vector<float> from(x.values.begin(), x.values.end());
  const cpu::simd::PoolTap taps[] = {{0, 1}, {kChannels, 2}, {2 * kChannels, 7}};
  const cpu::simd::PoolSweep sweep = {taps, 3, kChannels, 3, kChannels, kChannels};
  for (const char* isa : {"baseline", "avx2", "avx512"}) {
    const cpu::simd::Table* table = cpu::simd::table_of(isa);
    if (table == nullptr) continue;
    std::vector<float> y(3 * kChannels + 1, 5.f);
    std::vector<uint8_t> index(3 * kChannels + 1, 99);
    table->max_pool[cpu::simd::kF32](y.data(), index.data(), from.data(), sweep);
    for (size_t i = 0; i < 3 * kChannels; ++i) {
      size_t best = 0;
      for (size_t tap = 1; tap < 3; ++tap) {
        if (from[i + tap * kChannels] > from[i + best * kChannels]) best = tap;
      }
      ASSERT_EQ(y[i], from[i + best * kChannels]) << isa;
      ASSERT_EQ(index[i], taps[best].place) << isa;
    }
    EXPECT_EQ(y.back(), 5.f) << "written past the end";
    EXPECT_EQ(index.back(), 99);
  }
}

}  // namespace
