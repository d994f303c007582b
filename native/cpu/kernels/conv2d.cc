// conv2d and its two gradients by oneDNN convolutions. x [N, C, H, W], w [O, C/groups, KH, KW], y [N, O, OH, OW].
// Images lie as is faster on this machine, weights as oneDNN chooses for that; states keep the layout chosen first.
#include <cstring>

#include "cpu/conv_layout.h"
#include "cpu/kernels/winograd.h"
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

memory::desc any_weights(DType dtype, const Shape& w, int64_t groups) {
  return any_desc(dtype, weight_dims(w, groups));
}

Forward::primitive_desc describe(Builder& builder, const Geometry& g, const memory::desc& x, const memory::desc& w,
                                 const memory::desc* bias, const memory::desc& y) {
  const auto kind = dnnl::prop_kind::forward_training;
  const auto algorithm = dnnl::algorithm::convolution_direct;
  const dnnl::primitive_attr attr = user_scratchpad();
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
  return describe(builder, g, images(dtype, x, channels_last), any_weights(dtype, w, g.groups), nullptr,
                  images(dtype, y, channels_last));
}

// Whether this convolution's three passes run channels last: where that is faster on this machine, and oneDNN has its
// brgemm kernels for these extents (not for few input channels, as in a first layer). One answer for all three, so that
// they share layouts.
bool channels_last(Builder& builder, const Geometry& g, DType dtype, const Shape& x, const Shape& w, const Shape& y) {
  if (!channels_last_is_faster()) return false;
  return std::strstr(hint(builder, g, dtype, x, w, y, true).impl_info_str(), "brg") != nullptr;
}

// The descriptor of four axes over the same bytes as grouped weights of five; zero where there is none.
memory::desc ungrouped(const memory::desc& weights, int64_t groups) {
  if (groups == 1) return weights;
  const std::optional<Layout> four = without_groups(Layout::of(weights));
  return four ? find_desc(core_type(weights.get_data_type()), *four) : memory::desc();
}

// A convolution. Grouped weights that lie otherwise than it wants them are reordered within the step: between their
// four axes and its five the builder cannot.
class ConvStep : public PrimitiveStep {
 public:
  using PrimitiveStep::PrimitiveStep;

  void reads_weights(Builder& builder, Slot* w, const memory::desc& wanted, int64_t groups) {
    if (groups == 1) {
      reads_arg(DNNL_ARG_WEIGHTS, builder.with_desc(w, wanted), wanted);
      return;
    }
    const memory::desc home = ungrouped(wanted, groups);
    if (builder.homeless(w) && !home.is_zero()) w = builder.with_layout(w, Layout::of(home));
    const bool fits = !home.is_zero() && w->layout == Layout::of(home) && dnnl_type(w->dtype) == home.get_data_type();
    if (fits) {
      reads_arg(DNNL_ARG_WEIGHTS, w, wanted);
    } else {
      reorder_weights(builder, w, wanted, groups);
    }
  }

  void run(RunContext& context) override {
    if (reorder_) reorder_->run(context);
    PrimitiveStep::run(context);
  }

 private:
  void reorder_weights(Builder& builder, Slot* w, const memory::desc& wanted, int64_t groups) {
    const std::optional<Layout> grouped = with_groups(w->layout, groups);
    memory::desc from = grouped ? find_desc(w->dtype, *grouped) : memory::desc();
    if (from.is_zero()) {
      w = builder.row_major(w);
      from = row_major_desc(w->dtype, weight_dims(w->shape, groups));
    }
    const dnnl::reorder::primitive_desc description(builder.engine(), from, builder.engine(), wanted,
                                                    user_scratchpad());
    Slot* copy = builder.scratch(wanted.get_size());
    reorder_ = std::make_unique<PrimitiveStep>(builder, dnnl::reorder(description), description);
    reorder_->reads_arg(DNNL_ARG_FROM, w, from).writes_arg(DNNL_ARG_TO, copy, wanted);
    reads.push_back(w);
    writes.insert(writes.end(), reorder_->writes.begin(), reorder_->writes.end());
    reads_arg(DNNL_ARG_WEIGHTS, copy, wanted);
  }

  std::unique_ptr<PrimitiveStep> reorder_;
};

// How Winograd's form computes this convolution of images of type `compute`, where it is to.
std::optional<WinogradSpec> winograd(Builder& builder, const Geometry& g, DType compute, DType result, const Shape& x,
                                     const Shape& w, const Shape& y) {
  const memory::dims ones = {1, 1}, none = {0, 0};
  if (g.stride != ones || g.dilation != none || !winograd_pays(compute, result, x, w, y, g.groups)) return std::nullopt;
  const bool last = channels_last(builder, g, compute, x, w, y);
  const Forward::primitive_desc direct = hint(builder, g, compute, x, w, y, last);
  if (!winograd_reads(direct.src_desc()) || !winograd_reads(direct.dst_desc())) return std::nullopt;
  return WinogradSpec{x, w, y, g.groups, g.pad_before[0], g.pad_before[1], direct.src_desc(), direct.dst_desc()};
}

DType result_type(const program::NodeSpec& node, DType input) {
  return compute_type(input) == input ? program::get_dtype(node, "dtype") : DType::f32;
}

}  // namespace

