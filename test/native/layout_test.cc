// Grouped weights as four axes and as five: the same element of both lies at one place, in every layout that oneDNN has
// for them and that is a layout of both.
#include "cpu/layout.h"

#include <gtest/gtest.h>

#include "cpu/onednn.h"
#include "run_program.h"

namespace {

using namespace ostrich;
using core::Shape;
using cpu::Layout;
using dnnl::memory;

// Compares the places of all elements of weights [O, C/G, KH, KW] with those of [G, O/G, C/G, KH, KW].
void expect_same_places(const Layout& four, const Layout& five) {
  const int64_t outputs = five.dims[1];
  ASSERT_EQ(four.dims, (Shape{five.dims[0] * outputs, five.dims[2], five.dims[3], five.dims[4]}));
  EXPECT_EQ(four.elements(), five.elements());
  Shape i(4, 0);
  for (i[0] = 0; i[0] < four.dims[0]; ++i[0]) {
    for (i[1] = 0; i[1] < four.dims[1]; ++i[1]) {
      for (i[2] = 0; i[2] < four.dims[2]; ++i[2]) {
        for (i[3] = 0; i[3] < four.dims[3]; ++i[3]) {
          ASSERT_EQ(four.offset(i), five.offset({i[0] / outputs, i[0] % outputs, i[1], i[2], i[3]}));
        }
      }
    }
  }
}

TEST(GroupedLayout, SharesPlacesInEveryTagThatHasBothForms) {
  int shared = 0, apart = 0;
  for (const Shape& dims : {Shape{2, 32, 16, 3, 2}, Shape{2, 16, 6, 1, 3}, Shape{3, 8, 8, 3, 3}, Shape{16, 1, 1, 3, 3},
                            Shape{5, 1, 1, 2, 2}, Shape{4, 1, 3, 2, 2}, Shape{2, 6, 4, 3, 3}}) {
    for (int tag = dnnl_format_tag_any + 1; tag < dnnl_format_tag_last; ++tag) {
      const memory::desc desc(dims, memory::data_type::f32, static_cast<memory::format_tag>(tag), true);
      if (desc.get(true) == nullptr) continue;
      const Layout five = Layout::of(desc);
      const auto four = cpu::without_groups(five);
      ++(four ? shared : apart);
      if (!four) continue;
      expect_same_places(*four, five);
      const auto again = cpu::with_groups(*four, dims[0]);
      ASSERT_TRUE(again.has_value());
      EXPECT_TRUE(*again == five) << again->to_string() << ", expected " << five.to_string();
    }
  }
  EXPECT_GT(shared, 100);
  EXPECT_GT(apart, 100);  // input channels outside the groups' own, or groups inside others
}

TEST(GroupedLayout, HasNoneWhereABlockHoldsTwoGroups) {
  const memory::desc blocked({12, 8, 3, 3}, memory::data_type::f32, memory::format_tag::OIhw8i8o);
  EXPECT_FALSE(cpu::with_groups(Layout::of(blocked), 2));
  EXPECT_TRUE(cpu::with_groups(Layout::row_major({12, 8, 3, 3}), 2));
}

// Reads the weights from a state, then replaces them by their gradient: in the layout that the convolution chose.
TEST(GroupedLayout, IsWhereAStateIsReadAndUpdated) {
  const auto f32 = core::DType::f32;
  const test::Array x = test::random_array(f32, {2, 32, 6, 5}, 1), w = test::random_array(f32, {32, 16, 3, 3}, 2);
  const core::Shape y_shape = {2, 32, 6, 5};
  const test::json geometry = {
      {"stride", {1, 1}}, {"padding", {1, 1, 1, 1}}, {"dilation", {1, 1}}, {"groups", 2}, {"dtype", "f32"}};
  test::json forward = geometry, gradient = geometry;
  forward["activation"] = "none";
  gradient["kernel"] = {3, 3};
  gradient["sumDy"] = false;
  const test::Array y = test::run_node("conv2d", {x, w}, {{f32, y_shape}}, forward)[0];
  const test::Array dw = test::run_node("conv2dGradWeight", {x, y}, {{f32, w.shape}}, gradient)[0];

  test::json feed = test::declare(0, f32, x.shape), state = test::declare(1, f32, w.shape);
  feed["name"] = "x";
  state["name"] = "w";
  const test::json nodes = {
      {{"op", "conv2d"}, {"in", {0, 1}}, {"out", {test::declare(2, f32, y_shape)}}, {"attrs", forward}, {"path", "c"}},
      {{"op", "conv2dGradWeight"},
       {"in", {0, 2}},
       {"out", {test::declare(3, f32, w.shape)}},
       {"attrs", gradient},
       {"path", "c"}}};
  const test::json text = {{"format", "ostrich-program"},
                           {"version", 1},
                           {"name", "test"},
                           {"feeds", {feed}},
                           {"states", {state}},
                           {"constants", test::json::array()},
                           {"nodes", nodes},
                           {"assigns", {{{"state", 1}, {"value", 3}}}},
                           {"fetches", {{{"name", "y"}, {"value", 2}}}}};
  backend::DeviceOptions options;
  options.threads = 2;
  const auto device = ostrich_backend_plugin()->open(options);
  const std::shared_ptr<backend::Buffer> buffer = device->allocate({f32, w.shape, "w"});
  device->upload(*buffer, test::to_bytes(w).data());
  const auto program = device->build(program::parse(text.dump()), {buffer});
  // With AVX2 both passes want the same blocks, and nothing copies weights.
  const std::string plan = program->stats().explain;
  if (plan.find("jit:avx2") != std::string::npos) {
    EXPECT_EQ(plan.find(" assign["), std::string::npos) << plan;
  }
  EXPECT_EQ(plan.find("gemm"), std::string::npos) << plan;
  const std::vector<char> from = test::to_bytes(x);
  std::vector<char> to = test::to_bytes(y), home = test::to_bytes(w);
  program->run({from.data()}, {to.data()});
  device->download(*buffer, home.data());
  EXPECT_EQ(test::from_bytes(f32, y_shape, to).values, y.values);
  EXPECT_EQ(test::from_bytes(f32, w.shape, home).values, dw.values);
}

}  // namespace
