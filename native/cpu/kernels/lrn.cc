// Local response normalisation across channels and its gradient, over x [N, C, H, W] as it lies: row-major, channels
// last, or in blocks of channels. The gradient sums the windows again: that costs less than keeping the sums in memory.
// oneDNN's own lrn keeps them, and below AVX-512 has only a reference for the gradient: seconds where this takes
// hundredths.
#include <algorithm>

#include "cpu/onednn.h"
#include "cpu/parallel.h"
#include "cpu/simd/table.h"
#include "cpu/team.h"
#include "program/attrs.h"

namespace ostrich::cpu {
namespace {

using core::Shape;
using dnnl::memory;
using program::NodeSpec;

constexpr int64_t kAlone = 8192;       // elements below which one thread does it all
constexpr int64_t kPlaces = 32;        // of a tile, where a place's channels lie together or in blocks
constexpr int64_t kTileFloats = 8192;  // of a row-major tile: a run of places for every channel

enum class Order : uint8_t { row_major, channels_last, blocks_of_8, blocks_of_16 };

Order order_of(const Slot* slot) {
  const auto is = [slot](memory::format_tag tag) {
    return slot->layout == Layout::of(memory::desc(slot->shape, memory::data_type::f32, tag));
  };
  if (is(memory::format_tag::nhwc)) return Order::channels_last;
  if (is(memory::format_tag::nChw8c)) return Order::blocks_of_8;
  return is(memory::format_tag::nChw16c) ? Order::blocks_of_16 : Order::row_major;
}

// Cuts a tensor into tiles: number `i` is at `offset` elements.
class Tiles {
 public:
  Tiles(Order order, const Shape& x) : places_(x[2] * x[3]) {
    const int64_t c = x[1];
    image_ = c * places_;
    step_ = 1;
    if (order == Order::row_major) {
      whole_ = {1, 0, c, std::clamp<int64_t>(kTileFloats / c / 16 * 16, 16, 512), places_, 0};
      per_tile_ = whole_.block;
    } else if (order == Order::channels_last) {
      whole_ = {kPlaces, c, 1, c, 0, 1};
      per_tile_ = kPlaces;
      step_ = c;
    } else {
      const int64_t block = order == Order::blocks_of_8 ? 8 : 16, blocks = (c + block - 1) / block;
      whole_ = {kPlaces, block, blocks, block, places_ * block, 1};
      per_tile_ = kPlaces;
      step_ = block;
      image_ = blocks * block * places_;
    }
    per_tile_ = std::min(per_tile_, places_);
    per_image_ = (places_ + per_tile_ - 1) / per_tile_;
    count = x[0] * per_image_;
    is_row_major_ = order == Order::row_major;
  }

  simd::LrnTile tile(int64_t i) const {
    simd::LrnTile tile = whole_;
    const int64_t places = std::min(per_tile_, places_ - i % per_image_ * per_tile_);
    if (is_row_major_) {
      tile.block = tile.step = places;
    } else {
      tile.rows = places;
    }
    return tile;
  }
  int64_t offset(int64_t i) const { return i / per_image_ * image_ + i % per_image_ * per_tile_ * step_; }

  int64_t count;

 private:
  simd::LrnTile whole_;
  int64_t places_, per_tile_, per_image_, image_, step_;
  bool is_row_major_;
};

class LrnStep : public Step {
 public:
  // `dy` null: forward.
  LrnStep(Builder& builder, const NodeSpec& node, Slot* x, Slot* dy, Slot* y) : tiles_(order_of(x), x->shape) {
    factors_.half = program::get_int(node, "size") / 2;
    factors_.alpha = float(program::get_number(node, "alpha"));
    factors_.beta = float(program::get_number(node, "beta"));
    factors_.k = float(program::get_number(node, "k"));
    kind_ = x->dtype == core::DType::bf16 ? simd::kBf16 : simd::kF32;
    const simd::LrnTile tile = tiles_.tile(0);
    grain_ = std::max<int64_t>(1, kAlone / (tile.rows * tile.blocks * tile.block));
    scratch_ = tile.scratch(factors_.half, dy == nullptr ? 1 : 2);
    reads = {x};
    if (dy != nullptr) reads.push_back(dy);
    writes = {y, builder.scratch(size_t(scratch_ * builder.threads()) * sizeof(float))};
    // A tile is read whole before any of it is written.
    for (program::Slot* read : reads) in_place.emplace_back(y, read);
  }

  void run(RunContext& context) override {
    const auto some = [&](int64_t begin, int64_t end) {
      float* scratch = writes[1]->data<float>() + own_part().id * scratch_;
      for (int64_t i = begin; i < end; ++i) run_tile(i, scratch);
    };
    parallel_for(context.threads, tiles_.count, grain_, some, 1);
  }

 private:
  void run_tile(int64_t i, float* scratch) const {
    const simd::Table& table = simd::table();
    const auto at = [&](program::Slot* slot) {
      return slot->data<char>() + tiles_.offset(i) * core::size_of(slot->dtype);
    };
    if (reads.size() == 1) {
      table.lrn[kind_](at(writes[0]), at(reads[0]), tiles_.tile(i), factors_, scratch);
    } else {
      table.lrn_grad[kind_](at(writes[0]), at(reads[1]), at(reads[0]), tiles_.tile(i), factors_, scratch);
    }
  }

  const Tiles tiles_;
  simd::LrnFactors factors_;
  int kind_;
  int64_t grain_, scratch_;
};

// The input in a layout that the tiles know. Where convolutions widen bf16, their results are there as f32.
Slot* operand(Builder& builder, Slot* slot) {
  const core::DType type = compute_type(slot->dtype);
  if (order_of(slot) == Order::row_major) slot = builder.row_major(slot);
  if (slot->dtype == type) return slot;
  return builder.with_desc(slot, find_desc(type, slot->layout));
}

}  // namespace

std::unique_ptr<Step> make_lrn(Builder& builder, const NodeSpec& node) {
  Slot* x = operand(builder, builder.input(node, 0));
  return std::make_unique<LrnStep>(builder, node, x, nullptr, builder.output(node, 0, find_desc(x->dtype, x->layout)));
}

std::unique_ptr<Step> make_lrnGrad(Builder& builder, const NodeSpec& node) {
  Slot* x = operand(builder, builder.input(node, 1));
  const memory::desc desc = find_desc(x->dtype, x->layout);
  Slot* dy = builder.with_desc(builder.input(node, 0), desc);
  return std::make_unique<LrnStep>(builder, node, x, dy, builder.output(node, 0, desc));
}

}  // namespace ostrich::cpu
