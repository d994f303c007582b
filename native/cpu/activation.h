// Activations of products. oneDNN's own take the larger of x and 0 by an instruction that gives 0 for NaN (tanh and the
// logistic function lose NaN likewise), so that a network that diverged would train on: they are a sweep over the
// result instead, within the same step.
#pragma once

#include <string>

#include "cpu/builder.h"

namespace ostrich::cpu {

class Activation {
 public:
  explicit Activation(const std::string& name = "none");  // none, relu, tanh or sigmoid
  // Whether what fills up a layout's blocks stays 0.
  bool keeps_zero() const { return name_ != "sigmoid"; }
  // All elements (f32 or bf16) as they lie, in place.
  void run(const Slot* y, int threads) const;

 private:
  std::string name_;
};

}  // namespace ostrich::cpu
