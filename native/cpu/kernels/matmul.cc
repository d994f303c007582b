// matmul: [.., M, K] x [.., K, N] -> [.., M, N]. The three products of a fully connected layer (x w^T, dy w, dy^T x)
// run as oneDNN inner products, whose weights keep one blocked layout in all of them; everything else as oneDNN matmul.
#include "cpu/onednn.h"
#include "program/attrs.h"

namespace ostrich::cpu {

namespace {

using core::DType;
using dnnl::memory;

struct Product {
  bool transpose_a, transpose_b, sum_a;
  std::string activation;
  Slot *a, *b, *bias;
  DType compute;  // of both operands
  DType result;   // of the first output, as computed
};

Product parse(Builder& builder, const program::NodeSpec& node) {
  Product p;
  p.transpose_a = program::get_bool(node, "transposeA");
  p.transpose_b = program::get_bool(node, "transposeB");
  p.sum_a = program::get_bool(node, "sumA");
  p.activation = program::get_string(node, "activation");
  p.a = builder.input(node, 0);
  p.b = builder.input(node, 1);
  p.bias = node.inputs.size() > 2 ? builder.row_major(builder.input(node, 2)) : nullptr;
  p.compute = compute_type(p.a->dtype);
  p.result = p.compute == p.a->dtype ? program::get_dtype(node, "dtype") : DType::f32;
  return p;
}

memory::desc rows(DType dtype, const core::Shape& shape) { return row_major_desc(dtype, shape); }

// Weights lie as oneDNN likes where it has brgemm kernels for AVX-512. Below, its choice of blocks leaves the gradient
// of weights without a kernel for them, and the products of plain weights are faster.
bool has_blocked_weights() {
  static const bool blocked = dnnl::get_effective_cpu_isa() >= dnnl::cpu_isa::avx512_core;
  return blocked;
}

memory::desc weights_desc(DType dtype, const core::Shape& shape) {
  return has_blocked_weights() ? any_desc(dtype, shape) : rows(dtype, shape);
}

// y [M, N] = act(x [M, K] w^T + bias), w [N, K].
std::unique_ptr<Step> forward(Builder& builder, const program::NodeSpec& node, const Product& p) {
  const int64_t m = p.a->shape[0], n = p.b->shape[0];
  const memory::desc x = rows(p.compute, p.a->shape), w = weights_desc(p.compute, p.b->shape),
                     y = rows(p.result, {m, n});
  using Forward = dnnl::inner_product_forward;
  const auto kind = dnnl::prop_kind::forward_training;
  const Forward::primitive_desc description =
      p.bias ? Forward::primitive_desc(builder.engine(), kind, x, w, p.bias->desc, y, user_scratchpad())
             : Forward::primitive_desc(builder.engine(), kind, x, w, y, user_scratchpad());
  auto step = std::make_unique<PrimitiveStep>(builder, Forward(description), description);
  step->reads_arg(DNNL_ARG_SRC, builder.with_desc(p.a, x), x);
  step->reads_arg(DNNL_ARG_WEIGHTS, builder.with_desc(p.b, description.weights_desc()), description.weights_desc());
  if (p.bias) step->reads_arg(DNNL_ARG_BIAS, p.bias, p.bias->desc);
  Slot* to = builder.output(node, 0, y);
  step->writes_arg(DNNL_ARG_DST, to, y).activates(to, Activation(p.activation));
  return step;
}

// The forward product that oneDNN wants as a hint for a gradient: x [rows, in], w [out, in].
dnnl::inner_product_forward::primitive_desc hint(Builder& builder, DType dtype, int64_t count, int64_t in,
                                                 int64_t out) {
  return {builder.engine(),          dnnl::prop_kind::forward_training,
          rows(dtype, {count, in}),  weights_desc(dtype, {out, in}),
          rows(dtype, {count, out}), user_scratchpad()};
}

// The same as backward_data by oneDNN's matmul, for layers of very many outputs, as a vocabulary has. There the inner
// product's gradient no longer keeps its rows of dy in the second-level cache and falls to half its rate or less
// (AVX-512, 650 inputs: from 8192 to 10000 outputs), so that the matmul gains more than another layout of the weights
// costs.
constexpr int64_t kManyOutputs = 8192, kManyRows = 256;

std::unique_ptr<Step> backward_data_of_many(Builder& builder, const program::NodeSpec& node, const Product& p) {
  const memory::desc dx = rows(p.result, {p.a->shape[0], p.b->shape[1]}), dy = rows(p.compute, p.a->shape);
  const dnnl::matmul::primitive_desc description(builder.engine(), dy, any_desc(p.compute, p.b->shape), dx,
                                                 user_scratchpad());
  auto step = std::make_unique<PrimitiveStep>(builder, dnnl::matmul(description), description);
  step->reads_arg(DNNL_ARG_SRC, builder.with_desc(p.a, dy), dy);
  step->reads_arg(DNNL_ARG_WEIGHTS, builder.with_desc(p.b, description.weights_desc()), description.weights_desc());
  step->writes_arg(DNNL_ARG_DST, builder.output(node, 0, dx), dx);
  return step;
}

// dx [M, N] = dy [M, K] w, w [K, N].
std::unique_ptr<Step> backward_data(Builder& builder, const program::NodeSpec& node, const Product& p) {
  const int64_t m = p.a->shape[0], k = p.b->shape[0], n = p.b->shape[1];
  if (has_blocked_weights() && k > kManyOutputs && m >= kManyRows) return backward_data_of_many(builder, node, p);
  const memory::desc dx = rows(p.result, {m, n}), dy = rows(p.compute, {m, k}), w = weights_desc(p.compute, {k, n});
  const dnnl::inner_product_backward_data::primitive_desc description(
      builder.engine(), dx, w, dy, hint(builder, p.compute, m, n, k), user_scratchpad());
  auto step = std::make_unique<PrimitiveStep>(builder, dnnl::inner_product_backward_data(description), description);
  step->reads_arg(DNNL_ARG_DIFF_DST, builder.with_desc(p.a, dy), dy);
  step->reads_arg(DNNL_ARG_WEIGHTS, builder.with_desc(p.b, description.weights_desc()), description.weights_desc());
  step->writes_arg(DNNL_ARG_DIFF_SRC, builder.output(node, 0, dx), dx);
  return step;
}

// dw [M, N] = dy^T x for dy [K, M], x [K, N]; with sumA also db [M] = the column sums of dy.
std::unique_ptr<Step> backward_weights(Builder& builder, const program::NodeSpec& node, const Product& p) {
  const int64_t k = p.a->shape[0], m = p.a->shape[1], n = p.b->shape[1];
  const memory::desc dy = rows(p.compute, {k, m}), x = rows(p.compute, {k, n}), dw = weights_desc(p.result, {m, n});
  const memory::desc db = rows(DType::f32, {m});
  using Backward = dnnl::inner_product_backward_weights;
  const auto forward_hint = hint(builder, p.compute, k, n, m);
  const Backward::primitive_desc description =
      p.sum_a ? Backward::primitive_desc(builder.engine(), x, dw, db, dy, forward_hint, user_scratchpad())
              : Backward::primitive_desc(builder.engine(), x, dw, dy, forward_hint, user_scratchpad());
  auto step = std::make_unique<PrimitiveStep>(builder, Backward(description), description);
  step->reads_arg(DNNL_ARG_DIFF_DST, builder.with_desc(p.a, dy), dy);
  step->reads_arg(DNNL_ARG_SRC, builder.with_desc(p.b, x), x);
  const memory::desc chosen = description.diff_weights_desc();
  step->writes_arg(DNNL_ARG_DIFF_WEIGHTS, builder.output(node, 0, chosen), chosen);
  if (p.sum_a) step->writes_arg(DNNL_ARG_DIFF_BIAS, builder.output(node, 1, db), db);
  return step;
}

// An operand as oneDNN's matmul sees it: batch axes collapsed (one when shared), transposed by its strides.
memory::desc operand(DType dtype, const core::Shape& shape, bool transpose, int64_t batch) {
  const size_t rank = shape.size();
  const int64_t outer = shape[rank - 2], inner = shape[rank - 1], own = rank == 2 ? 1 : batch;
  if (transpose) return memory::desc({own, inner, outer}, dnnl_type(dtype), {outer * inner, 1, inner});
  return memory::desc({own, outer, inner}, dnnl_type(dtype), {outer * inner, inner, 1});
}

std::unique_ptr<Step> general(Builder& builder, const program::NodeSpec& node, const Product& p,
                              const core::Shape& shape) {
  Slot* a = builder.with_desc(p.a, rows(p.compute, p.a->shape));
  Slot* b = builder.with_desc(p.b, rows(p.compute, p.b->shape));
  const size_t rank = shape.size();
  const int64_t batch = core::count(shape) / (shape[rank - 1] * shape[rank - 2]);
  const memory::desc src = operand(p.compute, p.a->shape, p.transpose_a, batch);
  const memory::desc weights = operand(p.compute, p.b->shape, p.transpose_b, batch);
  const memory::desc dst = operand(p.result, {batch, shape[rank - 2], shape[rank - 1]}, false, batch);
  using Matmul = dnnl::matmul;
  const memory::desc bias =
      p.bias ? memory::desc({1, 1, shape[rank - 1]}, dnnl_type(DType::f32), {shape[rank - 1], shape[rank - 1], 1})
             : memory::desc();
  const Matmul::primitive_desc description =
      p.bias ? Matmul::primitive_desc(builder.engine(), src, weights, bias, dst, user_scratchpad())
             : Matmul::primitive_desc(builder.engine(), src, weights, dst, user_scratchpad());
  auto step = std::make_unique<PrimitiveStep>(builder, Matmul(description), description);
  step->reads_arg(DNNL_ARG_SRC, a, src).reads_arg(DNNL_ARG_WEIGHTS, b, weights);
  if (p.bias) step->reads_arg(DNNL_ARG_BIAS, p.bias, bias);
  Slot* y = builder.output(node, 0, rows(p.result, shape));
  step->writes_arg(DNNL_ARG_DST, y, dst).activates(y, Activation(p.activation));
  return step;
}

core::Shape result_shape(const Product& p) {
  core::Shape shape = p.a->shape;
  const size_t rank = shape.size(), b_rank = p.b->shape.size();
  shape[rank - 2] = p.a->shape[rank - (p.transpose_a ? 1 : 2)];
  shape[rank - 1] = p.b->shape[b_rank - (p.transpose_b ? 2 : 1)];
  return shape;
}

}  // namespace

std::unique_ptr<Step> make_matmul(Builder& builder, const program::NodeSpec& node) {
  const Product p = parse(builder, node);
  const bool flat = p.a->shape.size() == 2 && p.b->shape.size() == 2;
  const bool plain = p.bias == nullptr && p.activation == "none";
  if (flat && !p.transpose_a && p.transpose_b) return forward(builder, node, p);
  if (flat && plain && p.transpose_a && !p.transpose_b) return backward_weights(builder, node, p);
  OSTRICH_CHECK(!p.sum_a);
  if (flat && plain && !p.transpose_a && !p.transpose_b) return backward_data(builder, node, p);
  return general(builder, node, p, result_shape(p));
}

}  // namespace ostrich::cpu
