// See rnn_layer.h.
#include "cuda/kernels/rnn_layer.h"

#include <utility>
#include <vector>

#include "cuda/kernels/activate.h"
#include "cuda/kernels/sequence.h"
#include "cuda/kernels/strided_copy.h"

namespace ostrich::cuda {
namespace {

using core::DType;
using core::Shape;
using Parts = std::vector<std::unique_ptr<Step>>;

// A matrix of each gate within a slot, in elements.
struct Matrices {
  std::vector<int64_t> starts;
  int64_t row, column;
};

// Copies them from slot to slot, in one launch where they lie at even distances on both sides.
class MatricesCopy : public Step {
 public:
  MatricesCopy(Builder& builder, Slot* from, const Matrices& a, Slot* to, const Matrices& b, int64_t rows,
               int64_t columns) {
    reads = {from};
    writes = {to};
    detail = "weights";
    const std::vector<CopyAxis> axes = {{rows, b.row, a.row}, {columns, b.column, a.column}};
    const int64_t gates = int64_t(a.starts.size()), from_step = distance(a), to_step = distance(b);
    if (from_step > 0 && to_step > 0) {
      std::vector<CopyAxis> all = axes;
      all.push_back({gates, to_step, from_step});
      copies_.emplace_back(builder, all, from, a.starts[0], to, b.starts[0]);
      return;
    }
    for (size_t i = 0; i < a.starts.size(); ++i) {
      copies_.emplace_back(builder, axes, from, a.starts[i], to, b.starts[i]);
    }
  }
  void run(CUstream stream) override {
    for (const StridedCopy& copy : copies_) copy.run(stream);
  }

 private:
  // From each to the next; 0 where that differs.
  static int64_t distance(const Matrices& all) {
    if (all.starts.size() < 2) return 0;
    const int64_t step = all.starts[1] - all.starts[0];
    for (size_t i = 2; i < all.starts.size(); ++i) {
      if (all.starts[i] - all.starts[i - 1] != step) return 0;
    }
    return step;
  }
  std::vector<StridedCopy> copies_;
};

// Slots of one call; those that are null give null pointers.
struct CallSlots {
  Slot *x, *h0, *c0, *weights, *y, *c_last, *reserve, *workspace, *dy, *dx, *dh0, *dc0, *dweights;
};

class RnnCall : public Step {
 public:
  RnnCall(Builder& builder, std::shared_ptr<RnnPlan> plan, CallSlots slots)
      : context_(builder.context()), plan_(std::move(plan)), slots_(slots) {
    if (plan_->workspace_bytes() > 0) slots_.workspace = builder.scratch(plan_->workspace_bytes());
    const CallSlots& s = slots_;
    const bool is_backward = s.dy != nullptr;
    for (Slot* slot : {s.x, s.h0, s.c0, s.weights, s.dy}) add(reads, slot);
    add(is_backward ? reads : writes, s.y);
    // The backward may leave something there for itself.
    if (is_backward) add(reads, s.reserve);
    for (Slot* slot : {s.c_last, s.reserve, s.workspace, s.dx, s.dh0, s.dc0, s.dweights}) add(writes, slot);
    detail = plan_->name();
    is_library = true;
  }

  void run(CUstream stream) override {
    const CallSlots& s = slots_;
    const auto of = [](const Slot* slot) { return slot == nullptr ? nullptr : slot->data<void>(); };
    const RnnPointers pointers{of(s.x),      of(s.h0),      of(s.c0),        of(s.weights), of(s.y),
                               of(s.c_last), of(s.reserve), of(s.workspace), of(s.dy),      of(s.dx),
                               of(s.dh0),    of(s.dc0),     of(s.dweights)};
    if (s.dy == nullptr) return plan_->forward(stream, pointers);
    OSTRICH_CU(context_, cuMemsetD8Async(address(pointers.dweights), 0, plan_->weight_bytes(), stream));
    plan_->backward(stream, pointers);
  }

