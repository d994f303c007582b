// softmax, logSoftmax and cross-entropy over the last axis of row-major logits [N, K].
#include <algorithm>

#include "core/error.h"
#include "cpu/builder.h"
#include "cpu/kernels/bad_row.h"
#include "cpu/parallel.h"
#include "cpu/simd/table.h"
#include "program/attrs.h"

namespace ostrich::cpu {
namespace {

using program::NodeSpec;

constexpr int64_t kAlone = 8192;  // logits below which one thread does it all

// Common to all: x is the first read, or the second of the gradient.
class RowsStep : public Step {
 public:
  explicit RowsStep(const Slot* x) : x_(x) {
    k_ = x->shape.back();
    rows_ = core::count(x->shape) / k_;
    kind_ = x->dtype == core::DType::bf16 ? simd::kBf16 : simd::kF32;
  }

 protected:
  template <class F>
  void for_rows(RunContext& context, F&& body) const {
    parallel_for(
        context.threads, rows_, std::max<int64_t>(1, kAlone / k_),
        [&](int64_t begin, int64_t end) {
          for (int64_t row = begin; row < end; ++row) body(row);
        },
        1);
  }
  const char* row_of(const program::Slot* slot, int64_t row) const {
    return slot->data<char>() + size_t(row * k_) * core::size_of(slot->dtype);
  }
  char* row_to(program::Slot* slot, int64_t row) const {
    return slot->data<char>() + size_t(row * k_) * core::size_of(slot->dtype);
  }

  const Slot* x_;
  int64_t k_, rows_;
  int kind_;
};

class SoftmaxStep : public RowsStep {
 public:
  SoftmaxStep(Slot* x, Slot* y, bool is_log) : RowsStep(x), is_log_(is_log) {
    reads = {x};
    writes = {y};
    in_place = {{y, x}};
  }
  void run(RunContext& context) override {
    const simd::Table& table = simd::table();
    const auto row_fn = is_log_ ? table.log_softmax[kind_] : table.softmax[kind_];
    for_rows(context, [&](int64_t row) { row_fn(row_to(writes[0], row), row_of(x_, row), k_); });
  }

 private:
  const bool is_log_;
};

// What a smoothed target has: `own` more in the class of the label than the `spread` that each class has.
struct Smoothed {
  Smoothed(const NodeSpec& node, int64_t k) {
    const double smoothing = program::get_number(node, "smoothing");
    own = float(1 - smoothing);
    spread = float(smoothing / double(k));
  }
  float own, spread;
};

// logits, labels -> loss = logSumExp - own logits[label] - spread sum(logits), logSumExp in two parts
class CrossEntropyStep : public RowsStep {
 public:
  CrossEntropyStep(Builder& builder, const NodeSpec& node, Slot* x, Slot* labels, Slot* loss, Slot* lse)
      : RowsStep(x), label_(node.label()), smoothed_(node, k_) {
    can_fail = builder.may_fail(labels, k_);
    reads = {x, labels};
    writes = {loss, lse};
  }
  void run(RunContext& context) override {
    const auto log_sum_exp = simd::table().log_sum_exp[kind_];
    const auto sum_from = simd::table().sum_from[kind_];
    const int32_t* labels = reads[1]->data<int32_t>();
    float* loss = writes[0]->data<float>();
    float* lse = writes[1]->data<float>();
    expect_below(label_, "labels", labels, rows_, k_, "row");
    for_rows(context, [&](int64_t row) {
      const char* x = row_of(x_, row);
      float picked;
      const char* at = x + size_t(labels[row]) * core::size_of(x_->dtype);
      const simd::Table& table = simd::table();
      (kind_ == simd::kBf16 ? table.f32_from_bf16 : table.copy4)(&picked, at, at, at, 1);
      float* parts = lse + 2 * row;
      log_sum_exp(parts, x, k_);
      float wanted = smoothed_.own * (picked - parts[0]);
      if (smoothed_.spread > 0) wanted += smoothed_.spread * sum_from(x, k_, parts[0]);
      loss[row] = parts[1] - wanted;
    });
  }

 private:
  const std::string label_;
  const Smoothed smoothed_;
};

class CrossEntropyGradStep : public RowsStep {
 public:
  CrossEntropyGradStep(Builder& builder, const NodeSpec& node, std::vector<Slot*> inputs, Slot* dx)
      : RowsStep(inputs[1]), label_(node.label()), smoothed_(node, k_) {
    can_fail = builder.may_fail(inputs[2], k_);
    reads.assign(inputs.begin(), inputs.end());
    writes = {dx};
    const auto in_logits = [&](const program::Slot* slot) { return slot != x_ && slot->storage == x_->storage; };
    if (std::none_of(reads.begin(), reads.end(), in_logits)) in_place = {{dx, reads[1]}};
  }
  void run(RunContext& context) override {
    const auto row_fn = simd::table().cross_entropy_grad[kind_];
    const float* dloss = reads[0]->data<float>();
    const int32_t* labels = reads[2]->data<int32_t>();
    const float* lse = reads[3]->data<float>();
    expect_below(label_, "labels", labels, rows_, k_, "row");
    for_rows(context, [&](int64_t row) {
      row_fn(row_to(writes[0], row), row_of(x_, row), k_, labels[row], lse + 2 * row, dloss[row], smoothed_.own,
             smoothed_.spread);
    });
  }

 private:
  const std::string label_;
  const Smoothed smoothed_;
};

Slot* plain_input(Builder& builder, const NodeSpec& node, size_t index) {
  return builder.row_major(builder.input(node, index));
}

}  // namespace

std::unique_ptr<Step> make_softmax(Builder& builder, const NodeSpec& node) {
  Slot* x = plain_input(builder, node, 0);
  return std::make_unique<SoftmaxStep>(x, builder.output(node, 0), false);
}

std::unique_ptr<Step> make_logSoftmax(Builder& builder, const NodeSpec& node) {
  Slot* x = plain_input(builder, node, 0);
  return std::make_unique<SoftmaxStep>(x, builder.output(node, 0), true);
}

std::unique_ptr<Step> make_crossEntropy(Builder& builder, const NodeSpec& node) {
  Slot* x = plain_input(builder, node, 0);
  Slot* labels = plain_input(builder, node, 1);
  return std::make_unique<CrossEntropyStep>(builder, node, x, labels, builder.output(node, 0), builder.output(node, 1));
}

std::unique_ptr<Step> make_crossEntropyGrad(Builder& builder, const NodeSpec& node) {
  std::vector<Slot*> inputs;
  for (size_t i = 0; i < 4; ++i) inputs.push_back(plain_input(builder, node, i));
  return std::make_unique<CrossEntropyGradStep>(builder, node, inputs, builder.output(node, 0));
}

}  // namespace ostrich::cpu
