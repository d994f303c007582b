// lstm and its gradient: see recurrent_step.h. c and its gradient are f32 whatever the type of the rest.
#include "cuda/kernels/recurrent_step.h"

namespace ostrich::cuda {
namespace {

using program::NodeSpec;

// gates, w, h0, c0, mask? -> h, c, activated
class LstmStep : public RecurrentStep {
 public:
  LstmStep(Builder& builder, const NodeSpec& node) : RecurrentStep(builder, node, "lstm_cell", 1, 4) {}

 private:
  const char* left(int64_t i) const override { return before(i, writes[0], reads[2]); }
  void place(int64_t i, RecurrentArgs& args) const override {
    args.mask = mask(i);
    args.gates = step(reads[0], i, 4);
    args.h_before = left(i);
    args.c_before = reinterpret_cast<const float*>(before(i, writes[1], reads[3]));
    args.h = step(writes[0], i);
    args.c = step<float>(writes[1], i);
    args.activated = step(writes[2], i, 4);
  }
};

// dh, activated, w, c, c0, dc?, mask? -> dgates, dh0, dc0
class LstmGradStep : public RecurrentStep {
 public:
  LstmGradStep(Builder& builder, const NodeSpec& node)
      : RecurrentStep(builder, node, "lstm_cell_grad", 2, 4), has_dc_(program::get_bool(node, "cell")) {}

 private:
  const char* left(int64_t i) const override { return step<const char>(writes[0], i - 1, 4); }
  void place(int64_t i, RecurrentArgs& args) const override {
    args.mask = mask(i);
    args.dh = step(reads[0], i);
    args.given_activated = step(reads[1], i, 4);
    args.given_c = step<const float>(reads[3], i);
    args.c_before = reinterpret_cast<const float*>(earlier(i, reads[3], reads[4]));
    if (has_dc_) args.dc = step<const float>(reads[5], i);
    args.dgates = step(writes[0], i, 4);
    args.dc_carried = writes[2]->data<float>();
  }
  void place_first(RecurrentArgs& args) const override { args.dh0 = writes[1]->data<void>(); }

  const bool has_dc_;
};

}  // namespace

std::unique_ptr<Step> make_lstm(Builder& builder, const NodeSpec& node) {
  return std::make_unique<LstmStep>(builder, node);
}
std::unique_ptr<Step> make_lstmGrad(Builder& builder, const NodeSpec& node) {
  return std::make_unique<LstmGradStep>(builder, node);
}

}  // namespace ostrich::cuda
