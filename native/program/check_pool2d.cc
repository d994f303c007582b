// Checks of maxPool2d, avgPool2d and their gradients. x [N,C,H,W] -> y [N,C,OH,OW].
#include <nlohmann/json.hpp>

#include "program/check.h"
#include "program/rules.h"

namespace ostrich::program {
namespace {

constexpr int64_t kMaxIndexedWindow = 256;           // positions that a u8 tells apart
constexpr int64_t kPlaces = (int64_t(1) << 31) - 1;  // of an axis: kernels count them in 32 bits

// y's extents from x's. Padding stays below the kernel, so that no window lies in padding alone.
core::Shape pooled(const NodeSpec& node, const core::Shape& x) {
  const auto kernel = get_sizes(node, "kernel", 2, 1);
  const Window window = get_window(node, kernel[0], kernel[1], false);
  for (size_t side = 0; side < 4; ++side) {
    if (window.padding[side] >= window.kernel[side % 2]) {
      fail_node(node, "attribute padding: expected less than the kernel ", core::to_string(kernel), ", got ",
                describe(get_attr(node, "padding")));
    }
  }
  for (size_t axis = 0; axis < 4; ++axis) {
    const int64_t padding = axis < 2 ? 0 : window.padding[axis - 2] + window.padding[axis];
    if (x[axis] > kPlaces - padding) {
      fail_node(node, "expected at most ", kPlaces, " places on each axis, padding among them, got ",
                core::to_string(x));
    }
  }
  return {x[0], x[1], window.positions(node, x[2], 0), window.positions(node, x[3], 1)};
}

void expect_indexed(const NodeSpec& node) {
  const auto kernel = get_sizes(node, "kernel", 2, 1);
  if (kernel[0] * kernel[1] > kMaxIndexedWindow) {
    fail_node(node, "attribute kernel: expected at most ", kMaxIndexedWindow, " positions, got ",
              core::to_string(kernel));
  }
}

const ValueSpec& pool_input(const ProgramSpec& spec, const NodeSpec& node, const char* what) {
  const ValueSpec& x = input(spec, node, 0);
  expect_float(node, what, x);
  expect_rank(node, what, x, 4);
  return x;
}

// dy [N,C,OH,OW] -> dx [N,C,H,W] with H, W from `size`
void check_gradient(const ProgramSpec& spec, const NodeSpec& node) {
  const ValueSpec& dy = pool_input(spec, node, "dy");
  const auto size = get_sizes(node, "size", 2, 1);
  const core::Shape dx = {dy.shape[0], dy.shape[1], size[0], size[1]};
  expect_shape(node, "dy", dy, pooled(node, dx));
  expect_output(spec, node, 0, {dy.dtype, dx});
}

// The index is a maxPool2d's, of the same windows over the same extents: to another it says nothing.
void expect_own_index(const ProgramSpec& spec, const NodeSpec& node) {
  const auto found = spec.pools.find(node.inputs[1]);
  if (found == spec.pools.end()) fail_node(node, "index: expected that of a maxPool2d, got another value");
  const NodeSpec& pool = spec.nodes[found->second];
  for (const char* name : {"kernel", "stride", "padding"}) {
    if (get_attr(node, name) == get_attr(pool, name)) continue;
    fail_node(node, "attribute ", name, ": expected ", describe(get_attr(pool, name)), " of ", pool.label(),
              ", whose index it reads, got ", describe(get_attr(node, name)));
  }
  expect_shape(node, "dx", output(spec, node, 0), input(spec, pool, 0).shape);
}

}  // namespace

void check_maxPool2d(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"kernel", "stride", "padding"});
  expect_inputs(node, 1, 1);
  expect_outputs(node, 2, 2);
  expect_indexed(node);
  const ValueSpec& x = pool_input(spec, node, "x");
  const core::Shape y = pooled(node, x.shape);
  expect_output(spec, node, 0, {x.dtype, y});
  expect_output(spec, node, 1, {core::DType::u8, y});
}

void check_maxPool2dGrad(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"kernel", "stride", "padding", "size"});
  expect_inputs(node, 2, 2);
  expect_outputs(node, 1, 1);
  expect_indexed(node);
  expect_type(node, "index", input(spec, node, 1), {core::DType::u8, input(spec, node, 0).shape});
  check_gradient(spec, node);
  expect_own_index(spec, node);
}

void check_avgPool2d(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"kernel", "stride", "padding", "countPadding"});
  expect_inputs(node, 1, 1);
  expect_outputs(node, 1, 1);
  get_bool(node, "countPadding");
  const ValueSpec& x = pool_input(spec, node, "x");
  expect_output(spec, node, 0, {x.dtype, pooled(node, x.shape)});
}

void check_avgPool2dGrad(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"kernel", "stride", "padding", "countPadding", "size"});
  expect_inputs(node, 1, 1);
  expect_outputs(node, 1, 1);
  get_bool(node, "countPadding");
  check_gradient(spec, node);
}

}  // namespace ostrich::program
