// Winograd's convolution (Lavin and Gray 2016): in f32 36 small products over the channels in place of 9 or 25
// multiplications for every element, 2.25 to 4 times fewer of them; in bf16 see winograd_bf16.h.
#pragma once

#include <memory>
#include <optional>

#include "cpu/builder.h"

namespace ostrich::cpu {

// A convolution of stride 1 in f32 or bf16. x [N, C, H, W], w [O, C/groups, R, R], y [N, O, OH, OW]; `pad` rows above,
// left.
struct WinogradSpec {
  core::Shape x, w, y;
  int64_t groups, pad_top, pad_left;
  // Layouts of x and y: channels last or in blocks, whole multiples of 8 (in bf16 of 16).
  dnnl::memory::desc x_desc, y_desc;
};

// Whether it pays for images of `dtype` and results of type `result`: 3 x 3 or 5 x 5 weights, enough channels in a
// group, and few results beyond the image's edge. The answer does not depend on the batch, so that the programs of a
// network agree on how weights lie.
bool winograd_pays(core::DType dtype, core::DType result, const core::Shape& x, const core::Shape& w,
                   const core::Shape& y, int64_t groups);
// Whether images in this layout can be read in runs of 8 channels, or of 16 in bf16.
bool winograd_reads(const dnnl::memory::desc& images);

// Weights lie as [R, R, C/groups, O].
dnnl::memory::desc winograd_weights(core::DType dtype, const core::Shape& w);

// y = w * x (+ bias) (, relu); `bias` may be null.
std::unique_ptr<Step> winograd_forward(Builder& builder, const program::NodeSpec& node, const WinogradSpec& spec,
                                       Slot* x, Slot* w, Slot* bias, core::DType result, bool relu);
std::unique_ptr<Step> winograd_grad_input(Builder& builder, const program::NodeSpec& node, const WinogradSpec& spec,
                                          Slot* dy, Slot* w, core::DType result);
// dw is of type `result`: f32, or in bf16 that. `sum_dy`: output 1 is the sum of dy over all but its channels.
std::unique_ptr<Step> winograd_grad_weight(Builder& builder, const program::NodeSpec& node, const WinogradSpec& spec,
                                           Slot* x, Slot* dy, core::DType result, bool sum_dy);

}  // namespace ostrich::cpu
