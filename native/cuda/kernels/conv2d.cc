// conv2d and its two gradients, channels last, by cuDNN. Input channels that tensor cores cannot take are padded with
// zeros: in copies of x and w, and in dx and dw, whose padding comes out as zeros.
#include "cuda/kernels/activate.h"
#include "cuda/kernels/column_sums.h"
#include "cuda/kernels/image_copy.h"
#include "cuda/kernels/sequence.h"
#include "program/attrs.h"

namespace ostrich::cuda {
namespace {

using core::DType;
using core::Shape;
using program::NodeSpec;

class ConvStep : public Step {
 public:
  ConvStep(Builder& builder, std::unique_ptr<ConvPlan> plan, Slot* a, Slot* b, Slot* bias, Slot* y)
      : plan_(std::move(plan)), a_(a), b_(b), bias_(bias), y_(y), workspace_(nullptr) {
    reads = {a, b};
    if (bias != nullptr) reads.push_back(bias);
    writes = {y};
    if (plan_->workspace_bytes() > 0) writes.push_back(workspace_ = builder.scratch(plan_->workspace_bytes()));
    detail = plan_->detail();
    is_library = true;
  }
  void run(CUstream stream) override {
    plan_->run(stream,
               {a_->data<const void>(), b_->data<const void>(), bias_ == nullptr ? nullptr : bias_->data<const void>(),
                y_->data<void>()},
               workspace_ == nullptr ? nullptr : workspace_->data<void>());
  }

