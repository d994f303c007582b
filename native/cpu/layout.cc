#include "cpu/layout.h"

#include <numeric>

#include "core/error.h"

namespace ostrich::cpu {

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
  core::Shape blocks(dims.size(), 1);
  for (size_t i = 0; i < block_axis.size(); ++i) blocks[size_t(block_axis[i])] *= block_size[i];
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    if (padded[axis] / blocks[axis] > 1 && strides[axis] != other.strides[axis]) return false;
  }
  return true;
}

}  // namespace ostrich::cpu
