// Checks of conv2d and its gradients. x [N,C,H,W], w [O,C/groups,KH,KW], y [N,O,OH,OW].
#include "program/check.h"
#include "program/rules.h"

namespace ostrich::program {
namespace {

struct Conv {
  core::Shape x, w, y;
};

// The three extents agree with each other and with the node's attributes.
void check_geometry(const NodeSpec& node, const Conv& conv) {
  const int64_t groups = get_size(node, "groups", 1);
  const Window window = get_window(node, conv.w[2], conv.w[3], true);
  const core::Shape y = {conv.x[0], conv.w[0], window.positions(node, conv.x[2], 0),
                         window.positions(node, conv.x[3], 1)};
  const bool grouped = conv.w[1] <= conv.x[1] && conv.x[1] % conv.w[1] == 0 && conv.x[1] / conv.w[1] == groups;
  if (!grouped || conv.w[0] % groups != 0 || y != conv.y) {
    fail_node(node, "expected x [N,C,H,W], w [O,C/groups,KH,KW], y [N,O,OH,OW] that agree, got x ",
              core::to_string(conv.x), ", w ", core::to_string(conv.w), ", groups ", groups, ", y ",
              core::to_string(conv.y), "; by the attributes y is ", core::to_string(y));
  }
}

// Two float inputs of one dtype and rank 4; the output's dtype is the attribute `dtype`, float.
void check_operands(const ProgramSpec& spec, const NodeSpec& node) {
  const ValueSpec &first = input(spec, node, 0), &second = input(spec, node, 1), &out = output(spec, node, 0);
  for (const ValueSpec* value : {&first, &second, &out}) expect_rank(node, "operands", *value, 4);
  expect_float(node, "input 0", first);
  expect_dtype(node, "input 1", second, first.dtype);
  expect_dtype(node, "output 0", out, get_dtype(node, "dtype"));
  expect_float(node, "output 0", out);
}

}  // namespace

void check_conv2d(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"stride", "padding", "dilation", "groups", "activation", "dtype"});
  expect_inputs(node, 2, 3);
  expect_outputs(node, 1, 1);
  check_operands(spec, node);
  const std::string& activation = get_string(node, "activation");
  if (activation != "none" && activation != "relu" && activation != "tanh" && activation != "sigmoid") {
    fail_node(node, "attribute activation: expected none, relu, tanh or sigmoid, got ",
              describe(get_attr(node, "activation")));
  }
  const Conv conv{input(spec, node, 0).shape, input(spec, node, 1).shape, output(spec, node, 0).shape};
  if (node.inputs.size() == 3) expect_type(node, "bias", input(spec, node, 2), {core::DType::f32, {conv.w[0]}});
  check_geometry(node, conv);
}

void check_conv2dGradInput(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"stride", "padding", "dilation", "groups", "dtype", "size"});
  expect_inputs(node, 2, 2);
  expect_outputs(node, 1, 1);
  check_operands(spec, node);
  const Conv conv{output(spec, node, 0).shape, input(spec, node, 1).shape, input(spec, node, 0).shape};
  const auto size = get_sizes(node, "size", 2, 1);
  expect_shape(node, "output 0", output(spec, node, 0), {conv.x[0], conv.x[1], size[0], size[1]});
  check_geometry(node, conv);
}

void check_conv2dGradWeight(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"stride", "padding", "dilation", "groups", "dtype", "kernel", "sumDy"});
  const bool sum_dy = get_bool(node, "sumDy");
  expect_inputs(node, 2, 2);
  expect_outputs(node, sum_dy ? 2 : 1, sum_dy ? 2 : 1);
  check_operands(spec, node);
  const Conv conv{input(spec, node, 0).shape, output(spec, node, 0).shape, input(spec, node, 1).shape};
  const auto kernel = get_sizes(node, "kernel", 2, 1);
  expect_shape(node, "output 0", output(spec, node, 0), {conv.w[0], conv.w[1], kernel[0], kernel[1]});
  if (sum_dy) expect_output(spec, node, 1, {core::DType::f32, {conv.w[0]}});
  check_geometry(node, conv);
}

}  // namespace ostrich::program
