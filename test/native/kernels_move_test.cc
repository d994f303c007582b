// Ops that move or reduce elements, against plain loops over logical indices: reductions over every set of axes, and
// the reshape family in every element size.
#include <gtest/gtest.h>

#include <limits>

#include "run_program.h"

namespace {

using namespace ostrich;
using core::DType;
using core::Shape;
using test::Array;
using test::json;

const DType kF32 = DType::f32, kBf16 = DType::bf16, kI32 = DType::i32, kU8 = DType::u8;

Shape index_of(int64_t i, const Shape& shape) {
  Shape index(shape.size());
  for (size_t axis = shape.size(); axis-- > 0; i /= shape[axis]) index[axis] = i % shape[axis];
  return index;
}

int64_t place_of(const Shape& index, const Shape& shape) {
  int64_t place = 0;
  for (size_t axis = 0; axis < shape.size(); ++axis) place = place * shape[axis] + index[axis];
  return place;
}

Array reduced(const Array& x, const std::vector<int64_t>& axes, bool is_sum) {
  Array y{x.dtype, x.shape, {}};
  for (int64_t axis : axes) y.shape[size_t(axis)] = 1;
  y.values.assign(size_t(core::count(y.shape)), is_sum ? 0 : -std::numeric_limits<double>::infinity());
  for (size_t i = 0; i < x.values.size(); ++i) {
    Shape index = index_of(int64_t(i), x.shape);
    for (int64_t axis : axes) index[size_t(axis)] = 0;
    double& to = y.values[size_t(place_of(index, y.shape))];
    to = is_sum ? to + x.values[i] : std::max(to, x.values[i]);
  }
  return y;
}

void check_reduction(const Array& x, const std::vector<int64_t>& axes) {
  for (const char* op : {"sum", "max"}) {
    const bool is_sum = std::string(op) == "sum";
    if (is_sum && x.dtype == kI32) continue;
    const Array expected = reduced(x, axes, is_sum);
    const json attrs = {{"axes", axes}, {"keepDims", true}};
    const auto alone = test::run_node(op, {x}, {{x.dtype, expected.shape}}, attrs, 1)[0];
    const auto together = test::run_node(op, {x}, {{x.dtype, expected.shape}}, attrs, 2, 2)[0];
    EXPECT_EQ(alone.values, together.values) << "the number of threads changes the result";
    const double terms = double(x.values.size()) / double(expected.values.size());
    for (size_t i = 0; i < expected.values.size(); ++i) {
      const double exact = expected.values[i];
      // Rounding of the f32 partial sums of terms below 1, then of the result.
      const double tolerance =
          (is_sum ? 1e-6 * std::sqrt(terms) : 0) + std::fabs(exact) * (x.dtype == kBf16 ? 0x1p-8 : 0x1p-23);
      ASSERT_NEAR(alone.values[i], exact, tolerance) << op << core::to_string(x.shape) << " axes " << json(axes).dump();
    }
  }
}

TEST(Reduce, EverySetOfAxes) {
  for (DType dtype : {kF32, kBf16, kI32}) {
    const Array x = test::random_array(dtype, {5, 6, 7, 33}, 1, dtype == kI32 ? 1000 : 1);
    for (int set = 1; set < 16; ++set) {
      std::vector<int64_t> axes;
      for (int axis = 0; axis < 4; ++axis) {
        if (set >> axis & 1) axes.push_back(axis);
      }
      check_reduction(x, axes);
    }
  }
}

TEST(Reduce, LargeSumsAreCutIntoPieces) {
  check_reduction(test::random_array(kF32, {300001}, 2), {0});
  check_reduction(test::random_array(kBf16, {3, 100000}, 3), {1});
  check_reduction(test::random_array(kF32, {70000, 3}, 4), {0});  // more row pieces than one sweep joins
  check_reduction(test::random_array(kBf16, {2000, 70}, 5), {0});
  check_reduction(test::random_array(kF32, {40, 3, 500}, 6), {0, 2});  // a bias gradient of a convolution
  check_reduction(test::random_array(kF32, {2, 600, 3, 50}, 7), {1});
  check_reduction(test::random_array(kF32, {1, 9, 1}, 8), {0, 2});  // nothing to add up
}

TEST(Reduce, MaxPassesNanOn) {
  for (const std::vector<int64_t>& axes : {std::vector<int64_t>{0}, {1}, {0, 1}}) {
    Array x = test::random_array(kF32, {300, 200}, 1);
    x.values[77 * 200 + 5] = std::nan("");
    const Shape shape = {axes[0] == 0 ? 1 : 300, axes.back() == 1 ? 1 : 200};
    const auto y = test::run_node("max", {x}, {{kF32, shape}}, {{"axes", axes}, {"keepDims", true}})[0];
    EXPECT_EQ(std::count_if(y.values.begin(), y.values.end(), [](double v) { return std::isnan(v); }), 1);
  }
}

TEST(Reduce, ArgmaxGivesTheFirstMaximum) {
  for (DType dtype : {kF32, kBf16}) {
    const Array x = test::random_array(dtype, {9, 70, 11}, 3);
    for (int64_t axis = 0; axis < 3; ++axis) {
      const Array best = reduced(x, {axis}, false);
      Shape shape = x.shape;
      shape.erase(shape.begin() + axis);
      const auto y = test::run_node("argmax", {x}, {{kI32, shape}}, {{"axis", axis}})[0];
      for (size_t i = 0; i < y.values.size(); ++i) {
        Shape index = index_of(int64_t(i), best.shape);
        int64_t& at = index[size_t(axis)];
        while (x.values[size_t(place_of(index, x.shape))] != best.values[i]) ++at;
        ASSERT_EQ(y.values[i], double(at)) << "axis " << axis;
      }
    }
  }
  const Array ties{kF32, {2, 4}, {1, 3, 3, 2, 0, std::nan(""), 9, std::nan("")}};
  EXPECT_EQ(test::run_node("argmax", {ties}, {{kI32, {2}}}, {{"axis", 1}})[0].values, (std::vector<double>{1, 1}));
}

void check_move(const std::string& op, const std::vector<Array>& inputs, const Shape& shape, const json& attrs,
                const std::function<double(const Shape&)>& expected) {
  const auto y = test::run_node(op, inputs, {{inputs[0].dtype, shape}}, attrs)[0];
  for (size_t i = 0; i < y.values.size(); ++i) {
    ASSERT_EQ(y.values[i], expected(index_of(int64_t(i), shape))) << op << attrs.dump() << " element " << i;
  }
}

TEST(Move, TransposeEveryOrder) {
  for (DType dtype : {kF32, kBf16, kU8}) {
    const Array x = test::random_array(dtype, {3, 35, 18, 20}, 1, 200);
    std::vector<int64_t> perm = {0, 1, 2, 3};
    do {
      Shape shape;
      for (int64_t axis : perm) shape.push_back(x.shape[size_t(axis)]);
      check_move("transpose", {x}, shape, {{"perm", perm}}, [&](const Shape& index) {
        Shape from(4);
        for (size_t i = 0; i < 4; ++i) from[size_t(perm[i])] = index[i];
        return x.values[size_t(place_of(from, x.shape))];
      });
    } while (std::next_permutation(perm.begin(), perm.end()));
  }
  const Array column = test::random_array(kF32, {1, 40, 1}, 2);
  check_move("transpose", {column}, {40, 1, 1}, {{"perm", {1, 0, 2}}},
             [&](const Shape& index) { return column.values[size_t(index[0])]; });
}

TEST(Move, BroadcastTo) {
  const Array x = test::random_array(kBf16, {4, 1, 6}, 1);
  check_move("broadcastTo", {x}, {3, 4, 5, 6}, {{"shape", {3, 4, 5, 6}}},
             [&](const Shape& i) { return x.values[size_t(i[1] * 6 + i[3])]; });
  const Array row = test::random_array(kF32, {300, 1}, 2);
  check_move("broadcastTo", {row}, {300, 500}, {{"shape", {300, 500}}},
             [&](const Shape& i) { return row.values[size_t(i[0])]; });
}

TEST(Move, SliceInsideAndAlongTheFront) {
  const Array x = test::random_array(kF32, {7, 30, 40}, 1);
  const auto check = [&](const Shape& start, const Shape& size) {
    check_move("slice", {x}, size, {{"start", start}, {"size", size}}, [&](Shape index) {
      for (size_t i = 0; i < 3; ++i) index[i] += start[i];
      return x.values[size_t(place_of(index, x.shape))];
    });
  };
  check({1, 2, 3}, {5, 7, 11});
  check({2, 0, 0}, {3, 30, 40});  // an alias
  check({2, 5, 0}, {1, 6, 40});   // an alias
  check({2, 5, 0}, {2, 6, 40});
  check({6, 29, 39}, {1, 1, 1});
  check({0, 0, 39}, {7, 30, 1});
}

TEST(Move, ConcatOnEveryAxis) {
  for (size_t axis = 0; axis < 3; ++axis) {
    Shape a{4, 5, 6}, b{4, 5, 6}, whole{4, 5, 6};
    b[axis] = 1;
    whole[axis] = 2 * a[axis] + 1;
    const std::vector<Array> parts = {test::random_array(kF32, a, 1), test::random_array(kF32, b, 2),
                                      test::random_array(kF32, a, 3)};
    check_move("concat", parts, whole, {{"axis", axis}}, [&](Shape index) {
      size_t part = 0;
      while (index[axis] >= parts[part].shape[axis]) index[axis] -= parts[part++].shape[axis];
      return parts[part].values[size_t(place_of(index, parts[part].shape))];
    });
  }
}

TEST(Move, PadFillsWhatLiesAround) {
  for (DType dtype : {kF32, kBf16, kI32, kU8}) {
    const Array x = test::random_array(dtype, {3, 4}, 1, 100);
    check_move("pad", {x}, {6, 9}, {{"before", {1, 2}}, {"after", {2, 3}}, {"value", 7}}, [&](const Shape& i) {
      const bool inside = i[0] >= 1 && i[0] < 4 && i[1] >= 2 && i[1] < 6;
      return inside ? x.values[size_t((i[0] - 1) * 4 + i[1] - 2)] : 7.0;
    });
  }
}

}  // namespace
