// softmax, logSoftmax and cross-entropy over the last axis of row-major logits [R, K].
#include "cuda/kernels/softmax.h"

#include <algorithm>

#include "cuda/builder.h"
#include "cuda/kernels/grid.h"
#include "program/attrs.h"

namespace ostrich::cuda {
namespace {

using program::NodeSpec;

constexpr int64_t kWarpRow = 1024;  // logits that one warp sweeps

class RowsStep : public Step {
 public:
  RowsStep(Builder& builder, const char* name, const Slot* x) {
    const int64_t k = x->shape.back();
    args.k = make_divisor(k);
    args.rows = core::count(x->shape) / k;
    detail = std::string(name) + (x->dtype == core::DType::bf16 ? "_bf16" : "_f32");
    by_element_ = detail.find("_grad") != std::string::npos;
    by_warp_ = k <= kWarpRow;
    if (!by_element_) detail += by_warp_ ? "_warp" : "_block";
    kernel_ = builder.kernel("softmax", detail);
    args.fault = builder.fault();
  }

 protected:
  void launch(CUstream stream) const {
    const int64_t items = by_element_ ? args.rows * args.k.divisor : args.rows * (by_warp_ ? 32 : kSoftmaxThreads);
    kernel_.launch(stream, grid_for(items, kSoftmaxThreads), kSoftmaxThreads, args);
  }
  void smooth(const NodeSpec& node) {
    const double smoothing = program::get_number(node, "smoothing");
    args.own = float(1 - smoothing);
    args.spread = float(smoothing / double(args.k.divisor));
  }
  SoftmaxArgs args{};

 private:
  Kernel kernel_;
  bool by_element_, by_warp_;
};

class SoftmaxStep : public RowsStep {
 public:
  SoftmaxStep(Builder& builder, Slot* x, Slot* y, bool is_log) : RowsStep(builder, "softmax", x) {
    args.is_log = is_log;
    reads = {x};
    writes = {y};
    in_place = {{y, x}};
  }
  void run(CUstream stream) override {
    args.x = reads[0]->data<const void>();
    args.y = writes[0]->data<void>();
    launch(stream);
  }
};

// logits, labels -> loss = logSumExp - own logits[label] - spread sum(logits), logSumExp in two parts
class CrossEntropyStep : public RowsStep {
 public:
  CrossEntropyStep(Builder& builder, const NodeSpec& node, Slot* x, Slot* labels)
      : RowsStep(builder, "cross_entropy", x) {
    smooth(node);
    args.site = builder.fault_site(node, FaultKind::label, args.k.divisor);
    can_fail = builder.may_fail(labels, args.k.divisor);
    reads = {x, labels};
    writes = {builder.output(node, 0), builder.output(node, 1)};
  }
  void run(CUstream stream) override {
    args.x = reads[0]->data<const void>();
    args.labels = reads[1]->data<const int32_t>();
    args.loss = writes[0]->data<float>();
    args.lse = writes[1]->data<float>();
    launch(stream);
  }
};

// dloss, logits, labels, logSumExp -> dlogits
class CrossEntropyGradStep : public RowsStep {
 public:
  CrossEntropyGradStep(Builder& builder, const NodeSpec& node, std::vector<Slot*> inputs)
      : RowsStep(builder, "cross_entropy_grad", inputs[1]) {
    smooth(node);
    args.site = builder.fault_site(node, FaultKind::label, args.k.divisor);
    can_fail = builder.may_fail(inputs[2], args.k.divisor);
    reads.assign(inputs.begin(), inputs.end());
    writes = {builder.output(node, 0)};
    const program::Slot* x = reads[1];
    const auto in_logits = [&](const program::Slot* slot) { return slot != x && slot->storage == x->storage; };
    if (std::none_of(reads.begin(), reads.end(), in_logits)) in_place = {{writes[0], reads[1]}};
  }
  void run(CUstream stream) override {
    args.dloss = reads[0]->data<const float>();
    args.x = reads[1]->data<const void>();
    args.labels = reads[2]->data<const int32_t>();
    args.lse = reads[3]->data<float>();
    args.y = writes[0]->data<void>();
    launch(stream);
  }
};

Slot* plain_input(Builder& builder, const NodeSpec& node, size_t index) {
  return builder.row_major(builder.input(node, index));
}

}  // namespace

std::unique_ptr<Step> make_softmax(Builder& builder, const NodeSpec& node) {
  return std::make_unique<SoftmaxStep>(builder, plain_input(builder, node, 0), builder.output(node, 0), false);
}
std::unique_ptr<Step> make_logSoftmax(Builder& builder, const NodeSpec& node) {
  return std::make_unique<SoftmaxStep>(builder, plain_input(builder, node, 0), builder.output(node, 0), true);
}
std::unique_ptr<Step> make_crossEntropy(Builder& builder, const NodeSpec& node) {
  Slot* x = plain_input(builder, node, 0);
  return std::make_unique<CrossEntropyStep>(builder, node, x, plain_input(builder, node, 1));
}
std::unique_ptr<Step> make_crossEntropyGrad(Builder& builder, const NodeSpec& node) {
  std::vector<Slot*> inputs;
  for (size_t i = 0; i < 4; ++i) inputs.push_back(plain_input(builder, node, i));
  return std::make_unique<CrossEntropyGradStep>(builder, node, std::move(inputs));
}

}  // namespace ostrich::cuda
