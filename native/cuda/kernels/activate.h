// Activations after a product or a convolution, and what else their libraries leave to us. No library's ReLU is used: a
// network whose numbers are none would train on as if they were 0. Of cuBLASLt's nothing is promised; cuDNN's is asked
// for NaN by an attribute that is deprecated, kept by some engines only, and takes infinity for the largest number.
// cuDNN's tanh and sigmoid are approximate; ours are the same in every op.
#pragma once

#include <memory>

#include "cuda/builder.h"

namespace ostrich::cuda {

enum class Activation : uint8_t { none, relu, tanh, sigmoid };

// The attribute of a node.
Activation activation_of(const program::NodeSpec& node);

// y = activation(x + bias), both in one layout (y may be x); bias f32 along `axis`, or null. In pointwise.cc.
std::unique_ptr<Step> make_activate(Builder& builder, Slot* x, Slot* y, Activation activation, Slot* bias, size_t axis);

}  // namespace ostrich::cuda
