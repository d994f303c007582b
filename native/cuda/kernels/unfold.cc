// unfold and fold: windows of x [N, C, H, W] as rows [OH*OW, N, C*KH*KW] and back, row-major.
#include "cuda/kernels/unfold.h"

#include "cuda/builder.h"
#include "cuda/kernels/grid.h"
#include "program/attrs.h"

namespace ostrich::cuda {
namespace {

using core::Shape;
using program::NodeSpec;

class UnfoldStep : public Step {
 public:
  // `x` are the extents of the image, which is `from` or `to`.
  UnfoldStep(Builder& builder, const NodeSpec& node, const char* name, Slot* from, Slot* to, const Shape& x) {
    const auto kernel = program::get_ints(node, "kernel", 2), stride = program::get_ints(node, "stride", 2),
               padding = program::get_ints(node, "padding", 4);
    const auto windows = [&](size_t axis) {
      return (x[2 + axis] + padding[axis] + padding[axis + 2] - kernel[axis]) / stride[axis] + 1;
    };
    args_.count = core::count(to->shape);
    args_.images = make_divisor(x[0]);
    args_.channels = make_divisor(x[1]);
    args_.height = make_divisor(x[2]);
    args_.width = make_divisor(x[3]);
    args_.kernel_h = make_divisor(kernel[0]);
    args_.kernel_w = make_divisor(kernel[1]);
    args_.out_height = windows(0);
    args_.out_width = make_divisor(windows(1));
    for (size_t i = 0; i < 2; ++i) {
      args_.stride[i] = int(stride[i]);
      args_.before[i] = int(padding[i]);
    }
    detail = std::string(name) + (from->dtype == core::DType::bf16 ? "_bf16" : "_f32");
    kernel_ = builder.kernel("unfold", detail);
    reads = {from};
    writes = {to};
  }

  void run(CUstream stream) override {
    UnfoldArgs args = args_;
    args.in = reads[0]->data<const void>();
    args.out = writes[0]->data<void>();
    kernel_.launch(stream, grid_for(args.count), kThreads, args);
  }

 private:
  Kernel kernel_;
  UnfoldArgs args_{};
};

}  // namespace

std::unique_ptr<Step> make_unfold(Builder& builder, const NodeSpec& node) {
  Slot* x = builder.row_major(builder.input(node, 0));
  return std::make_unique<UnfoldStep>(builder, node, "unfold", x, builder.output(node, 0), x->shape);
}

std::unique_ptr<Step> make_fold(Builder& builder, const NodeSpec& node) {
  Slot* rows = builder.row_major(builder.input(node, 0));
  return std::make_unique<UnfoldStep>(builder, node, "fold", rows, builder.output(node, 0), builder.shape(node, 0));
}

}  // namespace ostrich::cuda
