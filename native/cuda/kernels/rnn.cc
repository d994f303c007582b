// rnn and its gradient: see recurrent_step.h.
#include "cuda/kernels/recurrent_step.h"

namespace ostrich::cuda {
namespace {

using program::NodeSpec;

bool is_relu(const NodeSpec& node) { return program::get_string(node, "activation") == "relu"; }

// gates, w, h0, mask? -> h
class RnnStep : public RecurrentStep {
 public:
  RnnStep(Builder& builder, const NodeSpec& node) : RecurrentStep(builder, node, "rnn_cell", 1, 1) {
    common_.relu = is_relu(node);
  }

 private:
  const char* left(int64_t i) const override { return before(i, writes[0], reads[2]); }
  void place(int64_t i, RecurrentArgs& args) const override {
    args.mask = mask(i);
    args.gates = step(reads[0], i);
    args.h_before = left(i);
    args.h = step(writes[0], i);
  }
};

// dh, h, w, mask? -> dgates, dh0
class RnnGradStep : public RecurrentStep {
 public:
  RnnGradStep(Builder& builder, const NodeSpec& node) : RecurrentStep(builder, node, "rnn_cell_grad", 2, 1) {
    common_.relu = is_relu(node);
  }

 private:
  const char* left(int64_t i) const override { return step<const char>(writes[0], i - 1); }
  void place(int64_t i, RecurrentArgs& args) const override {
    args.mask = mask(i);
    args.dh = step(reads[0], i);
    args.given_h = step(reads[1], i);
    args.dgates = step(writes[0], i);
  }
  void place_first(RecurrentArgs& args) const override { args.dh0 = writes[1]->data<void>(); }
};

}  // namespace

std::unique_ptr<Step> make_rnn(Builder& builder, const NodeSpec& node) {
  return std::make_unique<RnnStep>(builder, node);
}
std::unique_ptr<Step> make_rnnGrad(Builder& builder, const NodeSpec& node) {
  return std::make_unique<RnnGradStep>(builder, node);
}

}  // namespace ostrich::cuda