std::unique_ptr<Step> make_conv2d(Builder& builder, const program::NodeSpec& node) {
  const Geometry g = geometry(node);
  Slot *x = builder.input(node, 0), *w = builder.input(node, 1);
  Slot* bias = node.inputs.size() > 2 ? builder.row_major(builder.input(node, 2)) : nullptr;
  const DType compute = compute_type(x->dtype), result = result_type(node, x->dtype);
  const std::string name = program::get_string(node, "activation");
  const Activation activation(name);
  const Shape& y = builder.shape(node, 0);
  if (name == "none" || name == "relu") {
    if (const auto spec = winograd(builder, g, compute, result, x->shape, w->shape, y))
      return winograd_forward(builder, node, *spec, x, w, bias, result, name == "relu");
  }
  // Channels last have no padding, which an activation could change.
  const bool last = !activation.keeps_zero() || channels_last(builder, g, compute, x->shape, w->shape, y);
  const Forward::primitive_desc description =
      describe(builder, g, images(compute, x->shape, last), any_weights(compute, w->shape, g.groups),
               bias ? &bias->desc : nullptr, images(result, y, last));
  auto step = std::make_unique<ConvStep>(builder, Forward(description), description);
  step->reads_arg(DNNL_ARG_SRC, builder.with_desc(x, description.src_desc()), description.src_desc());
  step->reads_weights(builder, w, description.weights_desc(), g.groups);
  if (bias) step->reads_arg(DNNL_ARG_BIAS, bias, bias->desc);
  Slot* to = builder.output(node, 0, description.dst_desc());
  step->writes_arg(DNNL_ARG_DST, to, description.dst_desc()).activates(to, activation);
  return step;
}

std::unique_ptr<Step> make_conv2dGradInput(Builder& builder, const program::NodeSpec& node) {
  const Geometry g = geometry(node);
  Slot *dy = builder.input(node, 0), *w = builder.input(node, 1);
  const DType compute = compute_type(dy->dtype), result = result_type(node, dy->dtype);
  const Shape& dx = builder.shape(node, 0);
  if (const auto spec = winograd(builder, g, compute, result, dx, w->shape, dy->shape))
    return winograd_grad_input(builder, node, *spec, dy, w, result);
  const bool last = channels_last(builder, g, compute, dx, w->shape, dy->shape);
  using Backward = dnnl::convolution_backward_data;
  const Backward::primitive_desc description(
      builder.engine(), dnnl::algorithm::convolution_direct, images(result, dx, last),
      any_weights(compute, w->shape, g.groups), images(compute, dy->shape, last), g.stride, g.dilation, g.pad_before,
      g.pad_after, hint(builder, g, compute, dx, w->shape, dy->shape, last), user_scratchpad());
  auto step = std::make_unique<ConvStep>(builder, Backward(description), description);
  step->reads_arg(DNNL_ARG_DIFF_DST, builder.with_desc(dy, description.diff_dst_desc()), description.diff_dst_desc());
  step->reads_weights(builder, w, description.weights_desc(), g.groups);
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
  if (result == compute || result == DType::f32) {
    if (const auto spec = winograd(builder, g, compute, compute, x->shape, dw, dy->shape))
      return winograd_grad_weight(builder, node, *spec, x, dy, result, sum_dy);
  }
  const bool last = channels_last(builder, g, compute, x->shape, dw, dy->shape);
  const memory::desc xs = images(compute, x->shape, last), ys = images(compute, dy->shape, last),
                     db = row_major_desc(DType::f32, {dw[0]});
  const auto forward_hint = hint(builder, g, compute, x->shape, dw, dy->shape, last);
  const auto algorithm = dnnl::algorithm::convolution_direct;
  using Backward = dnnl::convolution_backward_weights;
  const auto described = [&](const memory::desc& ws) {
    return sum_dy ? Backward::primitive_desc(builder.engine(), algorithm, xs, ws, db, ys, g.stride, g.dilation,
                                             g.pad_before, g.pad_after, forward_hint, user_scratchpad())
                  : Backward::primitive_desc(builder.engine(), algorithm, xs, ws, ys, g.stride, g.dilation,
                                             g.pad_before, g.pad_after, forward_hint, user_scratchpad());
  };
  Backward::primitive_desc description = described(any_weights(result, dw, g.groups));
  memory::desc target = ungrouped(description.diff_weights_desc(), g.groups);
  if (target.is_zero()) {
    description = described(row_major_desc(result, weight_dims(dw, g.groups)));
    target = row_major_desc(result, dw);
  }
  auto step = std::make_unique<PrimitiveStep>(builder, Backward(description), description);
  step->reads_arg(DNNL_ARG_SRC, builder.with_desc(x, description.src_desc()), description.src_desc());
  step->reads_arg(DNNL_ARG_DIFF_DST, builder.with_desc(dy, description.diff_dst_desc()), description.diff_dst_desc());
  step->writes_arg(DNNL_ARG_DIFF_WEIGHTS, builder.output(node, 0, target), description.diff_weights_desc());
  if (sum_dy) step->writes_arg(DNNL_ARG_DIFF_BIAS, builder.output(node, 1, db), db);
  return step;
}

}  // namespace ostrich::cpu