 private:
  static void add(std::vector<program::Slot*>& list, Slot* slot) {
    if (slot != nullptr) list.push_back(slot);
  }
  const Context& context_;
  std::shared_ptr<RnnPlan> plan_;
  CallSlots slots_;
};

// For what lies between the weights.
class Zeros : public Step {
 public:
  Zeros(Builder& builder, Slot* slot) : context_(builder.context()), slot_(slot) { writes = {slot}; }
  void run(CUstream stream) override {
    OSTRICH_CU(context_, cuMemsetD8Async(address(slot_->data<void>()), 0, slot_->bytes(), stream));
  }

 private:
  const Context& context_;
  Slot* slot_;
};

Slot* scratch_of(Builder& builder, DType dtype, const Shape& shape) {
  return builder.part(builder.scratch(size_t(core::count(shape)) * core::size_of(dtype)), dtype, shape, 0);
}

void convert(Builder& builder, Parts& parts, Slot* from, Slot* to) {
  parts.push_back(make_activate(builder, from, to, Activation::none, nullptr, 0));
}

// `slot`, or a slot of the layer's type in its place that is converted to or from it.
Slot* in_type(Builder& builder, Slot* slot, DType dtype) {
  return slot->dtype == dtype ? slot : scratch_of(builder, dtype, slot->shape);
}

// cuDNN may take wide words, which slots at any place within others do not allow.
bool is_aligned(const Slot* slot) { return slot->offset % 16 == 0; }

// `slot`, or a copy that lies so, made by a further part.
Slot* aligned(Builder& builder, Parts& parts, Slot* slot) {
  if (is_aligned(slot)) return slot;
  Slot* copy = scratch_of(builder, slot->dtype, slot->shape);
  parts.push_back(make_copy(builder, slot, copy));
  return copy;
}

enum class Kind : uint8_t { input, recurrent, bias };

Matrices in_library(const RnnSpec& spec, const std::vector<GatePlace>& places, Kind kind) {
  const int64_t size = int64_t(core::size_of(spec.dtype));
  Matrices all{{}, kind == Kind::input ? spec.d : kind == Kind::recurrent ? spec.h : 1, 1};
  for (const GatePlace& place : places) {
    const size_t at = kind == Kind::input ? place.input : kind == Kind::recurrent ? place.recurrent : place.bias;
    OSTRICH_CHECK(int64_t(at) % size == 0);
    all.starts.push_back(int64_t(at) / size);
  }
  return all;
}

// w [gates * H, D], u [H, gates * H], b [gates * H].
Matrices in_program(const RnnSpec& spec, Kind kind) {
  const int64_t width = spec.gates() * spec.h;
  Matrices all{{}, kind == Kind::input ? spec.d : 1, kind == Kind::recurrent ? width : 1};
  for (int64_t gate = 0; gate < spec.gates(); ++gate) {
    all.starts.push_back(gate * spec.h * (kind == Kind::input ? spec.d : 1));
  }
  return all;
}

int64_t columns_of(const RnnSpec& spec, Kind kind) {
  return kind == Kind::input ? spec.d : kind == Kind::recurrent ? spec.h : 1;
}

}  // namespace

RnnLayer::RnnLayer(RecurrentLayer layer, std::shared_ptr<RnnPlan> plan)
    : layer_(std::move(layer)), plan_(std::move(plan)) {}

std::unique_ptr<Step> RnnLayer::forward(Builder& builder) {
  const RnnSpec& spec = layer_.spec;
  const auto plain = [&](const program::NodeSpec* node, size_t i) {
    return builder.row_major(builder.input(*node, i));
  };
  Parts parts;
  x_ = aligned(builder, parts, plain(layer_.product, 0));
  h0_ = aligned(builder, parts, plain(layer_.cell, 2));
  weights_ = builder.part(builder.scratch(plan_->weight_bytes()), spec.dtype,
                          {int64_t(plan_->weight_bytes() / core::size_of(spec.dtype))}, 0);
  parts.push_back(std::make_unique<Zeros>(builder, weights_));
  const auto fill = [&](Slot* from, Kind kind) {
    parts.push_back(std::make_unique<MatricesCopy>(builder, from, in_program(spec, kind), weights_,
                                                   in_library(spec, plan_->places(), kind), spec.h,
                                                   columns_of(spec, kind)));
  };
  fill(plain(layer_.product, 1), Kind::input);
  fill(plain(layer_.cell, 1), Kind::recurrent);
  if (layer_.product->inputs.size() == 3) {
    Slot *bias = plain(layer_.product, 2), *same = in_type(builder, bias, spec.dtype);
    if (same != bias) convert(builder, parts, bias, same);
    fill(same, Kind::bias);
  }
  Slot *c_last = nullptr, *last = nullptr;
  if (spec.cell == Cell::lstm) {
    Slot* c0 = plain(layer_.cell, 3);
    c0_ = in_type(builder, c0, spec.dtype);
    if (c0_ != c0) convert(builder, parts, c0, c0_);
    c0_ = aligned(builder, parts, c0_);
  }
  y_ = builder.output(*layer_.cell, 0);
  if (spec.cell == Cell::lstm) {
    // Of c only the last is told, and only the last is read.
    const size_t state = size_t(spec.n * spec.h) * core::size_of(DType::f32);
    Slot* c = builder.output(*layer_.cell, 1);
    last = builder.part(c, DType::f32, {spec.n, spec.h}, size_t(spec.t - 1) * state);
    c_last = is_aligned(last) ? in_type(builder, last, spec.dtype) : scratch_of(builder, spec.dtype, last->shape);
  }
  if (plan_->reserve_bytes() > 0) reserve_ = builder.scratch(plan_->reserve_bytes());
  CallSlots slots{};
  slots.x = x_, slots.h0 = h0_, slots.c0 = c0_, slots.weights = weights_, slots.y = y_, slots.c_last = c_last;
  slots.reserve = reserve_;
  parts.push_back(std::make_unique<RnnCall>(builder, plan_, slots));
  if (c_last != last) convert(builder, parts, c_last, last);
  return in_sequence(std::move(parts));
}

std::unique_ptr<Step> RnnLayer::backward(Builder& builder) {
  const RnnSpec& spec = layer_.spec;
  const program::NodeSpec& grad = *layer_.cell_grad;
  Parts parts;
  CallSlots slots{};
  slots.x = x_, slots.h0 = h0_, slots.c0 = c0_, slots.weights = weights_, slots.y = y_, slots.reserve = reserve_;
  slots.dy = aligned(builder, parts, builder.row_major(builder.input(grad, 0)));
  slots.dx = layer_.input_grad != nullptr ? builder.output(*layer_.input_grad, 0)
                                          : scratch_of(builder, spec.dtype, {spec.t * spec.n, spec.d});
  slots.dweights = builder.part(builder.scratch(plan_->weight_bytes()), spec.dtype, weights_->shape, 0);
  if (builder.is_used(grad, 1)) slots.dh0 = builder.output(grad, 1);
  Slot* dc0 = spec.cell == Cell::lstm && builder.is_used(grad, 2) ? builder.output(grad, 2) : nullptr;
  if (dc0 != nullptr) slots.dc0 = in_type(builder, dc0, spec.dtype);
  parts.push_back(std::make_unique<RnnCall>(builder, plan_, slots));
  if (slots.dc0 != dc0) convert(builder, parts, slots.dc0, dc0);
  const auto take = [&](Slot* to, Kind kind) {
    parts.push_back(std::make_unique<MatricesCopy>(builder, slots.dweights, in_library(spec, plan_->places(), kind), to,
                                                   in_program(spec, kind), spec.h, columns_of(spec, kind)));
  };
  if (layer_.recurrent_grad != nullptr) take(builder.output(*layer_.recurrent_grad, 0), Kind::recurrent);
  if (layer_.weight_grad == nullptr) return in_sequence(std::move(parts));
  take(builder.output(*layer_.weight_grad, 0), Kind::input);
  if (layer_.weight_grad->outputs.size() > 1) {
    Slot *sums = builder.output(*layer_.weight_grad, 1), *same = in_type(builder, sums, spec.dtype);
    if (builder.is_used(*layer_.weight_grad, 1)) {
      take(same, Kind::bias);
      if (same != sums) convert(builder, parts, same, sums);
    }
  }
  return in_sequence(std::move(parts));
}

}  // namespace ostrich::cuda
