// conv2d and its two gradients by oneDNN convolutions. x [N, C, H, W], w [O, C/groups, KH, KW], y [N, O, OH, OW].
// Images lie as is faster on this machine, weights as oneDNN chooses for that; states keep the layout chosen first.
#include <cstring>

#include "cpu/conv_layout.h"
#include "cpu/onednn.h"
#include "program/attrs.h"

namespace ostrich::cpu {

namespace {

using core::DType;
using core::Shape;
using dnnl::memory;
using Forward = dnnl::convolution_forward;

struct Geometry {
  memory::dims stride, dilation, pad_before, pad_after;
  int64_t groups;
};

Geometry geometry(const program::NodeSpec& node) {
  Geometry g;
  g.stride = program::get_ints(node, "stride", 2);
  g.dilation = program::get_ints(node, "dilation", 2);
  for (auto& d : g.dilation) d -= 1;  // oneDNN counts the gaps
  const auto padding = program::get_ints(node, "padding", 4);
  g.pad_before = {padding[0], padding[1]};
  g.pad_after = {padding[2], padding[3]};
  g.groups = program::get_int(node, "groups");
  return g;
}

// oneDNN gives grouped weights an axis of their own: [G, O/G, C/G, KH, KW].
Shape weight_dims(const Shape& w, int64_t groups) {
  return groups == 1 ? w : Shape{groups, w[0] / groups, w[1], w[2], w[3]};
}

Forward::primitive_desc describe(Builder& builder, const Geometry& g, const memory::desc& x, const memory::desc& w,
                                 const memory::desc* bias, const memory::desc& y, const dnnl::primitive_attr& attr) {
  const auto kind = dnnl::prop_kind::forward_training;
  const auto algorithm = dnnl::algorithm::convolution_direct;
  if (bias)
    return {builder.engine(), kind, algorithm, x, w, *bias, y, g.stride, g.dilation, g.pad_before, g.pad_after, attr};
  return {builder.engine(), kind, algorithm, x, w, y, g.stride, g.dilation, g.pad_before, g.pad_after, attr};
}

// What a convolution asks for its images [N, C, H, W].
memory::desc images(DType dtype, const Shape& shape, bool channels_last) {
  return channels_last ? memory::desc(shape, dnnl_type(dtype), memory::format_tag::nhwc) : any_desc(dtype, shape);
}

Forward::primitive_desc hint(Builder& builder, const Geometry& g, DType dtype, const Shape& x, const Shape& w,
                             const Shape& y, bool channels_last) {
  return describe(builder, g, images(dtype, x, channels_last), any_desc(dtype, weight_dims(w, g.groups)), nullptr,
                  images(dtype, y, channels_last), user_scratchpad());
}

// Whether this convolution's three passes run channels last: where that is faster on this machine, and oneDNN has its
// brgemm kernels for these extents (not for few input channels, as in a first layer). One answer for all three, so that
// they share layouts.
bool channels_last(Builder& builder, const Geometry& g, DType dtype, const Shape& x, const Shape& w, const Shape& y) {
  if (!channels_last_is_faster(dtype)) return false;
  return std::strstr(hint(builder, g, dtype, x, w, y, true).impl_info_str(), "brg") != nullptr;
}

// Grouped weights live in the program as [O, C/G, KH, KW]: row-major bytes are the same, so they are read through a
// descriptor of five axes; ungrouped weights take the primitive's own layout.
Slot* weights(Builder& builder, Slot* w, DType dtype, const memory::desc& wanted, int64_t groups) {
  if (groups == 1) return builder.with_desc(w, wanted);
  return builder.with_desc(w, row_major_desc(dtype, w->shape));
}

DType result_type(const program::NodeSpec& node, DType input) {
  return compute_type(input) == input ? program::get_dtype(node, "dtype") : DType::f32;
}

memory::desc weights_wish(DType dtype, const Shape& w, int64_t groups) {
  return groups == 1 ? any_desc(dtype, w) : row_major_desc(dtype, weight_dims(w, groups));
}

}  // namespace

std::unique_ptr<Step> make_conv2d(Builder& builder, const program::NodeSpec& node) {
  const Geometry g = geometry(node);
  Slot *x = builder.input(node, 0), *w = builder.input(node, 1);
  Slot* bias = node.inputs.size() > 2 ? builder.row_major(builder.input(node, 2)) : nullptr;
  const DType compute = compute_type(x->dtype), result = result_type(node, x->dtype);
  dnnl::primitive_attr attr = user_scratchpad();
  append_activation(attr, program::get_string(node, "activation"));
  const Shape& y = builder.shape(node, 0);
  const bool last = channels_last(builder, g, compute, x->shape, w->shape, y);
  const Forward::primitive_desc description =
      describe(builder, g, images(compute, x->shape, last), weights_wish(compute, w->shape, g.groups),
               bias ? &bias->desc : nullptr, images(result, y, last), attr);
  auto step = std::make_unique<PrimitiveStep>(builder, Forward(description), description);
  step->reads_arg(DNNL_ARG_SRC, builder.with_desc(x, description.src_desc()), description.src_desc());
  step->reads_arg(DNNL_ARG_WEIGHTS, weights(builder, w, compute, description.weights_desc(), g.groups),
                  description.weights_desc());
  if (bias) step->reads_arg(DNNL_ARG_BIAS, bias, bias->desc);
  step->writes_arg(DNNL_ARG_DST, builder.output(node, 0, description.dst_desc()), description.dst_desc());
  return step;
}

std::unique_ptr<Step> make_conv2dGradInput(Builder& builder, const program::NodeSpec& node) {
  const Geometry g = geometry(node);
  Slot *dy = builder.input(node, 0), *w = builder.input(node, 1);
  const DType compute = compute_type(dy->dtype), result = result_type(node, dy->dtype);
  const Shape& dx = builder.shape(node, 0);
  const bool last = channels_last(builder, g, compute, dx, w->shape, dy->shape);
  using Backward = dnnl::convolution_backward_data;
  const Backward::primitive_desc description(
      builder.engine(), dnnl::algorithm::convolution_direct, images(result, dx, last),
      weights_wish(compute, w->shape, g.groups), images(compute, dy->shape, last), g.stride, g.dilation, g.pad_before,
      g.pad_after, hint(builder, g, compute, dx, w->shape, dy->shape, last), user_scratchpad());
  auto step = std::make_unique<PrimitiveStep>(builder, Backward(description), description);
  step->reads_arg(DNNL_ARG_DIFF_DST, builder.with_desc(dy, description.diff_dst_desc()), description.diff_dst_desc());
  step->reads_arg(DNNL_ARG_WEIGHTS, weights(builder, w, compute, description.weights_desc(), g.groups),
                  description.weights_desc());
  step->writes_arg(DNNL_ARG_DIFF_SRC, builder.output(node, 0, description.diff_src_desc()),
                   description.diff_src_desc());
  return step;
}

std::unique_ptr<Step> make_conv2dGradWeight(Builder& builder, const program::NodeSpec& node) {
  const Geometry g = geometry(node);
  const bool sum_dy = program::get_bool(node, "sumDy");
  Slot *x = builder.input(node, 0), *dy = builder.input(node, 1);
  const DType compute = compute_type(x->dtype), result = result_type(node, x->dtype);
  const Shape& dw = builder.shape(node, 0);
  const bool last = channels_last(builder, g, compute, x->shape, dw, dy->shape);
  const memory::desc xs = images(compute, x->shape, last), ws = weights_wish(result, dw, g.groups),
                     ys = images(compute, dy->shape, last), db = row_major_desc(DType::f32, {dw[0]});
  const auto forward_hint = hint(builder, g, compute, x->shape, dw, dy->shape, last);
  const auto algorithm = dnnl::algorithm::convolution_direct;
  using Backward = dnnl::convolution_backward_weights;
  const Backward::primitive_desc description =
      sum_dy ? Backward::primitive_desc(builder.engine(), algorithm, xs, ws, db, ys, g.stride, g.dilation, g.pad_before,
                                        g.pad_after, forward_hint, user_scratchpad())
             : Backward::primitive_desc(builder.engine(), algorithm, xs, ws, ys, g.stride, g.dilation, g.pad_before,
                                        g.pad_after, forward_hint, user_scratchpad());
  auto step = std::make_unique<PrimitiveStep>(builder, Backward(description), description);
  step->reads_arg(DNNL_ARG_SRC, builder.with_desc(x, description.src_desc()), description.src_desc());
  step->reads_arg(DNNL_ARG_DIFF_DST, builder.with_desc(dy, description.diff_dst_desc()), description.diff_dst_desc());
  const memory::desc chosen = description.diff_weights_desc();
  Slot* target = g.groups == 1 ? builder.output(node, 0, chosen) : builder.output(node, 0, row_major_desc(result, dw));
  step->writes_arg(DNNL_ARG_DIFF_WEIGHTS, target, chosen);
  if (sum_dy) step->writes_arg(DNNL_ARG_DIFF_BIAS, builder.output(node, 1, db), db);
  return step;
}

}  // namespace ostrich::cpu
