// Checks of recurrent networks: lstm, rnn, gru and their gradients.
#include "program/check.h"
#include "program/rules.h"

namespace ostrich::program {
namespace {

// T steps of N streams of H units, in f32 or bf16.
struct Extents {
  int64_t t, n, h;
  core::DType dtype;
  ValueSpec steps(int64_t parts) const { return {dtype, {t, n, parts * h}}; }
  ValueSpec wide_steps() const { return {core::DType::f32, {t, n, h}}; }
  ValueSpec state() const { return {dtype, {n, h}}; }
  ValueSpec wide_state() const { return {core::DType::f32, {n, h}}; }
};

// `sequence` [T, N, ...] and w [H, parts * H] are inputs of these numbers.
Extents get_extents(const ProgramSpec& spec, const NodeSpec& node, size_t sequence, size_t weights, int64_t parts) {
  const ValueSpec &x = input(spec, node, sequence), &w = input(spec, node, weights);
  expect_float(node, "sequence", x);
  expect_rank(node, "sequence", x, 3);
  expect_dtype(node, "w", w, x.dtype);
  expect_rank(node, "w", w, 2);
  const int64_t h = w.shape[0];
  if (h > INT32_MAX) fail_node(node, "w: expected at most ", INT32_MAX, " units, got ", describe(w));
  expect_shape(node, "w", w, {h, parts * h});
  return {x.shape[0], x.shape[1], h, x.dtype};
}

void expect_input(const ProgramSpec& spec, const NodeSpec& node, size_t index, const char* what,
                  const ValueSpec& expected) {
  expect_type(node, what, input(spec, node, index), expected);
}

// A mask u8 [T, N], if there is one more input than `index`.
void expect_mask(const ProgramSpec& spec, const NodeSpec& node, size_t index, const Extents& extents) {
  if (node.inputs.size() == index) return;
  expect_input(spec, node, index, "mask", {core::DType::u8, {extents.t, extents.n}});
}

void expect_activation(const NodeSpec& node) {
  const std::string& name = get_string(node, "activation");
  if (name == "tanh" || name == "relu") return;
  fail_node(node, "attribute activation: expected tanh or relu, got ", describe(get_attr(node, "activation")));
}

}  // namespace

// gates [T, N, 4H], w [H, 4H], h0 [N, H], c0 f32 [N, H], mask? -> h, c f32, activated gates
void check_lstm(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"reverse"});
  get_bool(node, "reverse");
  expect_inputs(node, 4, 5);
  expect_outputs(node, 3, 3);
  const Extents extents = get_extents(spec, node, 0, 1, 4);
  expect_input(spec, node, 0, "gates", extents.steps(4));
  expect_input(spec, node, 2, "h0", extents.state());
  expect_input(spec, node, 3, "c0", extents.wide_state());
  expect_mask(spec, node, 4, extents);
  expect_output(spec, node, 0, extents.steps(1));
  expect_output(spec, node, 1, extents.wide_steps());
  expect_output(spec, node, 2, extents.steps(4));
}

// dh, activated gates, w, c, c0, dc (with `cell`), mask? -> dgates, dh0, dc0 f32
void check_lstmGrad(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"reverse", "cell"});
  get_bool(node, "reverse");
  const bool cell = get_bool(node, "cell");
  const size_t least = cell ? 6 : 5;
  expect_inputs(node, least, least + 1);
  expect_outputs(node, 3, 3);
  const Extents extents = get_extents(spec, node, 1, 2, 4);
  expect_input(spec, node, 0, "dh", extents.steps(1));
  expect_input(spec, node, 1, "activated gates", extents.steps(4));
  expect_input(spec, node, 3, "c", extents.wide_steps());
  expect_input(spec, node, 4, "c0", extents.wide_state());
  if (cell) expect_input(spec, node, 5, "dc", extents.wide_steps());
  expect_mask(spec, node, least, extents);
  expect_output(spec, node, 0, extents.steps(4));
  expect_output(spec, node, 1, extents.state());
  expect_output(spec, node, 2, extents.wide_state());
}

// gates [T, N, H], w [H, H], h0 [N, H], mask? -> h
void check_rnn(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"reverse", "activation"});
  get_bool(node, "reverse");
  expect_activation(node);
  expect_inputs(node, 3, 4);
  expect_outputs(node, 1, 1);
  const Extents extents = get_extents(spec, node, 0, 1, 1);
  expect_input(spec, node, 0, "gates", extents.steps(1));
  expect_input(spec, node, 2, "h0", extents.state());
  expect_mask(spec, node, 3, extents);
  expect_output(spec, node, 0, extents.steps(1));
}

// dh, h, w, mask? -> dgates, dh0
void check_rnnGrad(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"reverse", "activation"});
  get_bool(node, "reverse");
  expect_activation(node);
  expect_inputs(node, 3, 4);
  expect_outputs(node, 2, 2);
  const Extents extents = get_extents(spec, node, 1, 2, 1);
  expect_input(spec, node, 0, "dh", extents.steps(1));
  expect_input(spec, node, 1, "h", extents.steps(1));
  expect_mask(spec, node, 3, extents);
  expect_output(spec, node, 0, extents.steps(1));
  expect_output(spec, node, 1, extents.state());
}

// gates [T, N, 3H], w [H, 3H], h0 [N, H], b f32 [3H], mask? -> h, activated gates [T, N, 4H]
void check_gru(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"reverse"});
  get_bool(node, "reverse");
  expect_inputs(node, 4, 5);
  expect_outputs(node, 2, 2);
  const Extents extents = get_extents(spec, node, 0, 1, 3);
  expect_input(spec, node, 0, "gates", extents.steps(3));
  expect_input(spec, node, 2, "h0", extents.state());
  expect_input(spec, node, 3, "b", {core::DType::f32, {3 * extents.h}});
  expect_mask(spec, node, 4, extents);
  expect_output(spec, node, 0, extents.steps(1));
  expect_output(spec, node, 1, extents.steps(4));
}

// dh, activated gates, w, h, h0, mask? -> dgates, dproducts, dh0
void check_gruGrad(const ProgramSpec& spec, const NodeSpec& node) {
  expect_attrs(node, {"reverse"});
  get_bool(node, "reverse");
  expect_inputs(node, 5, 6);
  expect_outputs(node, 3, 3);
  const Extents extents = get_extents(spec, node, 1, 2, 3);
  expect_input(spec, node, 0, "dh", extents.steps(1));
  expect_input(spec, node, 1, "activated gates", extents.steps(4));
  expect_input(spec, node, 3, "h", extents.steps(1));
  expect_input(spec, node, 4, "h0", extents.state());
  expect_mask(spec, node, 5, extents);
  expect_output(spec, node, 0, extents.steps(3));
  expect_output(spec, node, 1, extents.steps(3));
  expect_output(spec, node, 2, extents.state());
}

}  // namespace ostrich::program