 private:
  std::unique_ptr<ConvPlan> plan_;
  Slot *a_, *b_, *bias_, *y_, *workspace_;
};

// Input channels come in multiples of 16 bytes on tensor cores.
int64_t channel_multiple(const Builder& builder, DType in, int64_t groups) {
  if (groups > 1) return 1;
  if (in == DType::bf16) return 8;
  return builder.options().tf32 ? 4 : 1;
}

int64_t channels_in_memory(const Slot* slot) {
  return slot->layout.is_row_major() ? slot->shape[1] : slot->layout.channels;
}

ConvSpec common_spec(Builder& builder, const NodeSpec& node, ConvPass pass, DType in, DType out) {
  ConvSpec spec{};
  spec.pass = pass;
  const auto stride = program::get_ints(node, "stride", 2), dilation = program::get_ints(node, "dilation", 2),
             padding = program::get_ints(node, "padding", 4);
  for (size_t i = 0; i < 2; ++i) {
    spec.stride[i] = stride[i];
    spec.dilation[i] = dilation[i];
  }
  for (size_t i = 0; i < 4; ++i) spec.padding[i] = padding[i];
  spec.groups = program::get_int(node, "groups");
  spec.in = in;
  spec.out = out;
  spec.tf32 = builder.options().tf32 && in == DType::f32;
  spec.deterministic = builder.options().deterministic;
  return spec;
}

void set_extents(ConvSpec& spec, const Shape& x, int64_t channels, const Shape& w, const Shape& y) {
  spec.n = x[0];
  spec.c = channels;
  spec.h = x[2];
  spec.w = x[3];
  spec.kh = w[2];
  spec.kw = w[3];
  spec.o = y[1];
  spec.oh = y[2];
  spec.ow = y[3];
}

// A slot like `y` of another type, for this step only; `y` itself where the type is the same.
Slot* like(Builder& builder, Slot* y, DType dtype) {
  if (y->dtype == dtype) return y;
  Slot* slot = builder.scratch(size_t(y->layout.elements(y->shape)) * core::size_of(dtype));
  slot->dtype = dtype;
  slot->shape = y->shape;
  slot->layout = y->layout;
  return slot;
}

// cuDNN has no engines from one type to another, so that f32 in is f32 out, and bf16 for an f32 result is made f32
// first. Nothing is lost if tensor cores then round it to tf32.
void set_types(ConvSpec& spec, bool& widens) {
  widens = spec.in == DType::bf16 && spec.out == DType::f32;
  if (spec.in == DType::bf16 && !widens) return;
  spec.tf32 = spec.tf32 || widens;
  spec.in = spec.out = DType::f32;
}

// What the padding has more at the top than at the bottom and the other way round, of rows and of columns.
struct Surplus {
  int64_t before[2], after[2];
  bool any() const { return before[0] + after[0] + before[1] + after[1] > 0; }
};

// Some of cuDNN's gradients (9.14, f32 and tf32) are wrong where the padding is uneven: images grow by what is uneven.
Surplus even_out(ConvSpec& spec) {
  Surplus surplus{};
  int64_t* const extents[2] = {&spec.h, &spec.w};
  for (size_t i = 0; i < 2; ++i) {
    const int64_t both = std::min(spec.padding[i], spec.padding[i + 2]);
    surplus.before[i] = spec.padding[i] - both;
    surplus.after[i] = spec.padding[i + 2] - both;
    spec.padding[i] = spec.padding[i + 2] = both;
    *extents[i] += surplus.before[i] + surplus.after[i];
  }
  return surplus;
}

// A slot for the images that `spec` has grown.
Slot* grown(Builder& builder, const ConvSpec& spec, const Slot* images) {
  const Shape shape{spec.n, images->shape[1], spec.h, spec.w};
  Slot* slot = builder.scratch(size_t(images->layout.elements(shape)) * core::size_of(images->dtype));
  slot->dtype = images->dtype;
  slot->shape = shape;
  slot->layout = images->layout;
  return slot;
}

// The slot as f32, by a part of its own.
Slot* widened(Builder& builder, Slot* slot, std::vector<std::unique_ptr<Step>>& parts) {
  Slot* wide = like(builder, slot, DType::f32);
  parts.push_back(make_activate(builder, slot, wide, Activation::none, nullptr, 1));
  return wide;
}

// The gradient's step, and its conversion where the computed type is not the wanted one.
std::unique_ptr<Step> gradient(Builder& builder, const ConvSpec& spec, bool widens, Slot* a, Slot* b, Slot* y,
                               Slot* sums, Slot* dy) {
  std::vector<std::unique_ptr<Step>> parts;
  if (widens) {
    a = widened(builder, a, parts);
    b = widened(builder, b, parts);
  }
  Slot* computed = like(builder, y, spec.out);
  auto plan = builder.dnn().plan(spec, builder.tuner());
  OSTRICH_CHECK(plan != nullptr);
  parts.push_back(std::make_unique<ConvStep>(builder, std::move(plan), a, b, nullptr, computed));
  if (computed != y) parts.push_back(make_activate(builder, computed, y, Activation::none, nullptr, 1));
  if (sums != nullptr) parts.push_back(make_channel_sums(builder, dy, sums));
  return in_sequence(std::move(parts));
}

}  // namespace

std::unique_ptr<Step> make_conv2d(Builder& builder, const NodeSpec& node) {
  Slot *x = builder.input(node, 0), *w = builder.input(node, 1);
  Slot* bias = node.inputs.size() > 2 ? builder.row_major(builder.input(node, 2)) : nullptr;
  ConvSpec spec = common_spec(builder, node, ConvPass::forward, x->dtype, builder.dtype(node, 0));
  bool widens;
  set_types(spec, widens);
  const int64_t multiple = widens ? 1 : channel_multiple(builder, spec.in, spec.groups);
  x = builder.with_layout(x, Layout::channels_last(x->shape, multiple));
  w = builder.with_layout(w, Layout::channels_last(w->shape, multiple));
  Slot* y = builder.output(node, 0, Layout::channels_last(builder.shape(node, 0)));
  Slot* computed = like(builder, y, spec.out);
  set_extents(spec, x->shape, channels_in_memory(x), w->shape, y->shape);
  spec.bias = bias != nullptr;
  auto plan = builder.dnn().plan(spec, builder.tuner());
  Slot* late_bias = nullptr;
  if (plan == nullptr) {
    std::swap(bias, late_bias);
    spec.bias = false;
    plan = builder.dnn().plan(spec, builder.tuner());
    OSTRICH_CHECK(plan != nullptr);
  }
  std::vector<std::unique_ptr<Step>> parts;
  if (widens) {
    x = widened(builder, x, parts);
    w = widened(builder, w, parts);
  }
  parts.push_back(std::make_unique<ConvStep>(builder, std::move(plan), x, w, bias, computed));
  const Activation activation = activation_of(node);
  if (late_bias != nullptr || activation != Activation::none || computed != y) {
    parts.push_back(make_activate(builder, computed, y, activation, late_bias, 1));
  }
  return in_sequence(std::move(parts));
}

std::unique_ptr<Step> make_conv2dGradInput(Builder& builder, const NodeSpec& node) {
  Slot *dy = builder.input(node, 0), *w = builder.input(node, 1);
  ConvSpec spec = common_spec(builder, node, ConvPass::grad_input, dy->dtype, builder.dtype(node, 0));
  bool widens;
  set_types(spec, widens);
  const bool converts = widens || spec.out != builder.dtype(node, 0);
  const int64_t multiple = converts ? 1 : channel_multiple(builder, spec.in, spec.groups);
  dy = builder.with_layout(dy, Layout::channels_last(dy->shape));
  w = builder.with_layout(w, Layout::channels_last(w->shape, multiple));
  Slot* dx = builder.output(node, 0, Layout::channels_last(builder.shape(node, 0), multiple));
  set_extents(spec, dx->shape, channels_in_memory(dx), w->shape, dy->shape);
  const Surplus surplus = even_out(spec);
  if (!surplus.any()) return gradient(builder, spec, widens, dy, w, dx, nullptr, dy);
  Slot* whole = grown(builder, spec, dx);
  std::vector<std::unique_ptr<Step>> parts;
  parts.push_back(gradient(builder, spec, widens, dy, w, whole, nullptr, dy));
  parts.push_back(make_image_copy(builder, whole, dx, -surplus.before[0], -surplus.before[1]));
  return in_sequence(std::move(parts));
}

std::unique_ptr<Step> make_conv2dGradWeight(Builder& builder, const NodeSpec& node) {
  Slot *x = builder.input(node, 0), *dy = builder.input(node, 1);
  ConvSpec spec = common_spec(builder, node, ConvPass::grad_weight, x->dtype, builder.dtype(node, 0));
  bool widens;
  set_types(spec, widens);
  const bool converts = widens || spec.out != builder.dtype(node, 0);
  const int64_t multiple = converts ? 1 : channel_multiple(builder, spec.in, spec.groups);
  x = builder.with_layout(x, Layout::channels_last(x->shape, multiple));
  dy = builder.with_layout(dy, Layout::channels_last(dy->shape));
  Slot* dw = builder.output(node, 0, Layout::channels_last(builder.shape(node, 0), multiple));
  Slot* sums = program::get_bool(node, "sumDy") ? builder.output(node, 1) : nullptr;
  set_extents(spec, x->shape, channels_in_memory(x), dw->shape, dy->shape);
  const Surplus surplus = even_out(spec);
  if (!surplus.any()) return gradient(builder, spec, widens, x, dy, dw, sums, dy);
  Slot* whole = grown(builder, spec, x);
  std::vector<std::unique_ptr<Step>> parts;
  parts.push_back(make_image_copy(builder, x, whole, surplus.before[0], surplus.before[1]));
  parts.push_back(gradient(builder, spec, widens, whole, dy, dw, sums, dy));
  return in_sequence(std::move(parts));
}

}  // namespace ostrich::cuda
