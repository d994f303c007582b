// gru: gates [T, N, 3H], w [H, 3H], h0 [N, H], b [3H], mask [T, N] -> h [T, N, H], activated [T, N, 4H]: r, z, n, and
// the inner part of n. And its gradient with respect to gates, products and h0.
#include "cpu/kernels/recurrent.h"

namespace ostrich::cpu {
namespace {

using program::NodeSpec;

class GruStep : public Step {
 public:
  GruStep(Builder& builder, const NodeSpec& node)
      : order_(builder.shape(node, 0)[0], program::get_bool(node, "reverse"), false) {
    recurrence_ = std::make_unique<Recurrence>(builder, node, 1, false);
    reads = wide_inputs(builder, node, 1, recurrence_->weights());
    mask_ = mask_of(reads);
    for (size_t i = 0; i < 2; ++i) writes.push_back(wide_output(builder, node, i));
    const auto& scratch = recurrence_->scratch();
    writes.insert(writes.end(), scratch.begin(), scratch.end());
    detail = recurrence_->detail();
  }

  void run(RunContext& context) override {
    const int64_t n = recurrence_->streams(), state = n * recurrence_->units();
    const auto data = [](program::Slot* slot) { return slot->data<float>(); };
    const auto before = [&](int64_t i) { return i == 0 ? data(reads[2]) : data(writes[0]) + order_.at(i - 1) * state; };
    recurrence_->run<simd::GruCell>(context, order_.steps(), before, [&](int64_t i, int64_t unit, simd::GruCell& cell) {
      const int64_t t = order_.at(i);
      cell.mask = mask_ == nullptr ? nullptr : mask_->data<uint8_t>() + t * n;
      cell.gates = data(reads[0]) + t * 3 * state + unit;
      cell.bias = data(reads[3]) + unit;
      cell.h_before = before(i) + unit;
      cell.out_h = data(writes[0]) + t * state + unit;
      cell.activated = data(writes[1]) + t * 4 * state + unit;
      simd::table().gru_cell(cell);
    });
  }

 private:
  const Order order_;
  program::Slot* mask_;
  std::unique_ptr<Recurrence> recurrence_;
};

class GruGradStep : public Step {
 public:
  GruGradStep(Builder& builder, const NodeSpec& node)
      : order_(builder.shape(node, 0)[0], program::get_bool(node, "reverse"), true) {
    recurrence_ = std::make_unique<Recurrence>(builder, node, 2, true);
    reads = wide_inputs(builder, node, 2, recurrence_->weights());
    mask_ = mask_of(reads);
    for (size_t i = 0; i < 3; ++i) writes.push_back(wide_output(builder, node, i));
    const auto& scratch = recurrence_->scratch();
    writes.insert(writes.end(), scratch.begin(), scratch.end());
    detail = recurrence_->detail();
  }

  // dh0 holds what goes from step to step; after the last step, in one more round, it takes its product.
  void run(RunContext& context) override {
    const int64_t n = recurrence_->streams(), state = n * recurrence_->units(), steps = order_.steps();
    const auto data = [](program::Slot* slot) { return slot->data<float>(); };
    std::fill_n(data(writes[2]), state, 0.0f);
    recurrence_->run<simd::GruCellGrad>(
        context, steps + 1,
        [&](int64_t i) -> const float* { return i == 0 ? nullptr : data(writes[1]) + order_.at(i - 1) * 3 * state; },
        [&](int64_t i, int64_t unit, simd::GruCellGrad& cell) {
          if (i == steps) return add_product(cell, data(writes[2]) + unit);
          const int64_t t = order_.at(i);
          cell.mask = mask_ == nullptr ? nullptr : mask_->data<uint8_t>() + t * n;
          cell.dh = data(reads[0]) + t * state + unit;
          cell.activated = data(reads[1]) + t * 4 * state + unit;
          cell.h_before = (i + 1 < steps ? data(reads[3]) + order_.at(i + 1) * state : data(reads[4])) + unit;
          cell.dgates = data(writes[0]) + t * 3 * state + unit;
          cell.dproducts = data(writes[1]) + t * 3 * state + unit;
          cell.held = data(writes[2]) + unit;
          simd::table().gru_cell_grad(cell);
        });
  }

 private:
  const Order order_;
  program::Slot* mask_;
  std::unique_ptr<Recurrence> recurrence_;
};

}  // namespace

std::unique_ptr<Step> make_gru(Builder& builder, const NodeSpec& node) {
  return std::make_unique<GruStep>(builder, node);
}
std::unique_ptr<Step> make_gruGrad(Builder& builder, const NodeSpec& node) {
  return std::make_unique<GruGradStep>(builder, node);
}

}  // namespace ostrich::cpu
