#include "cpu/kernels/norm_tiles.h"

namespace ostrich::cpu {
namespace {

using dnnl::memory;

constexpr int64_t kTile = 8192;  // elements: read twice, so they should stay in a core's own cache

enum class Order : uint8_t { other, row_major, channels_last, blocks_of_8, blocks_of_16 };

Order order_of(const Slot* slot) {
  if (slot->shape.size() == 2) return slot->layout.is_row_major() ? Order::channels_last : Order::other;
  const auto is = [slot](memory::format_tag tag) {
    return slot->layout == Layout::of(memory::desc(slot->shape, memory::data_type::f32, tag));
  };
  if (slot->layout.is_row_major()) return Order::row_major;
  if (is(memory::format_tag::nhwc)) return Order::channels_last;
  if (is(memory::format_tag::nChw8c)) return Order::blocks_of_8;
  return is(memory::format_tag::nChw16c) ? Order::blocks_of_16 : Order::other;
}

}  // namespace

bool lies_in_tiles(const Slot* slot) { return order_of(slot) != Order::other; }

Slot* tiled_input(Builder& builder, Slot* slot) {
  const core::DType type = compute_type(slot->dtype);
  if (builder.homeless(slot) || !lies_in_tiles(slot)) slot = builder.row_major(slot);
  if (slot->dtype == type) return slot;
  return builder.with_desc(slot, find_desc(type, slot->layout));
}

void share_inputs(program::Step& step, program::Slot* output, const std::vector<program::Slot*>& inputs) {
  const auto apart = [&](const program::Slot* slot, const program::Slot* lender) {
    if (slot->storage != lender->storage) return true;
    const bool in_step = std::find(inputs.begin(), inputs.end(), slot) != inputs.end();
    return in_step && slot->offset == lender->offset;
  };
  for (program::Slot* lender : inputs) {
    const bool good = std::all_of(step.reads.begin(), step.reads.end(),
                                  [&](const program::Slot* slot) { return apart(slot, lender); });
    if (good && lender->dtype == output->dtype) step.in_place.emplace_back(output, lender);
  }
}

NormTiles::NormTiles(const Slot* x) {
  const core::Shape& shape = x->shape;
  const Order order = order_of(x);
  OSTRICH_CHECK(order != Order::other);
  int64_t images = shape[0];
  places = shape.size() == 4 ? shape[2] * shape[3] : 1;
  channels = shape[1];
  if (order == Order::row_major) {
    width = stride = 1;
    blocks = channels;
    image_step = channels * places;
    block_step = places;
  } else if (order == Order::channels_last) {
    places *= images;
    images = 1;
    width = stride = channels;
    blocks = 1;
    image_step = block_step = 0;
  } else {
    width = stride = order == Order::blocks_of_8 ? 8 : 16;
    blocks = (channels + width - 1) / width;
    channels = blocks * width;
    image_step = channels * places;
    block_step = width * places;
  }
  rows = std::min(places, std::max<int64_t>(1, kTile / width));
  pieces = (places + rows - 1) / rows;
  per_block = images * pieces;
}

}  // namespace ostrich::cpu
