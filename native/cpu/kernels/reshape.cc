// reshape, transpose, broadcastTo, slice, concat, pad: elements move, values stay. Row-major; what is contiguous
// already is an alias, with no step.
#include <algorithm>

#include "core/bf16.h"
#include "cpu/builder.h"
#include "cpu/kernels/strided_copy.h"
#include "cpu/parallel.h"
#include "program/attrs.h"

namespace ostrich::cpu {
namespace {

using core::DType;
using core::Shape;
using program::NodeSpec;

// Copies each input to its own place in the output, which is first filled where the inputs leave gaps.
class MoveStep : public Step {
 public:
  struct Part {
    StridedCopy copy;
    size_t to_offset, from_offset;  // bytes
  };

  MoveStep(const std::vector<Slot*>& inputs, Slot* y) {
    reads.assign(inputs.begin(), inputs.end());
    writes = {y};
  }
  void add(StridedCopy copy, int64_t to_offset, int64_t from_offset) {
    const size_t size = core::size_of(writes[0]->dtype);
    parts_.push_back({std::move(copy), size_t(to_offset) * size, size_t(from_offset) * size});
  }
  void fill_with(double value) {
    fills_ = true;
    value_ = value;
  }

  void run(RunContext& context) override {
    char* y = writes[0]->data<char>();
    if (fills_) fill(context, y);
    for (size_t i = 0; i < parts_.size(); ++i) {
      parts_[i].copy.run(context.threads, y + parts_[i].to_offset, reads[i]->data<char>() + parts_[i].from_offset);
    }
  }

 private:
  template <class T>
  void fill_as(RunContext& context, char* y, T value) const {
    parallel_for(context.threads, core::count(writes[0]->shape), 32768, [&](int64_t begin, int64_t end) {
      std::fill(reinterpret_cast<T*>(y) + begin, reinterpret_cast<T*>(y) + end, value);
    });
  }
  void fill(RunContext& context, char* y) const {
    switch (writes[0]->dtype) {
      case DType::f32:
        return fill_as(context, y, float(value_));
      case DType::bf16:
        return fill_as(context, y, core::float_to_bf16(float(value_)));
      case DType::i32:
        return fill_as(context, y, int32_t(value_));
      case DType::u8:
        return fill_as(context, y, uint8_t(value_));
    }
  }

  std::vector<Part> parts_;
  bool fills_ = false;
  double value_ = 0;
};

Slot* plain_input(Builder& builder, const NodeSpec& node, size_t index = 0) {
  return builder.row_major(builder.input(node, index));
}

// A step of one part.
std::unique_ptr<Step> make_move(Builder& builder, const NodeSpec& node, Slot* x, const Shape& dims,
                                const Shape& to_strides, const Shape& from_strides, int64_t from_offset) {
  auto step = std::make_unique<MoveStep>(std::vector<Slot*>{x}, builder.output(node, 0));
  step->add(StridedCopy(dims, to_strides, from_strides, core::size_of(x->dtype)), 0, from_offset);
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

}  // namespace

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
  Shape dims, from;
  for (int64_t axis : perm) {
    dims.push_back(x->shape[size_t(axis)]);
    from.push_back(strides[size_t(axis)]);
  }
  return make_move(builder, node, x, dims, core::row_major_strides(dims), from, 0);
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
  return make_move(builder, node, x, dims, core::row_major_strides(dims), from, 0);
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
  return make_move(builder, node, x, size, core::row_major_strides(size), strides, offset);
}

std::unique_ptr<Step> make_concat(Builder& builder, const NodeSpec& node) {
  std::vector<Slot*> inputs;
  for (size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(plain_input(builder, node, i));
  Slot* y = builder.output(node, 0);
  const size_t axis = size_t(program::get_int(node, "axis"));
  const Shape to = core::row_major_strides(y->shape);
  auto step = std::make_unique<MoveStep>(inputs, y);
  int64_t place = 0;
  for (const Slot* x : inputs) {
    step->add(StridedCopy(x->shape, to, core::row_major_strides(x->shape), core::size_of(x->dtype)), place * to[axis],
              0);
    place += x->shape[axis];
  }
  builder.joins(step->reads, y);
  return step;
}

std::unique_ptr<Step> make_pad(Builder& builder, const NodeSpec& node) {
  Slot* x = plain_input(builder, node);
  Slot* y = builder.output(node, 0);
  const Shape to = core::row_major_strides(y->shape);
  auto step = std::make_unique<MoveStep>(std::vector<Slot*>{x}, y);
  step->fill_with(program::get_number(node, "value"));
  const StridedCopy copy(x->shape, to, core::row_major_strides(x->shape), core::size_of(x->dtype));
  step->add(copy, dot(program::get_ints(node, "before"), to), 0);
  return step;
}

}  // namespace ostrich::cpu
