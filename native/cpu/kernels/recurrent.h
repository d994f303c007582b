// What the recurrent ops share: the loop over time, and the product of each step. With panels, one team of threads runs
// all steps: each thread has some units, packs their weights once, and in each step computes their part of the product
// and then their cells, so that one barrier a step is all that the threads wait for. Where oneDNN is faster the
// products are its, and the threads share the cells of each step.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cpu/kernels/recurrent_product.h"
#include "cpu/simd/table.h"
#include "program/attrs.h"

namespace ostrich::cpu {

class Recurrence {
 public:
  // Input `weights` of the node: w [H, parts * H]. `backward`: the product is with its transpose.
  Recurrence(Builder& builder, const program::NodeSpec& node, size_t weights, bool backward);

  int64_t units() const { return h_; }
  int64_t streams() const { return n_; }
  // The weights in the form that is read, and what is written besides the outputs.
  Slot* weights() const { return weights_; }
  const std::vector<program::Slot*>& scratch() const { return scratch_; }
  std::string detail() const;

  // The left side of step i's product, [N, K], or null for a product of zeros.
  using Before = std::function<const float*(int64_t i)>;

  // cells(i, unit, cell) for every step in order and every block from `unit` on, whose extents and product are set.
  template <class Cell, class Cells>
  void run(RunContext& context, int64_t steps, const Before& before, Cells&& cells) const {
    run_blocks(context, steps, before, [&](int64_t i, int64_t unit, const simd::RecurrentBlock& block) {
      Cell cell{};
      static_cast<simd::RecurrentBlock&>(cell) = block;
      cells(i, unit, cell);
    });
  }

 private:
  using Blocks = std::function<void(int64_t i, int64_t unit, const simd::RecurrentBlock& block)>;

  // Some neighbouring blocks of units of one thread.
  struct Team {
    int64_t first, last;  // blocks
    float* product;       // [N, kMaxPanels, lanes] to work in
  };

  void run_blocks(RunContext& context, int64_t steps, const Before& before, const Blocks& blocks) const;
  void run_by_onednn(RunContext& context, int64_t steps, const Before& before, const Blocks& blocks) const;
  void run_step(const Team& team, int64_t i, const float* before, const Blocks& blocks) const;
  simd::RecurrentBlock block_of(int64_t first, int64_t count, const float* product, int64_t row_stride,
                                int64_t part_stride) const;
  float* panel(int64_t part, int64_t block) const;
  void pack(const float* w, int64_t block) const;
  void multiply(float* product, const float* a, int64_t block, int64_t number) const;

  const int64_t n_, h_, parts_;
  const bool is_backward_;
  const int64_t lanes_, blocks_, k_, together_;
  std::unique_ptr<RecurrentProduct> by_onednn_;
  Slot *weights_, *panels_ = nullptr, *products_ = nullptr;
  std::vector<program::Slot*> scratch_;
};

Slot* wide_output(Builder& builder, const program::NodeSpec& node, size_t index);

// All inputs, wide (as f32 and row-major, a mask as it is), but input `at`, which is `weights`; the mask, if there is
// one, is the last.
std::vector<program::Slot*> wide_inputs(Builder& builder, const program::NodeSpec& node, size_t at, Slot* weights);
program::Slot* mask_of(const std::vector<program::Slot*>& inputs);

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
void add_product(const simd::RecurrentBlock& block, float* dh0);

}  // namespace ostrich::cpu
