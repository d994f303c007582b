// Max and average pooling and their gradients, channels last where their input is, else row-major.
#include "cuda/kernels/pool2d.h"

#include "cuda/builder.h"
#include "cuda/kernels/grid.h"
#include "program/attrs.h"

namespace ostrich::cuda {
namespace {

using core::Shape;
using program::NodeSpec;

class PoolStep : public Step {
 public:
  // `x` are the extents of x (or dx); `index` null: none.
  PoolStep(Builder& builder, const NodeSpec& node, const char* name, Slot* in, Slot* out, Slot* index, const Shape& x)
      : in_(in), out_(out), index_(index) {
    const bool is_bf16 = out->dtype == core::DType::bf16;
    const int width = is_bf16 ? kPoolWidthBf16 : kPoolWidthF32, packed = is_wide(width) ? width : 1;
    detail = std::string(name) + (is_bf16 ? "_bf16" : "_f32") + (packed > 1 ? "_wide" : "");
    kernel_ = builder.kernel("pool2d", detail);
    const auto kernel = program::get_ints(node, "kernel", 2), stride = program::get_ints(node, "stride", 2),
               padding = program::get_ints(node, "padding", 4);
    for (size_t i = 0; i < 2; ++i) {
      args_.kernel[i] = int(kernel[i]);
      args_.stride[i] = int(stride[i]);
      args_.before[i] = int(padding[i]);
      args_.by_stride[i] = make_divisor(stride[i]);
    }
    args_.height = int(x[2]);
    args_.width = int(x[3]);
    args_.in_height = int(in->shape[2]);
    args_.in_width = int(in->shape[3]);
    args_.channels = int(out->shape[1]);
    args_.count = out->layout.elements(out->shape) / packed;
    const auto set = [](int64_t(&strides)[4], const Slot* slot) {
      const Shape from = slot->layout.strides(slot->shape);
      for (size_t i = 0; i < 4; ++i) strides[i] = from[i];
    };
    set(args_.in_strides, in);
    set(args_.out_strides, out);
    if (index != nullptr) set(args_.index_strides, index);
    const bool last = !out->layout.is_row_major();
    const int order[4] = {0, last ? 2 : 1, last ? 3 : 2, last ? 1 : 3};
    for (size_t i = 0; i < 4; ++i) {
      args_.axes[i] = order[i];
      const bool channels = last && i == 3;
      args_.extents[i] = make_divisor(channels ? out->layout.channels / packed : out->shape[size_t(order[i])]);
    }
  }

  void run(CUstream stream) override {
    PoolArgs args = args_;
    args.in = in_->data<const void>();
    args.out = out_->data<void>();
    args.index = index_ == nullptr ? nullptr : index_->data<uint8_t>();
    kernel_.launch(stream, grid_for(args.count), kThreads, args);
  }

  bool count_padding(bool value) { return args_.count_padding = value; }

 private:
  // Whether packs of channels are packs in memory, in all that is read and written.
  bool is_wide(int width) const {
    const auto fits = [&](const Slot* slot) {
      return slot == nullptr ||
             (!slot->layout.is_row_major() && slot->layout.channels % width == 0 && slot->offset % 16 == 0);
    };
    return fits(in_) && fits(out_) && fits(index_);
  }

  const Slot *in_, *out_, *index_;
  Kernel kernel_;
  PoolArgs args_{};
};

// The input as it lies, but without padded channels: outputs and indices are never padded.
Slot* unpadded(Builder& builder, Slot* slot) {
  return slot->layout.is_padded(slot->shape) ? builder.with_layout(slot, Layout::channels_last(slot->shape)) : slot;
}

// For an output of other extents in the layout that `like` has.
Layout same_order(const Slot* like, const Shape& shape) {
  return like->layout.is_row_major() ? Layout::row_major() : Layout::channels_last(shape);
}

}  // namespace

std::unique_ptr<Step> make_maxPool2d(Builder& builder, const NodeSpec& node) {
  Slot* x = unpadded(builder, builder.input(node, 0));
  const Layout layout = same_order(x, builder.shape(node, 0));
  Slot* y = builder.output(node, 0, layout);
  Slot* index = builder.output(node, 1, layout);
  auto step = std::make_unique<PoolStep>(builder, node, "max_forward", x, y, index, x->shape);
  step->reads = {x};
  step->writes = {y, index};
  return step;
}

std::unique_ptr<Step> make_maxPool2dGrad(Builder& builder, const NodeSpec& node) {
  Slot* index = builder.input(node, 1);
  Slot* dy = builder.with_layout(builder.input(node, 0), index->layout);
  const Shape& shape = builder.shape(node, 0);
  Slot* dx = builder.output(node, 0, same_order(dy, shape));
  auto step = std::make_unique<PoolStep>(builder, node, "max_backward", dy, dx, index, shape);
  step->reads = {dy, index};
  step->writes = {dx};
  return step;
}

std::unique_ptr<Step> make_avgPool2d(Builder& builder, const NodeSpec& node) {
  Slot* x = unpadded(builder, builder.input(node, 0));
  Slot* y = builder.output(node, 0, same_order(x, builder.shape(node, 0)));
  auto step = std::make_unique<PoolStep>(builder, node, "average_forward", x, y, nullptr, x->shape);
  step->count_padding(program::get_bool(node, "countPadding"));
  step->reads = {x};
  step->writes = {y};
  return step;
}

std::unique_ptr<Step> make_avgPool2dGrad(Builder& builder, const NodeSpec& node) {
  Slot* dy = unpadded(builder, builder.input(node, 0));
  const Shape& shape = builder.shape(node, 0);
  Slot* dx = builder.output(node, 0, same_order(dy, shape));
  auto step = std::make_unique<PoolStep>(builder, node, "average_backward", dy, dx, nullptr, shape);
  step->count_padding(program::get_bool(node, "countPadding"));
  step->reads = {dy};
  step->writes = {dx};
  return step;
}

}  // namespace ostrich::cuda
