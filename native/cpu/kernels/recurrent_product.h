// The product of each step of a recurrence by oneDNN, over all units at once: where the machine multiplies bf16, it
// takes a fraction of the time that panels of f32 take.
#pragma once

#include "cpu/onednn.h"

namespace ostrich::cpu {

class RecurrentProduct {
 public:
  // w bf16 [H, C]: products [N, H] w, or, `backward`, [N, C] w^T.
  RecurrentProduct(Builder& builder, Slot* w, int64_t streams, bool backward);

  // The weights as oneDNN likes them.
  Slot* weights() const { return weights_; }
  const std::vector<Slot*>& scratch() const { return step_->writes; }
  std::string detail() const { return step_->detail; }
  // a f32 [N, K], rounded to bf16, or null for zeros -> f32 [N, columns].
  const float* run(RunContext& context, const float* a) const;

 private:
  const int64_t operands_, results_;  // elements
  Slot *weights_, *operand_, *result_;
  std::unique_ptr<PrimitiveStep> step_;
};

}  // namespace ostrich::cpu
