// Checks of the kernels that move elements without computing: reshape, transpose, broadcastTo, slice, concat, pad;
// and of `pointwise`.
#include <algorithm>
#include <cfloat>
#include <cmath>

#include "program/chain.h"
#include "program/check.h"
#include "program/rules.h"

namespace ostrich::program {
namespace {

// x and the only output's dtype; extents are the caller's.
const ValueSpec& one_to_one(const ProgramSpec& spec, const NodeSpec& node) {
  expect_inputs(node, 1, 1);
  expect_outputs(node, 1, 1);
  return input(spec, node, 0);
}

void expect_broadcast(const NodeSpec& node, const core::Shape& from, const core::Shape& to) {
  bool good = from.size() <= to.size();
  for (size_t i = 1; good && i <= from.size(); ++i) {
    good = from[from.size() - i] == 1 || from[from.size() - i] == to[to.size() - i];
  }
  if (!good) {
    fail_node(node, "expected extents that broadcast to ", core::to_string(to), ", got ", core::to_string(from));
  }
}

// What inputs that broadcast to a common shape have in common (NumPy's rule).
core::Shape broadcast_shape(const ProgramSpec& spec, const NodeSpec& node) {
  core::Shape shape;
  for (int id : node.inputs) {
    const core::Shape& input = value(spec, id).shape;
    if (input.size() > shape.size()) shape.insert(shape.begin(), input.size() - shape.size(), 1);
    for (size_t axis = 0; axis < input.size(); ++axis) {
      int64_t& extent = shape[shape.size() - input.size() + axis];
      extent = std::max(extent, input[axis]);
    }
  }
  return shape;
}

// A number that a tensor of this dtype can hold.
void expect_holds(const NodeSpec& node, const char* name, core::DType dtype) {
  const double number = get_number(node, name);
  const bool whole = number == std::floor(number);
  bool good = true;
  if (dtype == core::DType::i32) good = whole && number >= INT32_MIN && number <= INT32_MAX;
  if (dtype == core::DType::u8) good = whole && number >= 0 && number <= 255;
  if (core::is_float(dtype)) good = std::abs(number) <= double(FLT_MAX);
  if (!good) fail_node(node, "attribute ", name, ": expected a value of ", core::name_of(dtype), ", got ", number);
}

}  // namespace

void check_pointwise(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"chain", "outputs"});
  const Chain chain = parse_chain(spec, node);
  expect_outputs(node, chain.outputs.size(), chain.outputs.size());
  const core::Shape& shape = output(spec, node, 0).shape;
  for (int id : node.inputs) expect_broadcast(node, value(spec, id).shape, shape);
  // Along each axis some input has the declared extent: an output of more elements would be one that nobody writes.
  const core::Shape common = broadcast_shape(spec, node);
  if (shape != common) {
    fail_node(node, "expected outputs of the inputs' common shape ", core::to_string(common), ", got ",
              core::to_string(shape));
  }
  for (size_t i = 0; i < chain.outputs.size(); ++i) {
    expect_output(spec, node, i, {chain.dtypes[size_t(chain.outputs[i])], shape});
  }
}

void check_reshape(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"shape"});
  const ValueSpec& x = one_to_one(spec, node);
  expect_output(spec, node, 0, {x.dtype, get_ints(node, "shape")});
  if (core::count(x.shape) != core::count(output(spec, node, 0).shape)) {
    fail_node(node, "expected as many elements as ", describe(x), ", got ", describe(output(spec, node, 0)));
  }
}

void check_transpose(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"perm"});
  const ValueSpec& x = one_to_one(spec, node);
  const std::vector<int64_t> perm = get_ints(node, "perm", x.shape.size());
  std::vector<bool> seen(perm.size());
  core::Shape shape;
  for (int64_t axis : perm) {
    if (axis < 0 || size_t(axis) >= perm.size() || seen[size_t(axis)]) {
      fail_node(node, "attribute perm: expected a permutation of ", perm.size(), " axes, got ", core::to_string(perm));
    }
    seen[size_t(axis)] = true;
    shape.push_back(x.shape[size_t(axis)]);
  }
  expect_output(spec, node, 0, {x.dtype, shape});
}

void check_broadcastTo(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"shape"});
  const ValueSpec& x = one_to_one(spec, node);
  const core::Shape shape = get_ints(node, "shape");
  expect_broadcast(node, x.shape, shape);
  expect_output(spec, node, 0, {x.dtype, shape});
}

void check_slice(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"start", "size"});
  const ValueSpec& x = one_to_one(spec, node);
  const auto start = get_ints(node, "start", x.shape.size()), size = get_ints(node, "size", x.shape.size());
  for (size_t axis = 0; axis < size.size(); ++axis) {
    const int64_t extent = x.shape[axis];
    if (start[axis] < 0 || start[axis] >= extent || size[axis] < 1 || size[axis] > extent - start[axis]) {
      fail_node(node, "expected a slice inside ", core::to_string(x.shape), ", got start ", core::to_string(start),
                " size ", core::to_string(size));
    }
  }
  expect_output(spec, node, 0, {x.dtype, size});
}

void check_concat(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"axis"});
  expect_inputs(node, 2, SIZE_MAX);
  expect_outputs(node, 1, 1);
  ValueSpec joined = input(spec, node, 0);
  const size_t axis = get_axis(node, "axis", joined.shape.size());
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    const ValueSpec& part = input(spec, node, i);
    expect_rank(node, "input", part, joined.shape.size());
    ValueSpec expected = joined;
    expected.shape[axis] = part.shape[axis];
    expect_type(node, "input", part, expected);
    joined.shape[axis] += part.shape[axis];  // at most 2^40 each, and fewer than 2^23 inputs fit a program text
  }
  expect_output(spec, node, 0, joined);
}

void check_pad(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"before", "after", "value"});
  ValueSpec x = one_to_one(spec, node);
  const auto before = get_sizes(node, "before", x.shape.size(), 0), after = get_sizes(node, "after", x.shape.size(), 0);
  for (size_t axis = 0; axis < x.shape.size(); ++axis) x.shape[axis] += before[axis] + after[axis];
  expect_holds(node, "value", x.dtype);
  expect_output(spec, node, 0, x);
}

}  // namespace ostrich::program
