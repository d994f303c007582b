// See recurrent.h.
#include "cpu/kernels/recurrent.h"

#include "cpu/parallel.h"
#include "cpu/team.h"

namespace ostrich::cpu {
namespace {

constexpr int64_t kAlone = 200000;     // multiply-adds below which one thread does it all
constexpr int64_t kCellsAlone = 2048;  // cells of a step below which it does them all

// An input as f32, row-major: bf16 is widened, everywhere. A mask stays u8.
Slot* wide_input(Builder& builder, const program::NodeSpec& node, size_t index) {
  Slot* slot = builder.input(node, index);
  if (slot->dtype == core::DType::u8) return builder.row_major(slot);
  return builder.with_desc(slot, row_major_desc(core::DType::f32, slot->shape));
}

}  // namespace

Recurrence::Recurrence(Builder& builder, const program::NodeSpec& node, size_t weights, bool backward)
    : n_(builder.shape(node, 0)[1]),
      h_(builder.input(node, weights)->shape[0]),
      parts_(builder.input(node, weights)->shape[1] / h_),
      is_backward_(backward),
      lanes_(simd::table().lanes),
      blocks_((h_ + lanes_ - 1) / lanes_),
      k_(backward ? parts_ * h_ : h_),
      together_(backward || parts_ == 1 ? 2 : 1) {
  Slot* w = builder.input(node, weights);
  if (RecurrentProduct::gains(w, n_)) {
    by_onednn_ = std::make_unique<RecurrentProduct>(builder, w, n_, backward);
    weights_ = by_onednn_->weights();
    scratch_ = by_onednn_->scratch();
    return;
  }
  weights_ = wide_input(builder, node, weights);
  panels_ = builder.scratch(size_t(blocks_ * lanes_ * parts_ * h_) * sizeof(float));
  products_ = builder.scratch(size_t(builder.threads() * n_ * simd::kMaxPanels * lanes_) * sizeof(float));
  scratch_ = {panels_, products_};
}

std::string Recurrence::detail() const {
  return by_onednn_ ? by_onednn_->detail() : std::string("panels ") + simd::table().isa;
}

void Recurrence::run_blocks(RunContext& context, int64_t steps, const Before& before, const Blocks& blocks) const {
  if (by_onednn_) return run_by_onednn(context, steps, before, blocks);
  const auto work = [&](int64_t id, int64_t count) {
    const Team team{blocks_ * id / count, blocks_ * (id + 1) / count,
                    products_->data<float>() + id * n_ * simd::kMaxPanels * lanes_};
    for (int64_t block = team.first; block < team.last; ++block) pack(weights_->data<float>(), block);
    for (int64_t i = 0; i < steps; ++i) {
      run_step(team, i, before(i), blocks);
      team_barrier();
    }
  };
  // Alone, or with the whole team: see parallel.h.
  if (context.threads <= 1 || blocks_ < 2 || n_ * h_ * h_ * parts_ * steps < kAlone) {
    work(0, 1);
    return;
  }
  run_team(context.threads, work);
}

void Recurrence::run_by_onednn(RunContext& context, int64_t steps, const Before& before, const Blocks& blocks) const {
  const int64_t columns = is_backward_ ? h_ : parts_ * h_;
  for (int64_t i = 0; i < steps; ++i) {
    const float* product = by_onednn_->run(context, before(i));
    const int64_t grain = n_ * h_ < kCellsAlone ? blocks_ : 1;
    const auto some = [&](int64_t begin, int64_t end) {
      blocks(i, begin * lanes_, block_of(begin, end - begin, product + begin * lanes_, columns, h_));
    };
    parallel_for(context.threads, blocks_, grain, some, 1);
  }
}

// The product and the cells of a thread's units.
void Recurrence::run_step(const Team& team, int64_t i, const float* before, const Blocks& blocks) const {
  for (int64_t block = team.first; block < team.last; block += together_) {
    const int64_t number = std::min(together_, team.last - block);
    multiply(team.product, before, block, number);
    for (int64_t j = 0; j < number; ++j) {
      const int64_t stride = lanes_ * (together_ == 1 ? parts_ : number);
      blocks(i, (block + j) * lanes_, block_of(block + j, 1, team.product + j * lanes_, stride, lanes_));
    }
  }
}

simd::RecurrentBlock Recurrence::block_of(int64_t first, int64_t count, const float* product, int64_t row_stride,
                                          int64_t part_stride) const {
  simd::RecurrentBlock block{};
  block.rows = n_;
  block.h = h_;
  block.units = std::min(count * lanes_, h_ - first * lanes_);
  block.product = product;
  block.product_stride = row_stride;
  block.part_stride = part_stride;
  return block;
}

float* Recurrence::panel(int64_t part, int64_t block) const {
  return panels_->data<float>() + (part * blocks_ + block) * k_ * lanes_;
}

void Recurrence::pack(const float* w, int64_t block) const {
  const int64_t unit = block * lanes_, columns = std::min(lanes_, h_ - unit), width = parts_ * h_;
  const auto pack_panel = simd::table().pack_panel;
  if (is_backward_) return pack_panel(panel(0, block), w + unit * width, k_, columns, 1, width);
  for (int64_t part = 0; part < parts_; ++part) {
    pack_panel(panel(part, block), w + part * h_ + unit, k_, columns, width, 1);
  }
}

void Recurrence::multiply(float* product, const float* a, int64_t block, int64_t number) const {
  const int64_t panels = together_ == 1 ? parts_ : number;
  if (a == nullptr) {
    std::fill_n(product, n_ * panels * lanes_, 0.0f);
    return;
  }
  const int64_t stride = (together_ == 1 ? blocks_ : 1) * k_ * lanes_;
  simd::table().panel_product[panels - 1](product, a, k_, n_, panel(0, block), stride, k_);
}

Slot* wide_output(Builder& builder, const program::NodeSpec& node, size_t index) {
  return builder.output(node, index, row_major_desc(core::DType::f32, builder.shape(node, index)));
}

std::vector<program::Slot*> wide_inputs(Builder& builder, const program::NodeSpec& node, size_t at, Slot* weights) {
  std::vector<program::Slot*> inputs;
  for (size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(i == at ? weights : wide_input(builder, node, i));
  return inputs;
}

program::Slot* mask_of(const std::vector<program::Slot*>& inputs) {
  return inputs.back()->dtype == core::DType::u8 ? inputs.back() : nullptr;
}

void add_product(const simd::RecurrentBlock& block, float* dh0) {
  for (int64_t row = 0; row < block.rows; ++row) {
    for (int64_t unit = 0; unit < block.units; ++unit) {
      dh0[row * block.h + unit] += block.product[row * block.product_stride + unit];
    }
  }
}

}  // namespace ostrich::cpu
