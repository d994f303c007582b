// Checks of unfold and fold. x [N,C,H,W] <-> rows [OH*OW, N, C*KH*KW].
#include "program/check.h"
#include "program/rules.h"

namespace ostrich::program {
namespace {

core::Shape unfolded(const NodeSpec& node, const core::Shape& x) {
  const auto kernel = get_sizes(node, "kernel", 2, 1);
  const Window window = get_window(node, kernel[0], kernel[1], false);
  const int64_t taps = kernel[0] * kernel[1],
                places = window.positions(node, x[2], 0) * window.positions(node, x[3], 1);
  if (x[1] > INT64_MAX / taps) fail_node(node, "expected fewer than 2^63 elements in a window");
  return {places, x[0], x[1] * taps};
}

}  // namespace

void check_unfold(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"kernel", "stride", "padding"});
  expect_inputs(node, 1, 1);
  expect_outputs(node, 1, 1);
  const ValueSpec& x = input(spec, node, 0);
  expect_float(node, "x", x);
  expect_rank(node, "x", x, 4);
  expect_output(spec, node, 0, {x.dtype, unfolded(node, x.shape)});
}

void check_fold(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"kernel", "stride", "padding", "size"});
  expect_inputs(node, 1, 1);
  expect_outputs(node, 1, 1);
  const ValueSpec &rows = input(spec, node, 0), &x = output(spec, node, 0);
  expect_float(node, "rows", rows);
  expect_rank(node, "x", x, 4);
  const auto size = get_sizes(node, "size", 2, 1);
  expect_output(spec, node, 0, {rows.dtype, {x.shape[0], x.shape[1], size[0], size[1]}});
  expect_shape(node, "rows", rows, unfolded(node, x.shape));
}

}  // namespace ostrich::program
