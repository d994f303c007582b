// rnn: gates [T, N, H], w [H, H], h0 [N, H], mask [T, N] -> h [T, N, H]; and its gradient with respect to gates and h0.
#include "cpu/kernels/recurrent.h"

namespace ostrich::cpu {
namespace {

using program::NodeSpec;

class RnnStep : public Step {
 public:
  RnnStep(Builder& builder, const NodeSpec& node)
      : order_(builder.shape(node, 0)[0], program::get_bool(node, "reverse"), false),
        is_relu_(program::get_string(node, "activation") == "relu") {
    recurrence_ = std::make_unique<Recurrence>(builder, node, 1, false);
    reads = wide_inputs(builder, node, 1, recurrence_->weights());
    mask_ = mask_of(reads);
    writes = {wide_output(builder, node, 0)};
    const auto& scratch = recurrence_->scratch();
    writes.insert(writes.end(), scratch.begin(), scratch.end());
    detail = recurrence_->detail();
  }

  void run(RunContext& context) override {
    const int64_t n = recurrence_->streams(), state = n * recurrence_->units();
    const auto data = [](program::Slot* slot) { return slot->data<float>(); };
    const auto before = [&](int64_t i) { return i == 0 ? data(reads[2]) : data(writes[0]) + order_.at(i - 1) * state; };
    recurrence_->run<simd::RnnCell>(context, order_.steps(), before, [&](int64_t i, int64_t unit, simd::RnnCell& cell) {
      const int64_t t = order_.at(i), at = t * state + unit;
      cell.mask = mask_ == nullptr ? nullptr : mask_->data<uint8_t>() + t * n;
      cell.gates = data(reads[0]) + at;
      cell.h_before = before(i) + unit;
      cell.out_h = data(writes[0]) + at;
      cell.relu = is_relu_;
      simd::table().rnn_cell(cell);
    });
  }

 private:
  const Order order_;
  const bool is_relu_;
  program::Slot* mask_;
  std::unique_ptr<Recurrence> recurrence_;
};

class RnnGradStep : public Step {
 public:
  RnnGradStep(Builder& builder, const NodeSpec& node)
      : order_(builder.shape(node, 0)[0], program::get_bool(node, "reverse"), true),
        is_relu_(program::get_string(node, "activation") == "relu") {
    recurrence_ = std::make_unique<Recurrence>(builder, node, 2, true);
    reads = wide_inputs(builder, node, 2, recurrence_->weights());
    mask_ = mask_of(reads);
    for (size_t i = 0; i < 2; ++i) writes.push_back(wide_output(builder, node, i));
    const auto& scratch = recurrence_->scratch();
    writes.insert(writes.end(), scratch.begin(), scratch.end());
    detail = recurrence_->detail();
  }

  // dh0 holds what goes from step to step; after the last step, in one more round, it takes its product.
  void run(RunContext& context) override {
    const int64_t n = recurrence_->streams(), state = n * recurrence_->units(), steps = order_.steps();
    const auto data = [](program::Slot* slot) { return slot->data<float>(); };
    std::fill_n(data(writes[1]), state, 0.0f);
    recurrence_->run<simd::RnnCellGrad>(
        context, steps + 1,
        [&](int64_t i) -> const float* { return i == 0 ? nullptr : data(writes[0]) + order_.at(i - 1) * state; },
        [&](int64_t i, int64_t unit, simd::RnnCellGrad& cell) {
          if (i == steps) return add_product(cell, data(writes[1]) + unit);
          const int64_t t = order_.at(i), at = t * state + unit;
          cell.mask = mask_ == nullptr ? nullptr : mask_->data<uint8_t>() + t * n;
          cell.dh = data(reads[0]) + at;
          cell.out_h = data(reads[1]) + at;
          cell.dgates = data(writes[0]) + at;
          cell.held = data(writes[1]) + unit;
          cell.relu = is_relu_;
          simd::table().rnn_cell_grad(cell);
        });
  }

 private:
  const Order order_;
  const bool is_relu_;
  program::Slot* mask_;
  std::unique_ptr<Recurrence> recurrence_;
};

}  // namespace

std::unique_ptr<Step> make_rnn(Builder& builder, const NodeSpec& node) {
  return std::make_unique<RnnStep>(builder, node);
}
std::unique_ptr<Step> make_rnnGrad(Builder& builder, const NodeSpec& node) {
  return std::make_unique<RnnGradStep>(builder, node);
}

}  // namespace ostrich::cpu
