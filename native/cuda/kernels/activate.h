// What a library's epilogue leaves to us.
#pragma once

#include <memory>

#include "cuda/builder.h"

namespace ostrich::cuda {

// y = activation(x + bias), both in one layout (y may be x); bias f32 along `axis`, or null. In pointwise.cc.
std::unique_ptr<Step> make_activate(Builder& builder, Slot* x, Slot* y, Activation activation, Slot* bias, size_t axis);

}  // namespace ostrich::cuda
