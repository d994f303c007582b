// reshape, transpose, broadcastTo, slice, concat, pad, and copies between layouts. Row-major; what is contiguous
// already is an alias, with no step.
#include <cstring>

#include "core/bf16.h"
#include "cuda/kernels/strided_copy.h"
#include "program/attrs.h"

namespace ostrich::cuda {
namespace {

using core::DType;
using core::Shape;
using program::NodeSpec;

// One launch for each part.
class CopyStep : public Step {
 public:
  CopyStep(const std::vector<Slot*>& sources, Slot* target) {
    reads.assign(sources.begin(), sources.end());
    writes = {target};
    is_guarded = true;
  }
  void add(StridedCopy copy) {
    detail += (detail.empty() ? "" : " ") + copy.name();
    parts_.push_back(std::move(copy));
  }
  void run(CUstream stream) override {
    for (const StridedCopy& part : parts_) part.run(stream);
  }

 private:
  std::vector<StridedCopy> parts_;
};

Slot* plain_input(Builder& builder, const NodeSpec& node, size_t index = 0) {
  return builder.row_major(builder.input(node, index));
}

std::unique_ptr<Step> make_move(Builder& builder, const NodeSpec& node, Slot* x, const Shape& from_strides,
                                int64_t from_offset) {
  Slot* y = builder.output(node, 0);
  const Shape to_strides = core::row_major_strides(y->shape);
  std::vector<CopyAxis> axes;
  for (size_t i = 0; i < y->shape.size(); ++i) axes.push_back({y->shape[i], to_strides[i], from_strides[i]});
  auto step = std::make_unique<CopyStep>(std::vector<Slot*>{x}, y);
  step->add(StridedCopy(builder, std::move(axes), x, from_offset, y, 0));
  return step;
}

int64_t dot(const Shape& a, const Shape& b) {
  int64_t sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// A transpose that only moves axes of extent 1 moves nothing.
bool keeps_order(const Shape& shape, const std::vector<int64_t>& perm) {
  int64_t last = -1;
  for (int64_t axis : perm) {
    if (shape[size_t(axis)] == 1) continue;
    if (axis < last) return false;
    last = axis;
  }
  return true;
}

// One block of memory: whole axes inside, single elements outside, one cut axis between.
bool is_contiguous(const Shape& shape, const Shape& size) {
  size_t axis = shape.size();
  while (axis > 0 && size[axis - 1] == shape[axis - 1]) --axis;
  for (size_t outer = 0; outer + 1 < axis; ++outer) {
    if (size[outer] != 1) return false;
  }
  return true;
}

// The bits of a number as an element, repeated to 4 bytes.
uint32_t bits_of(double number, DType dtype) {
  uint32_t bits = 0;
  const float real = float(number);
  switch (dtype) {
    case DType::f32:
      std::memcpy(&bits, &real, 4);
      return bits;
    case DType::bf16:
      return core::float_to_bf16(real) * 0x10001u;
    case DType::i32:
      return uint32_t(int32_t(number));
    case DType::u8:
      return uint8_t(number) * 0x1010101u;
  }
  return bits;
}

}  // namespace

std::unique_ptr<Step> make_copy(Builder& builder, Slot* source, Slot* target) {
  OSTRICH_CHECK(source->dtype == target->dtype && source->shape == target->shape);
  const Shape from = source->layout.strides(source->shape), to = target->layout.strides(target->shape);
  std::vector<CopyAxis> axes;
  for (size_t i = 0; i < from.size(); ++i) axes.push_back({source->shape[i], to[i], from[i]});
  if (target->layout.is_padded(target->shape)) {
    axes[1].extent = target->layout.channels;
    axes[1].inside = target->shape[1];
  }
  auto step = std::make_unique<CopyStep>(std::vector<Slot*>{source}, target);
  step->add(StridedCopy(builder, std::move(axes), source, 0, target, 0));
  return step;
}

std::unique_ptr<Step> make_reshape(Builder& builder, const NodeSpec& node) {
  builder.alias(node, 0, plain_input(builder, node));
  return nullptr;
}

std::unique_ptr<Step> make_transpose(Builder& builder, const NodeSpec& node) {
  Slot* x = plain_input(builder, node);
  const std::vector<int64_t> perm = program::get_ints(node, "perm");
  if (keeps_order(x->shape, perm)) {
    builder.alias(node, 0, x);
    return nullptr;
  }
  const Shape strides = core::row_major_strides(x->shape);
  Shape from;
  for (int64_t axis : perm) from.push_back(strides[size_t(axis)]);
  return make_move(builder, node, x, from, 0);
}

std::unique_ptr<Step> make_broadcastTo(Builder& builder, const NodeSpec& node) {
  Slot* x = plain_input(builder, node);
  const Shape dims = program::get_ints(node, "shape");
  if (core::count(dims) == core::count(x->shape)) {
    builder.alias(node, 0, x);
    return nullptr;
  }
  const Shape strides = core::row_major_strides(x->shape);
  const size_t missing = dims.size() - strides.size();
  Shape from(dims.size(), 0);
  for (size_t axis = 0; axis < strides.size(); ++axis) from[missing + axis] = x->shape[axis] == 1 ? 0 : strides[axis];
  return make_move(builder, node, x, from, 0);
}

std::unique_ptr<Step> make_slice(Builder& builder, const NodeSpec& node) {
  Slot* x = plain_input(builder, node);
  const std::vector<int64_t> start = program::get_ints(node, "start"), size = program::get_ints(node, "size");
  const Shape strides = core::row_major_strides(x->shape);
  const int64_t offset = dot(start, strides);
  if (is_contiguous(x->shape, size)) {
    builder.alias(node, 0, x, size_t(offset) * core::size_of(x->dtype));
    return nullptr;
  }
  return make_move(builder, node, x, strides, offset);
}

std::unique_ptr<Step> make_concat(Builder& builder, const NodeSpec& node) {
  std::vector<Slot*> inputs;
  for (size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(plain_input(builder, node, i));
  Slot* y = builder.output(node, 0);
  const size_t axis = size_t(program::get_int(node, "axis"));
  const Shape to = core::row_major_strides(y->shape);
  auto step = std::make_unique<CopyStep>(inputs, y);
  int64_t place = 0;
  for (Slot* x : inputs) {
    const Shape from = core::row_major_strides(x->shape);
    std::vector<CopyAxis> axes;
    for (size_t i = 0; i < from.size(); ++i) axes.push_back({x->shape[i], to[i], from[i]});
    step->add(StridedCopy(builder, std::move(axes), x, 0, y, place * to[axis]));
    place += x->shape[axis];
  }
  builder.joins(step->reads, y);
  return step;
}

std::unique_ptr<Step> make_pad(Builder& builder, const NodeSpec& node) {
  Slot* x = plain_input(builder, node);
  Slot* y = builder.output(node, 0);
  const Shape to = core::row_major_strides(y->shape), from = core::row_major_strides(x->shape);
  const std::vector<int64_t> before = program::get_ints(node, "before");
  std::vector<CopyAxis> axes;
  for (size_t i = 0; i < to.size(); ++i) axes.push_back({y->shape[i], to[i], from[i], before[i], x->shape[i]});
  auto step = std::make_unique<CopyStep>(std::vector<Slot*>{x}, y);
  step->add(StridedCopy(builder, std::move(axes), x, 0, y, 0, bits_of(program::get_number(node, "value"), y->dtype)));
  return step;
}

}  // namespace ostrich::cuda
