// Sums that a library's epilogue leaves to us.
#pragma once

#include <memory>

#include "cuda/builder.h"

namespace ostrich::cuda {

// sums f32 [N] of the columns of a row-major matrix [M, N], f32 or bf16. In reduce.cc.
std::unique_ptr<Step> make_column_sums(Builder& builder, Slot* matrix, Slot* sums);
// sums f32 [C] of images [N, C, H, W] in whatever layout.
std::unique_ptr<Step> make_channel_sums(Builder& builder, Slot* images, Slot* sums);

}  // namespace ostrich::cuda
