// gru and its gradient: see recurrent_step.h.
#include "cuda/kernels/recurrent_step.h"

namespace ostrich::cuda {
namespace {

using program::NodeSpec;

// gates, w, h0, b, mask? -> h, activated
class GruStep : public RecurrentStep {
 public:
  GruStep(Builder& builder, const NodeSpec& node) : RecurrentStep(builder, node, "gru_cell", 1, 3) {}

 private:
  const char* left(int64_t i) const override { return before(i, writes[0], reads[2]); }
  void place(int64_t i, RecurrentArgs& args) const override {
    args.mask = mask(i);
    args.gates = step(reads[0], i, 3);
    args.bias = reads[3]->data<const float>();
    args.h_before = left(i);
    args.h = step(writes[0], i);
    args.activated = step(writes[1], i, 4);
  }
};

// dh, activated, w, h, h0, mask? -> dgates, dproducts, dh0
class GruGradStep : public RecurrentStep {
 public:
  GruGradStep(Builder& builder, const NodeSpec& node) : RecurrentStep(builder, node, "gru_cell_grad", 2, 3) {}

 private:
  const char* left(int64_t i) const override { return step<const char>(writes[1], i - 1, 3); }
  void place(int64_t i, RecurrentArgs& args) const override {
    args.mask = mask(i);
    args.dh = step(reads[0], i);
    args.given_activated = step(reads[1], i, 4);
    args.h_before = earlier(i, reads[3], reads[4]);
    args.dgates = step(writes[0], i, 3);
    args.dproducts = step(writes[1], i, 3);
  }
  void place_first(RecurrentArgs& args) const override { args.dh0 = writes[2]->data<void>(); }
};

}  // namespace

std::unique_ptr<Step> make_gru(Builder& builder, const NodeSpec& node) {
  return std::make_unique<GruStep>(builder, node);
}
std::unique_ptr<Step> make_gruGrad(Builder& builder, const NodeSpec& node) {
  return std::make_unique<GruGradStep>(builder, node);
}

}  // namespace ostrich::cuda
