#include "cpu/grouped_layout.h"

namespace ostrich::cpu {

namespace {

int64_t blocks_of(const Layout& layout, int axis) {
  int64_t product = 1;
  for (size_t i = 0; i < layout.block_axis.size(); ++i) {
    if (layout.block_axis[i] == axis) product *= layout.block_size[i];
  }
  return product;
}

}  // namespace

std::optional<Layout> without_groups(const Layout& five) {
  const int64_t groups = five.dims[0], outputs = five.dims[1];
  // One output channel in each group: the groups are the channels, in blocks or not.
  const bool depthwise = outputs == 1;
  if (depthwise ? five.padded[1] != 1 : five.padded[1] != outputs || blocks_of(five, 0) != 1) return std::nullopt;
  const int64_t steps = outputs / blocks_of(five, 1);  // of the outer stride from one group to the next
  if (!depthwise && steps > 1 && five.strides[0] != five.strides[1] * steps) return std::nullopt;
  Layout four;
  four.dims = {groups * outputs, five.dims[2], five.dims[3], five.dims[4]};
  four.padded = {five.padded[0] * outputs, five.padded[2], five.padded[3], five.padded[4]};
  four.strides = {steps > 1 ? five.strides[1] : five.strides[0], five.strides[2], five.strides[3], five.strides[4]};
  for (int axis : five.block_axis) four.block_axis.push_back(axis == 0 ? 0 : axis - 1);
  four.block_size = five.block_size;
  return four;
}

std::optional<Layout> with_groups(const Layout& four, int64_t groups) {
  const int64_t outputs = four.dims[0] / groups, block = blocks_of(four, 0);
  const bool depthwise = outputs == 1;
  if (!depthwise && outputs % block != 0) return std::nullopt;
  Layout five;
  five.dims = {groups, outputs, four.dims[1], four.dims[2], four.dims[3]};
  five.padded = {four.padded[0] / outputs, outputs, four.padded[1], four.padded[2], four.padded[3]};
  const int64_t step = depthwise ? four.strides[0] : four.strides[0] * (outputs / block);
  five.strides = {step, four.strides[0], four.strides[1], four.strides[2], four.strides[3]};
  for (int axis : four.block_axis) five.block_axis.push_back(axis == 0 && depthwise ? 0 : axis + 1);
  five.block_size = four.block_size;
  return five;
}

}  // namespace ostrich::cpu
