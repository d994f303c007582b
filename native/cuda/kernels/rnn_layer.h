// A recurrent layer that cuDNN computes, as steps: the program's weights are copied to where cuDNN has them, the layer
// runs, and in training the gradients are copied back. cuDNN has one type for all, so that in bf16 programs the bias,
// c and their gradients, which are f32 here, are converted.
#pragma once

#include <memory>

#include "cuda/builder.h"
#include "cuda/recurrent_layer.h"

namespace ostrich::cuda {

class RnnLayer {
 public:
  RnnLayer(RecurrentLayer layer, std::shared_ptr<RnnPlan> plan);
  const RecurrentLayer& what() const { return layer_; }
  // The step in the place of the cell; then the one in the place of its gradient.
  std::unique_ptr<Step> forward(Builder& builder);
  std::unique_ptr<Step> backward(Builder& builder);

 private:
  RecurrentLayer layer_;
  std::shared_ptr<RnnPlan> plan_;
  // What the forward leaves for the backward.
  Slot *x_ = nullptr, *h0_ = nullptr, *c0_ = nullptr, *y_ = nullptr, *weights_ = nullptr, *reserve_ = nullptr;
};

}  // namespace ostrich::cuda
