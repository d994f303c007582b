// Checks of reductions and of what works along the last axis: sum, norm, max, argmax, softmax, logSoftmax, cumsum,
// topK, crossEntropy.
#include "program/check.h"
#include "program/rules.h"

namespace ostrich::program {
namespace {

void check_reduction(const ProgramSpec& spec, const NodeSpec& node, const ValueSpec& x) {
  expect_attrs(node, {"axes", "keepDims"});
  const std::vector<int64_t> axes = get_ints(node, "axes");
  const bool keep = get_bool(node, "keepDims");
  core::Shape shape;
  size_t next = 0;
  for (size_t axis = 0; axis < x.shape.size(); ++axis) {
    const bool reduced = next < axes.size() && axes[next] == int64_t(axis);
    if (reduced) ++next;
    if (!reduced || keep) shape.push_back(reduced ? 1 : x.shape[axis]);
  }
  if (axes.empty() || next != axes.size()) {
    fail_node(node, "attribute axes: expected ascending axes below ", x.shape.size(), ", got ",
              describe(get_attr(node, "axes")));
  }
  expect_output(spec, node, 0, {x.dtype, shape});
}

const ValueSpec& only_input(const ProgramSpec& spec, const NodeSpec& node) {
  expect_inputs(node, 1, 1);
  expect_outputs(node, 1, 1);
  return input(spec, node, 0);
}

void expect_smoothing(const NodeSpec& node) {
  expect_attrs(node, {"smoothing"});
  const double smoothing = get_number(node, "smoothing");
  if (!(smoothing >= 0 && float(smoothing) < 1)) {
    fail_node(node, "attribute smoothing: expected 0 to below 1, got ", smoothing);
  }
}

}  // namespace

void check_sum(const ProgramSpec& spec, const NodeSpec& node) {
  const ValueSpec& x = only_input(spec, node);
  expect_float(node, "x", x);
  check_reduction(spec, node, x);
}

void check_norm(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {});
  expect_float(node, "x", only_input(spec, node));
  expect_output(spec, node, 0, {core::DType::f32, {}});
}

void check_max(const ProgramSpec& spec, const NodeSpec& node) {
  const ValueSpec& x = only_input(spec, node);
  if (x.dtype != core::DType::i32) expect_float(node, "x", x);
  check_reduction(spec, node, x);
}

void check_argmax(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"axis"});
  const ValueSpec& x = only_input(spec, node);
  expect_float(node, "x", x);
  const size_t axis = get_axis(node, "axis", x.shape.size());
  if (x.shape[axis] > INT32_MAX) fail_node(node, "expected an axis that i32 can index, got extent ", x.shape[axis]);
  core::Shape shape = x.shape;
  shape.erase(shape.begin() + std::ptrdiff_t(axis));
  expect_output(spec, node, 0, {core::DType::i32, shape});
}

// Ops over the last axis that keep shape and dtype and have no attributes.
void check_lastAxis(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {});
  const ValueSpec& x = only_input(spec, node);
  expect_float(node, "x", x);
  if (x.shape.empty()) fail_node(node, "x: expected rank 1 or more, got ", describe(x));
  expect_output(spec, node, 0, x);
}

// x float [..., K] -> the k largest [..., k], their positions i32 [..., k]
void check_topK(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"k"});
  expect_inputs(node, 1, 1);
  expect_outputs(node, 2, 2);
  ValueSpec x = input(spec, node, 0);
  expect_float(node, "x", x);
  if (x.shape.empty()) fail_node(node, "x: expected rank 1 or more, got ", describe(x));
  const int64_t k = get_int(node, "k"), extent = x.shape.back();
  if (extent > INT32_MAX) fail_node(node, "expected an axis that i32 can index, got extent ", extent);
  if (k < 1 || k > extent) fail_node(node, "attribute k: expected 1 to ", extent, ", got ", k);
  x.shape.back() = k;
  expect_output(spec, node, 0, x);
  expect_output(spec, node, 1, {core::DType::i32, x.shape});
}

// logits [N, K], labels i32 [N] -> loss f32 [N], logSumExp f32 [N, 2]
void check_crossEntropy(const ProgramSpec& spec, const NodeSpec& node) {
  expect_smoothing(node);
  expect_inputs(node, 2, 2);
  expect_outputs(node, 2, 2);
  const ValueSpec& logits = input(spec, node, 0);
  expect_float(node, "logits", logits);
  expect_rank(node, "logits", logits, 2);
  const int64_t n = logits.shape[0];
  expect_type(node, "labels", input(spec, node, 1), {core::DType::i32, {n}});
  expect_output(spec, node, 0, {core::DType::f32, {n}});
  expect_output(spec, node, 1, {core::DType::f32, {n, 2}});
}

// dloss f32 [N], logits [N, K], labels i32 [N], logSumExp f32 [N, 2] -> dlogits
void check_crossEntropyGrad(const ProgramSpec& spec, const NodeSpec& node) {
  expect_smoothing(node);
  expect_inputs(node, 4, 4);
  expect_outputs(node, 1, 1);
  const ValueSpec& logits = input(spec, node, 1);
  expect_float(node, "logits", logits);
  expect_rank(node, "logits", logits, 2);
  const int64_t n = logits.shape[0];
  expect_type(node, "dloss", input(spec, node, 0), {core::DType::f32, {n}});
  expect_type(node, "labels", input(spec, node, 2), {core::DType::i32, {n}});
  expect_type(node, "logSumExp", input(spec, node, 3), {core::DType::f32, {n, 2}});
  expect_output(spec, node, 0, logits);
}

}  // namespace ostrich::program
