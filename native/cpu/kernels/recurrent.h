// What the recurrent ops share: the loop over time, and the product of each step. One team of threads runs all steps;
// each thread has some units, packs their weights once, and in each step computes their part of the product and then
// their cells, so that one barrier a step is all that the threads wait for.
#pragma once

#include <omp.h>

#include <algorithm>

#include "cpu/onednn.h"
#include "cpu/simd/table.h"
#include "program/attrs.h"

namespace ostrich::cpu {

// Some neighbouring blocks of units of one thread.
struct Team {
  int64_t first, last;  // blocks
  float* product;       // [N, kMaxPanels, lanes] to work in
};

class Recurrence {
 public:
  // w [H, parts * H]. `backward`: the product is with its transpose.
  Recurrence(Builder& builder, Step& step, const core::Shape& state, int parts, bool backward)
      : n_(state[0]),
        h_(state[1]),
        parts_(parts),
        is_backward_(backward),
        lanes_(simd::table().lanes),
        blocks_((h_ + lanes_ - 1) / lanes_),
        k_(backward ? parts * h_ : h_),
        together_(backward || parts == 1 ? 2 : 1),
        panels_(builder.scratch(size_t(blocks_ * lanes_ * parts * h_) * sizeof(float))),
        products_(builder.scratch(size_t(builder.threads() * n_ * simd::kMaxPanels * lanes_) * sizeof(float))) {
    step.writes.push_back(panels_);
    step.writes.push_back(products_);
  }

  int64_t units() const { return h_; }
  int64_t streams() const { return n_; }

  // cells(i, unit, block) for every step in order and every block from `unit` on, whose extents and product are set.
  // `before(i)` gives the left side of step i's product, [N, K], or null for a product of zeros.
  template <class Block, class Before, class Cells>
  void run(RunContext& context, int64_t steps, const float* w, Before&& before, Cells&& cells) const {
    const auto work = [&](int64_t id, int64_t count) {
      const Team team{blocks_ * id / count, blocks_ * (id + 1) / count,
                      products_->data<float>() + id * n_ * simd::kMaxPanels * lanes_};
      for (int64_t block = team.first; block < team.last; ++block) pack(w, block);
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
  static constexpr int64_t kAlone = 200000;  // multiply-adds below which one thread does it all

  // The product and the cells of a thread's units.
  template <class Block, class Cells>
  void run_step(const Team& team, const float* before, Cells&& cells) const {
    for (int64_t block = team.first; block < team.last; block += together_) {
      const int64_t number = std::min(together_, team.last - block);
      multiply(team.product, before, block, number);
      for (int64_t j = 0; j < number; ++j) {
        Block part{};
        part.rows = n_;
        part.h = h_;
        part.units = std::min(lanes_, h_ - (block + j) * lanes_);
        part.product = team.product + j * lanes_;
        part.product_stride = lanes_ * (together_ == 1 ? parts_ : number);
        cells((block + j) * lanes_, part);
      }
    }
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
  Slot *panels_, *products_;
};

// An input as f32, row-major: bf16 is widened, everywhere. A mask stays u8.
inline Slot* wide_input(Builder& builder, const program::NodeSpec& node, size_t index) {
  Slot* slot = builder.input(node, index);
  if (slot->dtype == core::DType::u8) return builder.row_major(slot);
  return builder.with_desc(slot, row_major_desc(core::DType::f32, slot->shape));
}

inline Slot* wide_output(Builder& builder, const program::NodeSpec& node, size_t index) {
  return builder.output(node, index, row_major_desc(core::DType::f32, builder.shape(node, index)));
}

// All inputs, wide; the mask, if there is one, is the last.
inline std::vector<Slot*> wide_inputs(Builder& builder, const program::NodeSpec& node) {
  std::vector<Slot*> inputs;
  for (size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(wide_input(builder, node, i));
  return inputs;
}

inline Slot* mask_of(const std::vector<Slot*>& inputs) {
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
