// Batch normalisation over rows of channels (images channels last), its gradient, and the affine map by channel.
#include "cuda/kernels/batch_norm.h"

#include <algorithm>

#include "cuda/builder.h"
#include "cuda/kernels/grid.h"
#include "program/attrs.h"

namespace ostrich::cuda {
namespace {

using program::NodeSpec;

constexpr int64_t kParts = 256;    // of the rows, at most
constexpr int64_t kPartRows = 64;  // and at least so many in each

class NormStep : public Step {
 public:
  NormStep(Builder& builder, const NodeSpec& node, const std::vector<Slot*>& inputs, const Slot* x) {
    const int64_t channels = x->shape[1];
    args.rows = core::count(x->shape) / channels;
    args.part = std::max(kPartRows, (args.rows + kParts - 1) / kParts);
    args.parts = (args.rows + args.part - 1) / args.part;
    args.channels = make_divisor(channels);
    args.relu = program::get_string(node, "activation") == "relu";
    kind_ = x->dtype == core::DType::bf16 ? "_bf16" : "_f32";
    reads.assign(inputs.begin(), inputs.end());
    detail = node.op + kind_;
    builder_ = &builder;
  }

 protected:
  Kernel by_element(const char* name) const { return builder_->kernel("batch_norm", name + kind_); }
  Kernel by_channel(const char* name) const { return builder_->kernel("batch_norm", name); }
  void over_parts(const Kernel& kernel, CUstream stream, const BatchNormArgs& of) const {
    const int64_t tiles = (of.channels.divisor + kNormColumns - 1) / kNormColumns;
    kernel.launch(stream, {unsigned(tiles * of.parts)}, kNormThreads, of);
  }
  void over_channels(const Kernel& kernel, CUstream stream, const BatchNormArgs& of) const {
    kernel.launch(stream, grid_for(of.channels.divisor, kNormThreads), kNormThreads, of);
  }
  void over_elements(const Kernel& kernel, CUstream stream, const BatchNormArgs& of) const {
    kernel.launch(stream, grid_for(of.rows * of.channels.divisor, kNormThreads), kNormThreads, of);
  }
  // Outputs and work memory; y may lie over what is read in step with it, where nothing else lies there.
  void add_writes(const NodeSpec& node, Slot* y, size_t outputs, std::initializer_list<size_t> in_step) {
    writes = {y};
    for (size_t i = 1; i < outputs; ++i) writes.push_back(builder_->output(node, i));
    const int64_t channels = args.channels.divisor;
    if (outputs > 1) {
      writes.push_back(builder_->scratch(size_t(2 * args.parts * channels) * sizeof(float)));
      writes.push_back(builder_->scratch(size_t(5 * channels) * sizeof(float)));
    }
    for (size_t i : in_step) {
      if (i >= reads.size()) continue;
      size_t sharing = 0;
      for (const program::Slot* slot : reads) sharing += slot->storage == reads[i]->storage ? 1 : 0;
      if (sharing == 1 && reads[i]->dtype == y->dtype) in_place.emplace_back(y, reads[i]);
    }
  }
  BatchNormArgs forward_args() const {
    BatchNormArgs of = args;
    of.x = reads[0]->data<const void>();
    of.scale = reads[1]->data<const float>();
    of.shift = reads[2]->data<const float>();
    of.residual = reads.size() == 4 ? reads[3]->data<const void>() : nullptr;
    of.y = writes[0]->data<void>();
    return of;
  }

  BatchNormArgs args{};

 private:
  std::string kind_;
  Builder* builder_;
};

class AffineStep : public NormStep {
 public:
  AffineStep(Builder& builder, const NodeSpec& node, const std::vector<Slot*>& inputs, Slot* y)
      : NormStep(builder, node, inputs, inputs[0]), affine_(by_element("affine")) {
    add_writes(node, y, 1, {0, 3});
  }
  void run(CUstream stream) override { over_elements(affine_, stream, forward_args()); }

 private:
  const Kernel affine_;
};

class BatchNormStep : public NormStep {
 public:
  BatchNormStep(Builder& builder, const NodeSpec& node, const std::vector<Slot*>& inputs, Slot* y)
      : NormStep(builder, node, inputs, inputs[0]),
        moments_(by_element("moments")),
        join_(by_channel("join_moments")),
        apply_(by_element("apply")) {
    args.epsilon = float(program::get_number(node, "epsilon"));
    add_writes(node, y, 3, {0, 3});
  }
  void run(CUstream stream) override {
    BatchNormArgs of = forward_args();
    of.mean = writes[1]->data<float>();
    of.variance = writes[2]->data<float>();
    of.partials = writes[3]->data<float>();
    of.factors = writes[4]->data<float>();
    over_parts(moments_, stream, of);
    over_channels(join_, stream, of);
    over_elements(apply_, stream, of);
  }

 private:
  const Kernel moments_, join_, apply_;
};

// dy, x, scale, shift, mean, variance -> dx, dscale, dshift
class BatchNormGradStep : public NormStep {
 public:
  BatchNormGradStep(Builder& builder, const NodeSpec& node, const std::vector<Slot*>& inputs, Slot* dx)
      : NormStep(builder, node, inputs, inputs[1]),
        sums_(by_element("sums")),
        join_(by_channel("join_grad")),
        grad_(by_element("grad")) {
    args.epsilon = float(program::get_number(node, "epsilon"));
    add_writes(node, dx, 3, {0, 1});
  }
  void run(CUstream stream) override {
    BatchNormArgs of = args;
    of.dy = reads[0]->data<const void>();
    of.x = reads[1]->data<const void>();
    of.scale = reads[2]->data<const float>();
    of.shift = reads[3]->data<const float>();
    of.mean = reads[4]->data<float>();
    of.variance = reads[5]->data<float>();
    of.y = writes[0]->data<void>();
    of.dscale = writes[1]->data<float>();
    of.dshift = writes[2]->data<float>();
    of.partials = writes[3]->data<float>();
    of.factors = writes[4]->data<float>();
    over_parts(sums_, stream, of);
    over_channels(join_, stream, of);
    over_elements(grad_, stream, of);
  }

 private:
  const Kernel sums_, join_, grad_;
};

std::vector<Slot*> inputs_of(Builder& builder, const NodeSpec& node) {
  std::vector<Slot*> inputs;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    Slot* slot = builder.input(node, i);
    const bool images = slot->shape.size() == 4;
    inputs.push_back(images ? builder.with_layout(slot, Layout::channels_last(slot->shape)) : builder.row_major(slot));
  }
  return inputs;
}

}  // namespace

std::unique_ptr<Step> make_batchNorm(Builder& builder, const NodeSpec& node) {
  const std::vector<Slot*> inputs = inputs_of(builder, node);
  return std::make_unique<BatchNormStep>(builder, node, inputs, builder.output(node, 0, inputs[0]->layout));
}
std::unique_ptr<Step> make_batchNormGrad(Builder& builder, const NodeSpec& node) {
  const std::vector<Slot*> inputs = inputs_of(builder, node);
  return std::make_unique<BatchNormGradStep>(builder, node, inputs, builder.output(node, 0, inputs[1]->layout));
}
std::unique_ptr<Step> make_channelAffine(Builder& builder, const NodeSpec& node) {
  const std::vector<Slot*> inputs = inputs_of(builder, node);
  return std::make_unique<AffineStep>(builder, node, inputs, builder.output(node, 0, inputs[0]->layout));
}

}  // namespace ostrich::cuda
