// Checks of normalisations by a batch's or a group's statistics, and of affine maps by channel.
#include <cfloat>

#include "program/check.h"
#include "program/rules.h"

namespace ostrich::program {
namespace {

void expect_epsilon(const NodeSpec& node) {
  const double epsilon = get_number(node, "epsilon");
  if (!(float(epsilon) > 0) || epsilon > double(FLT_MAX)) {
    fail_node(node, "attribute epsilon: expected a f32 of more than 0, got ", epsilon);
  }
}

// Whether the node has a fused relu.
void expect_relu_or_none(const NodeSpec& node) {
  const std::string& activation = get_string(node, "activation");
  if (activation != "none" && activation != "relu") {
    fail_node(node, "attribute activation: expected none or relu, got ", describe(get_attr(node, "activation")));
  }
}

// x [N, C, ...], and the f32 vector of its channels.
const ValueSpec& expect_channels(const ProgramSpec& spec, const NodeSpec& node, size_t index, ValueSpec* vector) {
  const ValueSpec& x = input(spec, node, index);
  expect_float(node, "x", x);
  if (x.shape.size() < 2) fail_node(node, "x: expected rank 2 or more, got ", describe(x));
  *vector = {core::DType::f32, {x.shape[1]}};
  return x;
}

const ValueSpec& expect_batch(const ProgramSpec& spec, const NodeSpec& node, size_t index, ValueSpec* vector) {
  const ValueSpec& x = expect_channels(spec, node, index, vector);
  if (x.shape.size() != 2) expect_rank(node, "x", x, 4);
  return x;
}

void expect_several(const NodeSpec& node, const ValueSpec& x) {
  if (core::count(x.shape) == x.shape[1]) {
    fail_node(node, "x: expected at least two numbers for each channel, got ", describe(x));
  }
}

void expect_scale_and_shift(const ProgramSpec& spec, const NodeSpec& node, const ValueSpec& vector) {
  expect_type(node, "scale", input(spec, node, 1), vector);
  expect_type(node, "shift", input(spec, node, 2), vector);
}

// One of x's type, and two of the same type.
void expect_three_outputs(const ProgramSpec& spec, const NodeSpec& node, const ValueSpec& x, const ValueSpec& pair) {
  expect_output(spec, node, 0, x);
  expect_output(spec, node, 1, pair);
  expect_output(spec, node, 2, pair);
}

// x, scale, shift and perhaps a residual
const ValueSpec& expect_affine(const ProgramSpec& spec, const NodeSpec& node, ValueSpec* vector) {
  expect_inputs(node, 3, 4);
  const ValueSpec& x = expect_batch(spec, node, 0, vector);
  expect_scale_and_shift(spec, node, *vector);
  if (node.inputs.size() == 4) expect_type(node, "residual", input(spec, node, 3), x);
  expect_relu_or_none(node);
  return x;
}

// f32 [N, groups]
ValueSpec group_statistic(const NodeSpec& node, const ValueSpec& x) {
  expect_attrs(node, {"groups", "epsilon"});
  expect_epsilon(node);
  const int64_t groups = get_int(node, "groups"), channels = x.shape[1];
  if (groups < 1 || channels % groups != 0) {
    fail_node(node, "attribute groups: expected a divisor of ", channels, " channels, got ", groups);
  }
  return {core::DType::f32, {x.shape[0], groups}};
}

}  // namespace

void check_batchNorm(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"epsilon", "activation"});
  expect_outputs(node, 3, 3);
  ValueSpec vector;
  const ValueSpec& x = expect_affine(spec, node, &vector);
  expect_several(node, x);
  expect_epsilon(node);
  expect_three_outputs(spec, node, x, vector);
}

// dy, x, scale, shift, mean, variance -> dx, dscale, dshift
void check_batchNormGrad(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"epsilon", "activation"});
  expect_inputs(node, 6, 6);
  expect_outputs(node, 3, 3);
  ValueSpec vector;
  const ValueSpec& x = expect_batch(spec, node, 1, &vector);
  expect_several(node, x);
  expect_type(node, "dy", input(spec, node, 0), x);
  for (size_t i = 2; i < 6; ++i) expect_type(node, "channels", input(spec, node, i), vector);
  expect_epsilon(node);
  expect_relu_or_none(node);
  expect_three_outputs(spec, node, x, vector);
}

void check_channelAffine(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"activation"});
  expect_outputs(node, 1, 1);
  ValueSpec vector;
  expect_output(spec, node, 0, expect_affine(spec, node, &vector));
}

// x [N, C, ...], scale, shift -> y, mean and variance f32 [N, groups]
void check_groupNorm(const ProgramSpec& spec, const NodeSpec& node) {
  expect_inputs(node, 3, 3);
  expect_outputs(node, 3, 3);
  ValueSpec vector;
  const ValueSpec& x = expect_channels(spec, node, 0, &vector);
  const ValueSpec statistic = group_statistic(node, x);
  expect_scale_and_shift(spec, node, vector);
  expect_three_outputs(spec, node, x, statistic);
}

// dy, x, scale, mean, variance -> dx, dscale, dshift
void check_groupNormGrad(const ProgramSpec& spec, const NodeSpec& node) {
  expect_inputs(node, 5, 5);
  expect_outputs(node, 3, 3);
  ValueSpec vector;
  const ValueSpec& x = expect_channels(spec, node, 1, &vector);
  const ValueSpec statistic = group_statistic(node, x);
  expect_type(node, "dy", input(spec, node, 0), x);
  expect_type(node, "scale", input(spec, node, 2), vector);
  expect_type(node, "mean", input(spec, node, 3), statistic);
  expect_type(node, "variance", input(spec, node, 4), statistic);
  expect_three_outputs(spec, node, x, vector);
}

}  // namespace ostrich::program
