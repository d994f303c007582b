// See rules.h.
#include "program/rules.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ostrich::program {

void expect_attrs(const NodeSpec& node, std::initializer_list<const char*> names) {
  for (const char* name : names) get_attr(node, name);
  if (node.attrs->size() == names.size()) return;
  for (const auto& [key, json] : node.attrs->items()) {
    const auto same = [&key = key](const char* name) { return key == name; };
    if (std::none_of(names.begin(), names.end(), same)) {
      fail_node(node, "expected no attribute ", describe(nlohmann::json(key)), ", got ", describe(json));
    }
  }
}

void expect_dtype(const NodeSpec& node, const char* what, const ValueSpec& value, core::DType dtype) {
  if (value.dtype != dtype) fail_node(node, what, ": expected ", core::name_of(dtype), ", got ", describe(value));
}

void expect_float(const NodeSpec& node, const char* what, const ValueSpec& value) {
  if (!core::is_float(value.dtype)) fail_node(node, what, ": expected f32 or bf16, got ", describe(value));
}

void expect_rank(const NodeSpec& node, const char* what, const ValueSpec& value, size_t rank) {
  if (value.shape.size() != rank) fail_node(node, what, ": expected rank ", rank, ", got ", describe(value));
}

void expect_shape(const NodeSpec& node, const char* what, const ValueSpec& value, const core::Shape& shape) {
  if (value.shape != shape) {
    fail_node(node, what, ": expected extents ", core::to_string(shape), ", got ", describe(value));
  }
}

void expect_type(const NodeSpec& node, const char* what, const ValueSpec& value, const ValueSpec& expected) {
  if (value.dtype != expected.dtype || value.shape != expected.shape) {
    fail_node(node, what, ": expected ", describe(expected), ", got ", describe(value));
  }
}

void expect_output(const ProgramSpec& spec, const NodeSpec& node, size_t index, const ValueSpec& expected) {
  const ValueSpec& got = output(spec, node, index);
  if (got.dtype != expected.dtype || got.shape != expected.shape) {
    fail_node(node, "output ", index, ": expected ", describe(expected), ", got ", describe(got));
  }
}

size_t get_axis(const NodeSpec& node, const char* name, size_t rank) {
  const int64_t axis = get_int(node, name);
  if (axis < 0 || size_t(axis) >= rank) {
    fail_node(node, "attribute ", name, ": expected an axis below ", rank, ", got ", axis);
  }
  return size_t(axis);
}

std::vector<int64_t> get_sizes(const NodeSpec& node, const char* name, size_t length, int64_t min) {
  std::vector<int64_t> sizes = get_ints(node, name, length);
  for (int64_t size : sizes) {
    if (size < min || size > INT32_MAX) {
      fail_node(node, "attribute ", name, ": expected integers from ", min, " to ", INT32_MAX, ", got ", size);
    }
  }
  return sizes;
}

int64_t get_size(const NodeSpec& node, const char* name, int64_t min) {
  const int64_t size = get_int(node, name);
  if (size < min || size > INT32_MAX) {
    fail_node(node, "attribute ", name, ": expected an integer from ", min, " to ", INT32_MAX, ", got ", size);
  }
  return size;
}

int64_t Window::positions(const NodeSpec& node, int64_t extent, size_t axis) const {
  const int64_t reach = (kernel[axis] - 1) * dilation[axis] + 1;
  const int64_t padded = extent + padding[axis] + padding[axis + 2];
  if (padded < reach) {
    fail_node(node, "expected an extent of at least ", reach, " (kernel ", kernel[axis], ", dilation ", dilation[axis],
              "), got ", extent, " with padding ", padding[axis], " and ", padding[axis + 2]);
  }
  return (padded - reach) / stride[axis] + 1;
}

Window get_window(const NodeSpec& node, int64_t kernel_h, int64_t kernel_w, bool dilated) {
  for (int64_t extent : {kernel_h, kernel_w}) {
    if (extent > INT32_MAX) fail_node(node, "expected a kernel of at most ", INT32_MAX, ", got ", extent);
  }
  const auto stride = get_sizes(node, "stride", 2, 1), padding = get_sizes(node, "padding", 4, 0);
  const auto dilation = dilated ? get_sizes(node, "dilation", 2, 1) : std::vector<int64_t>{1, 1};
  return {{kernel_h, kernel_w},
          {stride[0], stride[1]},
          {dilation[0], dilation[1]},
          {padding[0], padding[1], padding[2], padding[3]}};
}

}  // namespace ostrich::program
