// lstm: gates [T, N, 4H], w [H, 4H], h0, c0 [N, H], mask [T, N] -> h, c [T, N, H], activated gates; and its gradient
// with respect to all of them but w, whose gradient is a product of its own.
#include "cpu/kernels/recurrent.h"

namespace ostrich::cpu {
namespace {

using program::NodeSpec;

class LstmStep : public Step {
 public:
  LstmStep(Builder& builder, const NodeSpec& node)
      : order_(builder.shape(node, 0)[0], program::get_bool(node, "reverse"), false) {
    recurrence_ = std::make_unique<Recurrence>(builder, node, 1, false);
    reads = wide_inputs(builder, node, 1, recurrence_->weights());
    mask_ = mask_of(reads);
    for (size_t i = 0; i < 3; ++i) writes.push_back(wide_output(builder, node, i));
    const auto& scratch = recurrence_->scratch();
    writes.insert(writes.end(), scratch.begin(), scratch.end());
    detail = recurrence_->detail();
  }

  void run(RunContext& context) override {
    const int64_t h = recurrence_->units(), n = recurrence_->streams(), state = n * h;
    const auto data = [](program::Slot* slot) { return slot->data<float>(); };
    const auto before = [&](int64_t i, program::Slot* all, program::Slot* first) {
      return i == 0 ? data(first) : data(all) + order_.at(i - 1) * state;
    };
    recurrence_->run<simd::LstmCell>(
        context, order_.steps(), [&](int64_t i) { return before(i, writes[0], reads[2]); },
        [&](int64_t i, int64_t unit, simd::LstmCell& cell) {
          const int64_t t = order_.at(i), at = t * state + unit;
          cell.mask = mask_ == nullptr ? nullptr : mask_->data<uint8_t>() + t * n;
          cell.gates = data(reads[0]) + t * 4 * state + unit;
          cell.h_before = before(i, writes[0], reads[2]) + unit;
          cell.c_before = before(i, writes[1], reads[3]) + unit;
          cell.out_h = data(writes[0]) + at;
          cell.out_c = data(writes[1]) + at;
          cell.activated = data(writes[2]) + t * 4 * state + unit;
          simd::table().lstm_cell(cell);
        });
  }

 private:
  const Order order_;
  program::Slot* mask_;
  std::unique_ptr<Recurrence> recurrence_;
};

class LstmGradStep : public Step {
 public:
  LstmGradStep(Builder& builder, const NodeSpec& node)
      : order_(builder.shape(node, 0)[0], program::get_bool(node, "reverse"), true) {
    recurrence_ = std::make_unique<Recurrence>(builder, node, 2, true);
    reads = wide_inputs(builder, node, 2, recurrence_->weights());
    mask_ = mask_of(reads);
    dc_ = program::get_bool(node, "cell") ? reads[5] : nullptr;
    for (size_t i = 0; i < 3; ++i) writes.push_back(wide_output(builder, node, i));
    const auto& scratch = recurrence_->scratch();
    writes.insert(writes.end(), scratch.begin(), scratch.end());
    detail = recurrence_->detail();
  }

  // dh0 and dc0 hold what goes from step to step; after the last step, in one more round, dh0 takes its product.
  void run(RunContext& context) override {
    const int64_t n = recurrence_->streams(), state = n * recurrence_->units(), steps = order_.steps();
    const auto data = [](program::Slot* slot) { return slot->data<float>(); };
    std::fill_n(data(writes[1]), state, 0.0f);
    std::fill_n(data(writes[2]), state, 0.0f);
    recurrence_->run<simd::LstmCellGrad>(
        context, steps + 1,
        [&](int64_t i) -> const float* { return i == 0 ? nullptr : data(writes[0]) + order_.at(i - 1) * 4 * state; },
        [&](int64_t i, int64_t unit, simd::LstmCellGrad& cell) {
          if (i == steps) return add_product(cell, data(writes[1]) + unit);
          const int64_t t = order_.at(i), at = t * state + unit;
          cell.mask = mask_ == nullptr ? nullptr : mask_->data<uint8_t>() + t * n;
          cell.dh = data(reads[0]) + at;
          cell.dc = dc_ == nullptr ? nullptr : data(dc_) + at;
          cell.activated = data(reads[1]) + t * 4 * state + unit;
          cell.c = data(reads[3]) + at;
          cell.c_before = (i + 1 < steps ? data(reads[3]) + order_.at(i + 1) * state : data(reads[4])) + unit;
          cell.dgates = data(writes[0]) + t * 4 * state + unit;
          cell.held = data(writes[1]) + unit;
          cell.dc_carried = data(writes[2]) + unit;
          simd::table().lstm_cell_grad(cell);
        });
  }

 private:
  const Order order_;
  program::Slot *mask_, *dc_;
  std::unique_ptr<Recurrence> recurrence_;
};

}  // namespace

std::unique_ptr<Step> make_lstm(Builder& builder, const NodeSpec& node) {
  return std::make_unique<LstmStep>(builder, node);
}
std::unique_ptr<Step> make_lstmGrad(Builder& builder, const NodeSpec& node) {
  return std::make_unique<LstmGradStep>(builder, node);
}

}  // namespace ostrich::cpu
