// The product of each step of a recurrence by oneDNN, over all units at once: in bf16, where the machine multiplies it,
// and of large weights in f32, where panels take longer.
#pragma once

#include "cpu/onednn.h"

namespace ostrich::cpu {

class RecurrentProduct {
 public:
  // Whether it is faster than panels for these weights.
  static bool gains(const Slot* w, int64_t streams);

  // w [H, C]: products [N, H] w, or, `backward`, [N, C] w^T.
  RecurrentProduct(Builder& builder, Slot* w, int64_t streams, bool backward);

  // The weights as oneDNN likes them.
  Slot* weights() const { return weights_; }
  const std::vector<program::Slot*>& scratch() const { return step_->writes; }
  std::string detail() const { return step_->detail; }
  // a f32 [N, K], rounded to bf16 where that is multiplied, or null for zeros -> f32 [N, columns].
  const float* run(RunContext& context, const float* a) const;

 private:
  const int64_t operands_, results_;  // elements
  const bool is_narrow_;
  Slot *weights_, *operand_, *result_;
  std::unique_ptr<PrimitiveStep> step_;
};

}  // namespace ostrich::cpu
