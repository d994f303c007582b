// Winograd's convolution (Lavin and Gray 2016): 36 small products over the channels in place of 9 or 25 multiplications
// for every element, 2.25 to 4 times fewer of them.
#pragma once

#include <memory>
#include <optional>

#include "cpu/builder.h"

namespace ostrich::cpu {

// A convolution of stride 1 in f32. x [N, C, H, W], w [O, C/groups, R, R], y [N, O, OH, OW]; `pad` rows above, left.
struct WinogradSpec {
  core::Shape x, w, y;
  int64_t groups, pad_top, pad_left;
  // Layouts of x and y: channels last or in blocks, whole multiples of 8.
  dnnl::memory::desc x_desc, y_desc;
};

// Whether it pays: 3 x 3 or 5 x 5 weights, enough channels in a group, and few results beyond the image's edge. The
// answer does not depend on the batch, so that the programs of a network agree on how weights lie.
bool winograd_pays(const core::Shape& x, const core::Shape& w, const core::Shape& y, int64_t groups);
// Whether images in this layout can be read in runs of 8 channels.
bool winograd_reads(const dnnl::memory::desc& images);

// Weights lie as [R, R, C/groups, O].
dnnl::memory::desc winograd_weights(const core::Shape& w);

// y = w * x (+ bias) (, relu); `bias` may be null.
std::unique_ptr<Step> winograd_forward(Builder& builder, const program::NodeSpec& node, const WinogradSpec& spec,
                                       Slot* x, Slot* w, Slot* bias, bool relu);
std::unique_ptr<Step> winograd_grad_input(Builder& builder, const program::NodeSpec& node, const WinogradSpec& spec,
                                          Slot* dy, Slot* w);
// `sum_dy`: output 1 is the sum of dy over all but its channels.
std::unique_ptr<Step> winograd_grad_weight(Builder& builder, const program::NodeSpec& node, const WinogradSpec& spec,
                                           Slot* x, Slot* dy, bool sum_dy);

}  // namespace ostrich::cpu
