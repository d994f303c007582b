#include "cpu/layout.h"

#include "core/error.h"

namespace ostrich::cpu {

namespace {

// Elements of an axis in one block.
int64_t blocks_of(const Layout& layout, int axis) {
  int64_t product = 1;
  for (size_t i = 0; i < layout.block_axis.size(); ++i) {
    if (layout.block_axis[i] == axis) product *= layout.block_size[i];
  }
  return product;
}

}  // namespace

Layout Layout::row_major(const core::Shape& dims) {
  Layout layout;
  layout.dims = layout.padded = dims;
  layout.strides = core::row_major_strides(dims);
  return layout;
}

Layout Layout::of(const dnnl::memory::desc& desc) {
  Layout layout;
  layout.dims = desc.get_dims();
  layout.padded = desc.get_padded_dims();
  layout.strides = desc.get_strides();
  for (dnnl::memory::dim axis : desc.get_inner_idxs()) layout.block_axis.push_back(int(axis));
  layout.block_size = desc.get_inner_blks();
  return layout;
}

int64_t Layout::elements() const { return core::count(padded); }

bool Layout::is_row_major() const { return *this == row_major(dims); }

int64_t Layout::offset(const core::Shape& index) const {
  core::Shape rest = index;
  int64_t place = 0, step = 1;
  for (size_t block = block_axis.size(); block-- > 0;) {
    int64_t& i = rest[size_t(block_axis[block])];
    place += (i % block_size[block]) * step;
    i /= block_size[block];
    step *= block_size[block];
  }
  for (size_t axis = 0; axis < rest.size(); ++axis) place += rest[axis] * strides[axis];
  return place;
}

std::string Layout::to_string() const {
  std::string text = core::to_string(dims);
  if (is_row_major()) return text;
  text += " strides " + core::to_string(strides);
  for (size_t i = 0; i < block_axis.size(); ++i) {
    text += (i ? "," : " blocks ") + std::to_string(block_size[i]) + "@" + std::to_string(block_axis[i]);
  }
  return text;
}

bool Layout::operator==(const Layout& other) const {
  if (dims != other.dims || padded != other.padded || block_axis != other.block_axis ||
      block_size != other.block_size) {
    return false;
  }
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    if (padded[axis] / blocks_of(*this, int(axis)) > 1 && strides[axis] != other.strides[axis]) return false;
  }
  return true;
}

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
