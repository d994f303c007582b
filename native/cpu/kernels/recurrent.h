// What the recurrent ops share: the loop over time, and the product of each step. With panels, one team of threads runs
// all steps: each thread has some units, packs their weights once, and in each step computes their part of the product
// and then their cells, so that one barrier a step is all that the threads wait for. Where oneDNN is faster the
// products are its, and the threads share the cells of each step.
#pragma once

#include <omp.h>

#include <algorithm>

#include "cpu/kernels/recurrent_product.h"
#include "cpu/parallel.h"
#include "cpu/simd/table.h"
#include "program/attrs.h"

namespace ostrich::cpu {

// Some neighbouring blocks of units of one thread.
struct Team {
  int64_t first, last;  // blocks
  float* product;       // [N, kMaxPanels, lanes] to work in
};

// An input as f32, row-major: bf16 is widened, everywhere. A mask stays u8.
inline Slot* wide_input(Builder& builder, const program::NodeSpec& node, size_t index) {
  Slot* slot = builder.input(node, index);
  if (slot->dtype == core::DType::u8) return builder.row_major(slot);
  return builder.with_desc(slot, row_major_desc(core::DType::f32, slot->shape));
}

class Recurrence {
 public:
  // Input `weights` of the node: w [H, parts * H]. `backward`: the product is with its transpose.
  Recurrence(Builder& builder, const program::NodeSpec& node, size_t weights, bool backward)
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

  int64_t units() const { return h_; }
  int64_t streams() const { return n_; }
  // The weights in the form that is read, and what is written besides the outputs.
  Slot* weights() const { return weights_; }
  const std::vector<program::Slot*>& scratch() const { return scratch_; }
  std::string detail() const { return by_onednn_ ? by_onednn_->detail() : std::string("panels ") + simd::table().isa; }

  // cells(i, unit, block) for every step in order and every block from `unit` on, whose extents and product are set.
  // `before(i)` gives the left side of step i's product, [N, K], or null for a product of zeros.
  template <class Block, class Before, class Cells>
  void run(RunContext& context, int64_t steps, Before&& before, Cells&& cells) const {
    if (by_onednn_) return run_by_onednn<Block>(context, steps, before, cells);
    const auto work = [&](int64_t id, int64_t count) {
      const Team team{blocks_ * id / count, blocks_ * (id + 1) / count,
                      products_->data<float>() + id * n_ * simd::kMaxPanels * lanes_};
      for (int64_t block = team.first; block < team.last; ++block) pack(weights_->data<float>(), block);
      for (int64_t i = 0; i < steps; ++i) {
        run_step<Block>(team, before(i), [&](int64_t unit, Block& part) { cells(i, unit, part); });
#pragma omp barrier
      }
    };
    // Alone, or with the whole team: see parallel.h. A barrier outside of a team is none.
    if (context.threads <= 1 || blocks_ < 2 || n_ * h_ * h_ * parts_ * steps < kAlone) {
      work(0, 1);
      return;
    }
#pragma omp parallel num_threads(context.threads)
    work(omp_get_thread_num(), omp_get_num_threads());
  }

 private:
  static constexpr int64_t kAlone = 200000;     // multiply-adds below which one thread does it all
  static constexpr int64_t kCellsAlone = 2048;  // cells of a step below which it does them all

  template <class Block, class Before, class Cells>
  void run_by_onednn(RunContext& context, int64_t steps, Before&& before, Cells&& cells) const {
    const int64_t columns = is_backward_ ? h_ : parts_ * h_;
    for (int64_t i = 0; i < steps; ++i) {
      const float* product = by_onednn_->run(context, before(i));
      const int64_t grain = n_ * h_ < kCellsAlone ? blocks_ : 1;
      const auto some = [&](int64_t begin, int64_t end) {
        Block part = part_of<Block>(begin, end - begin, product + begin * lanes_, columns, h_);
        cells(i, begin * lanes_, part);
      };
      parallel_for(context.threads, blocks_, grain, some, 1);
    }
  }

