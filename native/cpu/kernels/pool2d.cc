// What max and average pooling share: the layout of their input where channels lie together in it. Average pooling and
// its gradient by oneDNN.
#include "cpu/kernels/pool2d.h"

#include "cpu/conv_layout.h"
#include "cpu/onednn.h"
#include "program/attrs.h"

namespace ostrich::cpu {

namespace {

using dnnl::memory;
using Forward = dnnl::pooling_forward;

struct Window {
  memory::dims kernel, stride, pad_before, pad_after;
};

Window window(const program::NodeSpec& node) {
  const auto padding = program::get_ints(node, "padding", 4);
  return {program::get_ints(node, "kernel", 2),
          program::get_ints(node, "stride", 2),
          {padding[0], padding[1]},
          {padding[2], padding[3]}};
}

dnnl::algorithm average(const program::NodeSpec& node) {
  return program::get_bool(node, "countPadding") ? dnnl::algorithm::pooling_avg_include_padding
                                                 : dnnl::algorithm::pooling_avg_exclude_padding;
}

Forward::primitive_desc describe(Builder& builder, dnnl::algorithm algorithm, const memory::desc& x,
                                 const memory::desc& y, const Window& w) {
  return {builder.engine(),
          dnnl::prop_kind::forward_training,
          algorithm,
          x,
          y,
          w.stride,
          w.kernel,
          {0, 0},
          w.pad_before,
          w.pad_after,
          user_scratchpad()};
}

constexpr int64_t kFewChannels = 8;

// What the convolutions around a pool work in on this machine.
Tag usual_layout(int64_t channels) {
  if (channels_last_is_faster()) return Tag::nhwc;
  const bool wide = dnnl::get_effective_cpu_isa() >= dnnl::cpu_isa::avx512_core;
  if (channels % (wide ? 16 : 8) != 0) return Tag::nhwc;
  return wide ? Tag::nChw16c : Tag::nChw8c;
}

}  // namespace

memory::desc pool_images(core::DType type, const core::Shape& shape, Tag tag) {
  return tag == Tag::undef ? row_major_desc(type, shape) : memory::desc(shape, dnnl_type(type), tag);
}

Tag channel_layout(const Slot* slot) {
  for (Tag tag : {Tag::nhwc, Tag::nChw16c, Tag::nChw8c}) {
    if (slot->desc == pool_images(slot->dtype, slot->shape, tag)) return tag;
  }
  return Tag::undef;
}

Slot* pool_input(Builder& builder, Slot* slot, core::DType type) {
  if (slot->desc.is_zero()) {
    const memory::desc known = find_desc(slot->dtype, slot->layout);
    slot = known.is_zero() ? builder.row_major(slot) : builder.with_desc(slot, known);
  }
  if (channel_layout(slot) == Tag::undef && slot->shape[1] >= kFewChannels)
    return builder.with_desc(slot, pool_images(type, slot->shape, usual_layout(slot->shape[1])));
  if (type == slot->dtype) return slot;
  const memory::desc desc = find_desc(type, slot->layout);
  return builder.with_desc(slot, desc.is_zero() ? row_major_desc(type, slot->shape) : desc);
}

namespace {

std::unique_ptr<PrimitiveStep> forward(Builder& builder, const program::NodeSpec& node,
                                       const Forward::primitive_desc& description, Slot* x) {
  auto step = std::make_unique<PrimitiveStep>(builder, Forward(description), description);
  step->reads_arg(DNNL_ARG_SRC, x, x->desc);
  step->writes_arg(DNNL_ARG_DST, builder.output(node, 0, description.dst_desc()), description.dst_desc());
  return step;
}

std::unique_ptr<PrimitiveStep> backward(Builder& builder, const program::NodeSpec& node,
                                        const Forward::primitive_desc& hint, dnnl::algorithm algorithm,
                                        const memory::desc& dx_wish, Slot* dy, const memory::desc& dy_desc) {
  const Window w = window(node);
  using Backward = dnnl::pooling_backward;
  const Backward::primitive_desc description(builder.engine(), algorithm, dx_wish, dy_desc, w.stride, w.kernel, {0, 0},
                                             w.pad_before, w.pad_after, hint, user_scratchpad());
  const memory::desc dx = description.diff_src_desc();
  auto step = std::make_unique<PrimitiveStep>(builder, Backward(description), description);
  step->reads_arg(DNNL_ARG_DIFF_DST, builder.with_desc(dy, dy_desc), dy_desc);
  step->writes_arg(DNNL_ARG_DIFF_SRC, builder.output(node, 0, dx), dx);
  return step;
}

}  // namespace

std::unique_ptr<Step> make_avgPool2d(Builder& builder, const program::NodeSpec& node) {
  Slot* x = builder.input(node, 0);
  x = pool_input(builder, x, pool_type(x->dtype));
  return forward(builder, node,
                 describe(builder, average(node), x->desc, any_desc(x->dtype, builder.shape(node, 0)), window(node)),
                 x);
}

std::unique_ptr<Step> make_avgPool2dGrad(Builder& builder, const program::NodeSpec& node) {
  Slot* dy = builder.input(node, 0);
  const core::DType type = pool_type(dy->dtype);
  dy = pool_input(builder, dy, type);
  Tag tag = channel_layout(dy);
  memory::desc dy_desc = dy->desc;
  // A single place lies in every layout alike: name the one that the gradient has a kernel for.
  if (dy->shape[2] * dy->shape[3] == 1 && dy->shape[1] >= kFewChannels) {
    tag = usual_layout(dy->shape[1]);
    dy_desc = pool_images(type, dy->shape, tag);
  }
  const memory::desc dx = pool_images(type, builder.shape(node, 0), tag);
  const Forward::primitive_desc hint = describe(builder, average(node), dx, dy_desc, window(node));
  return backward(builder, node, hint, average(node), dx, dy, dy_desc);
}

}  // namespace ostrich::cpu
