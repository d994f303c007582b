// Local response normalisation across channels and its gradient, channels last. The gradient sums the windows again.
#include "cuda/kernels/lrn.h"

#include "cuda/builder.h"
#include "cuda/kernels/grid.h"
#include "program/attrs.h"

namespace ostrich::cuda {
namespace {

using program::NodeSpec;

class LrnStep : public Step {
 public:
  // `dy` null: forward.
  LrnStep(Builder& builder, const NodeSpec& node, Slot* x, Slot* dy, Slot* y) : x_(x), dy_(dy), y_(y) {
    args_.count = core::count(x->shape);
    args_.channels = make_divisor(x->shape[1]);
    args_.half = int(program::get_int(node, "size")) / 2;
    args_.alpha = float(program::get_number(node, "alpha"));
    args_.beta = float(program::get_number(node, "beta"));
    args_.k = float(program::get_number(node, "k"));
    const int reach = dy == nullptr ? args_.half : 2 * args_.half;
    OSTRICH_CHECK(reach <= kLrnReach);
    stretch_ = kLrnThreads - 2 * reach;
    detail = std::string(dy == nullptr ? "forward" : "backward") + (x->dtype == core::DType::bf16 ? "_bf16" : "_f32") +
             (args_.beta == 0.75f ? "_root" : "_power");
    kernel_ = builder.kernel("lrn", detail);
    reads = {x};
    if (dy != nullptr) reads.push_back(dy);
    writes = {y};
  }

  void run(CUstream stream) override {
    LrnArgs args = args_;
    args.x = x_->data<const void>();
    args.dy = dy_ == nullptr ? nullptr : dy_->data<const void>();
    args.y = y_->data<void>();
    kernel_.launch(stream, grid_for(args.count, unsigned(stretch_)), kLrnThreads, args);
  }

 private:
  const Slot *x_, *dy_, *y_;
  Kernel kernel_;
  LrnArgs args_{};
  int stretch_;
};

Slot* channels_last(Builder& builder, Slot* slot) {
  return builder.with_layout(slot, Layout::channels_last(slot->shape));
}

}  // namespace

std::unique_ptr<Step> make_lrn(Builder& builder, const NodeSpec& node) {
  Slot* x = channels_last(builder, builder.input(node, 0));
  return std::make_unique<LrnStep>(builder, node, x, nullptr, builder.output(node, 0, x->layout));
}

std::unique_ptr<Step> make_lrnGrad(Builder& builder, const NodeSpec& node) {
  Slot* dy = channels_last(builder, builder.input(node, 0));
  Slot* x = channels_last(builder, builder.input(node, 1));
  return std::make_unique<LrnStep>(builder, node, x, dy, builder.output(node, 0, x->layout));
}

}  // namespace ostrich::cuda