  // The product and the cells of a thread's units.
  template <class Block, class Cells>
  void run_step(const Team& team, const float* before, Cells&& cells) const {
    for (int64_t block = team.first; block < team.last; block += together_) {
      const int64_t number = std::min(together_, team.last - block);
      multiply(team.product, before, block, number);
      for (int64_t j = 0; j < number; ++j) {
        const int64_t stride = lanes_ * (together_ == 1 ? parts_ : number);
        Block part = part_of<Block>(block + j, 1, team.product + j * lanes_, stride, lanes_);
        cells((block + j) * lanes_, part);
      }
    }
  }

  template <class Block>
  Block part_of(int64_t block, int64_t blocks, const float* product, int64_t row_stride, int64_t part_stride) const {
    Block part{};
    part.rows = n_;
    part.h = h_;
    part.units = std::min(blocks * lanes_, h_ - block * lanes_);
    part.product = product;
    part.product_stride = row_stride;
    part.part_stride = part_stride;
    return part;
  }

  float* panel(int64_t part, int64_t block) const {
    return panels_->data<float>() + (part * blocks_ + block) * k_ * lanes_;
  }

  void pack(const float* w, int64_t block) const {
    const int64_t unit = block * lanes_, columns = std::min(lanes_, h_ - unit), width = parts_ * h_;
    const auto pack_panel = simd::table().pack_panel;
    if (is_backward_) return pack_panel(panel(0, block), w + unit * width, k_, columns, 1, width);
    for (int64_t part = 0; part < parts_; ++part) {
      pack_panel(panel(part, block), w + part * h_ + unit, k_, columns, width, 1);
    }
  }

  void multiply(float* product, const float* a, int64_t block, int64_t number) const {
    const int64_t panels = together_ == 1 ? parts_ : number;
    if (a == nullptr) {
      std::fill_n(product, n_ * panels * lanes_, 0.0f);
      return;
    }
    const int64_t stride = (together_ == 1 ? blocks_ : 1) * k_ * lanes_;
    simd::table().panel_product[panels - 1](product, a, k_, n_, panel(0, block), stride, k_);
  }

  const int64_t n_, h_, parts_;
  const bool is_backward_;
  const int64_t lanes_, blocks_, k_, together_;
  std::unique_ptr<RecurrentProduct> by_onednn_;
  Slot *weights_, *panels_ = nullptr, *products_ = nullptr;
  std::vector<program::Slot*> scratch_;
};

inline Slot* wide_output(Builder& builder, const program::NodeSpec& node, size_t index) {
  return builder.output(node, index, row_major_desc(core::DType::f32, builder.shape(node, index)));
}

// All inputs, wide, but input `at`, which is `weights`; the mask, if there is one, is the last.
inline std::vector<program::Slot*> wide_inputs(Builder& builder, const program::NodeSpec& node, size_t at,
                                               Slot* weights) {
  std::vector<program::Slot*> inputs;
  for (size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(i == at ? weights : wide_input(builder, node, i));
  return inputs;
}

inline program::Slot* mask_of(const std::vector<program::Slot*>& inputs) {
  return inputs.back()->dtype == core::DType::u8 ? inputs.back() : nullptr;
}

// Where steps lie: number i in the order of the loop, and the one that came before it in time.
class Order {
 public:
  Order(int64_t steps, bool reverse, bool backward) : steps_(steps), descending_(reverse != backward) {}
  int64_t steps() const { return steps_; }
  int64_t at(int64_t i) const { return descending_ ? steps_ - 1 - i : i; }

 private:
  int64_t steps_;
  bool descending_;
};

// The last round of a gradient: the state before the first step gets the product of that step's gradients.
inline void add_product(const simd::RecurrentBlock& block, float* dh0) {
  for (int64_t row = 0; row < block.rows; ++row) {
    for (int64_t unit = 0; unit < block.units; ++unit) {
      dh0[row * block.h + unit] += block.product[row * block.product_stride + unit];
    }
  }
}

}  // namespace ostrich::cpu
