// Layouts of images that are pooled.
#pragma once

#include "cpu/onednn.h"

namespace ostrich::cpu {

using Tag = dnnl::memory::format_tag;

// Images [N, C, H, W]: nhwc, nChw16c or nChw8c; row-major for undef.
dnnl::memory::desc pool_images(core::DType type, const core::Shape& shape, Tag tag);

// The layout of images whose channels lie together; undef for any other.
Tag channel_layout(const Slot* slot);

// The input in this type, with channels together where it has enough of them: planes, as a feed or a convolution of few
// input channels leaves them, are pooled one number at a time.
Slot* pool_input(Builder& builder, Slot* slot, core::DType type);

}  // namespace ostrich::cpu
