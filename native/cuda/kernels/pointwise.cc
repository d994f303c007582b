// pointwise: a chain of instructions in one sweep over memory. Inputs of the output's shape and the outputs have one
// layout, and the sweep is over its elements as they lie; inputs of fewer elements are row-major and broadcast.
#include <algorithm>

#include "cuda/kernels/activate.h"
#include "cuda/kernels/chain_job.h"
#include "cuda/kernels/grid.h"
#include "cuda/kernels/known_chains.h"
#include "program/attrs.h"

namespace ostrich::cuda {
namespace {

using core::Shape;
using program::Chain;
using program::NodeSpec;

struct Part {
  Job job;
  Slot* table;
  std::vector<const Slot*> inputs, outputs;
};

class PointwiseStep : public Step {
 public:
  // `known`: the number of a known chain, or -1.
  PointwiseStep(Builder& builder, bool few, int known)
      : builder_(builder), few_(few), known_(known), kernel_(builder.kernel("pointwise", kernel_name())) {
    is_guarded = true;
  }

  void add(Part part) {
    const int64_t width = few_ ? kFewWidth : 1;
    const Grid grid = grid_for((part.job.count + width - 1) / width);
    args_.fault = builder_.fault();
    args_.first_block[args_.jobs + 1] = args_.first_block[args_.jobs] + int(grid.x);
    args_.jobs += 1;
    ops_ += part.job.ops;
    parts_.push_back(std::move(part));
    detail = known_ < 0 ? std::to_string(ops_) + " instructions" : kKnownChains[known_].name;
    if (args_.jobs > 1) detail += " in " + std::to_string(args_.jobs);
  }

  bool joins(const PointwiseStep& other) const {
    return few_ == other.few_ && known_ == other.known_ && parts_.size() + other.parts_.size() <= size_t(kJobs);
  }
  void take(PointwiseStep& other) {
    for (Part& part : other.parts_) add(std::move(part));
    reads.insert(reads.end(), other.reads.begin(), other.reads.end());
    writes.insert(writes.end(), other.writes.begin(), other.writes.end());
    in_place.insert(in_place.end(), other.in_place.begin(), other.in_place.end());
    op = other.op;
    path = path.empty() ? other.path : path + " " + other.path;
  }

  void prepare() override {
    const auto is_aligned = [this](const void* data, const Slot* slot) {
      return few_ && reinterpret_cast<uintptr_t>(data) % (kFewWidth * core::size_of(slot->dtype)) == 0;
    };
    for (size_t p = 0; p < parts_.size(); ++p) {
      Part& part = parts_[p];
      part.job.aligned = true;
      for (size_t i = 0; i < part.inputs.size(); ++i) {
        JobInput& input = part.job.inputs[i];
        input.data = part.inputs[i]->data<const void>();
        input.aligned = is_aligned(input.data, part.inputs[i]);
        part.job.aligned = part.job.aligned && (input.aligned || input.access == Access::uniform);
      }
      for (size_t k = 0; k < part.outputs.size(); ++k) {
        JobOutput& output = part.job.outputs[k];
        output.data = part.outputs[k]->data<void>();
        output.aligned = is_aligned(output.data, part.outputs[k]);
        part.job.aligned = part.job.aligned && output.aligned;
      }
      builder_.fill_table(part.table, &part.job, sizeof(Job));
      args_.job[p] = part.table->data<const Job>();
    }
  }

  void run(CUstream stream) override {
    kernel_.launch(stream, {unsigned(args_.first_block[args_.jobs])}, kThreads, args_);
  }

 private:
  std::string kernel_name() const {
    if (known_ >= 0) return std::string("pointwise_") + kKnownChains[known_].name;
    return few_ ? "pointwise_few" : "pointwise_many";
  }

  Builder& builder_;
  bool few_;
  int known_;
  Kernel kernel_;
  PointwiseArgs args_{};
  std::vector<Part> parts_;
  int ops_ = 0;
};

// The layout that all inputs of the output's shape share: that of the first one that is not row-major, states first, so
// that an optimiser runs on its weights as they lie. Never padded.
Layout choose_layout(Builder& builder, const std::vector<Slot*>& inputs, const Shape& shape) {
  const Slot* leader = nullptr;
  for (const Slot* slot : inputs) {
    if (slot->shape != shape || builder.homeless(slot) || slot->layout.is_row_major()) continue;
    const bool is_state = slot->storage->place == program::Place::state;
    if (leader == nullptr || (is_state && leader->storage->place != program::Place::state)) leader = slot;
  }
  return leader == nullptr ? Layout::row_major() : Layout::channels_last(shape);
}

// Logical axes, outermost first in memory.
std::vector<size_t> axes_in_memory(const Layout& layout, size_t rank) {
  if (!layout.is_row_major()) return {0, 2, 3, 1};
  std::vector<size_t> axes;
  for (size_t axis = 0; axis < rank; ++axis) axes.push_back(axis);
  return axes;
}

// Strides of the broadcast inputs along the output's axes; neighbours that every such input walks in one go are joined.
void set_broadcast(Job& job, const std::vector<Slot*>& inputs, const Shape& shape, const Layout& layout) {
  std::vector<size_t> walked;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (job.inputs[i].access == Access::broadcast) walked.push_back(i);
  }
  if (walked.empty()) return;
  for (size_t axis : axes_in_memory(layout, shape.size())) {
    if (shape[axis] == 1) continue;
    std::vector<int64_t> strides;
    for (size_t i : walked) {
      const Shape& input = inputs[i]->shape;
      const size_t missing = shape.size() - input.size();
      const bool repeated = axis < missing || input[axis - missing] == 1;
      strides.push_back(repeated ? 0 : core::row_major_strides(input)[axis - missing]);
    }
    bool joined = job.axes > 0;
    for (size_t k = 0; k < walked.size() && joined; ++k) {
      joined = job.inputs[walked[k]].strides[job.axes - 1] == strides[k] * shape[axis];
    }
    const int64_t outer = joined ? job.extents[job.axes - 1].divisor : 1;
    if (!joined) ++job.axes;
    job.extents[job.axes - 1] = make_divisor(outer * shape[axis]);
    for (size_t k = 0; k < walked.size(); ++k) job.inputs[walked[k]].strides[job.axes - 1] = strides[k];
  }
}

// Whether output elements may be written over this input's: nothing else reads that memory at other elements.
bool lends(const Job& job, const std::vector<Slot*>& inputs, size_t i) {
  for (size_t j = 0; j < inputs.size(); ++j) {
    if (inputs[j]->storage != inputs[i]->storage) continue;
    if (job.inputs[j].access != Access::linear || inputs[j]->offset != inputs[i]->offset) return false;
    if (core::size_of(inputs[j]->dtype) != core::size_of(inputs[i]->dtype)) return false;
  }
  return job.inputs[i].access == Access::linear;
}

std::unique_ptr<Step> make_step(Builder& builder, const Chain& chain, const std::vector<Slot*>& inputs,
                                const std::vector<Slot*>& outputs, const Shape& shape, const Layout& layout) {
  const ChainJob lowered = lower_chain(chain);
  Part part{};
  Job& job = part.job;
  job.count = core::count(shape);
  job.ops = int(lowered.code.size());
  std::copy(lowered.code.begin(), lowered.code.end(), job.code);
  std::copy(lowered.literals.begin(), lowered.literals.end(), job.literals);
  for (size_t i = 0; i < inputs.size(); ++i) {
    const bool row_major = layout.is_row_major(), same = inputs[i]->shape == shape;
    const int64_t count = core::count(inputs[i]->shape);
    const bool full = same || (row_major && count == job.count);
    job.inputs[i].access = full ? Access::linear : count == 1 ? Access::uniform : Access::broadcast;
    job.inputs[i].dtype = inputs[i]->dtype;
  }
  set_broadcast(job, inputs, shape, layout);
  for (size_t k = 0; k < outputs.size(); ++k) job.outputs[k].dtype = outputs[k]->dtype;
  part.table = builder.table(sizeof(Job));
  part.inputs.assign(inputs.begin(), inputs.end());
  part.outputs.assign(outputs.begin(), outputs.end());

  const int known = job.count < kWorthKnown ? -1 : known_chain(job, int(inputs.size()), int(outputs.size()));
  auto step = std::make_unique<PointwiseStep>(builder, lowered.registers <= kFewRegisters, known);
  step->reads.assign(inputs.begin(), inputs.end());
  step->writes.assign(outputs.begin(), outputs.end());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!lends(job, inputs, i)) continue;
    for (Slot* output : outputs) {
      if (core::size_of(output->dtype) == core::size_of(inputs[i]->dtype))
        step->in_place.push_back({output, inputs[i]});
    }
  }
  step->add(std::move(part));
  return step;
}

}  // namespace

std::unique_ptr<Step> make_pointwise(Builder& builder, const NodeSpec& node) {
  std::vector<Slot*> inputs, outputs;
  std::vector<core::DType> dtypes;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    inputs.push_back(builder.input(node, i));
    dtypes.push_back(inputs[i]->dtype);
  }
  const Shape& shape = builder.shape(node, 0);
  const Layout layout = choose_layout(builder, inputs, shape);
  for (Slot*& slot : inputs) {
    slot = slot->shape == shape ? builder.with_layout(slot, layout) : builder.row_major(slot);
  }
  for (size_t k = 0; k < node.outputs.size(); ++k) outputs.push_back(builder.output(node, k, layout));
  return make_step(builder, program::parse_chain(node, dtypes), inputs, outputs, shape, layout);
}

Activation activation_of(const NodeSpec& node) {
  const std::string& name = program::get_string(node, "activation");
  if (name == "relu") return Activation::relu;
  if (name == "tanh") return Activation::tanh;
  return name == "sigmoid" ? Activation::sigmoid : Activation::none;
}

std::unique_ptr<Step> make_activate(Builder& builder, Slot* x, Slot* y, Activation activation, Slot* bias,
                                    size_t axis) {
  using program::Instruction;
  using program::PointwiseOp;
  OSTRICH_CHECK(x->layout == y->layout && !x->layout.is_padded(x->shape));
  std::vector<Slot*> inputs = {x};
  Chain chain{};
  chain.dtypes = {x->dtype};
  const auto add = [&](PointwiseOp op, int a, int b) {
    Instruction instruction{op, core::DType::f32, b < 0 ? 1 : 2, {}, true};
    instruction.operands[0].reg = a;
    instruction.operands[1].reg = b;
    chain.instructions.push_back(instruction);
    chain.dtypes.push_back(core::DType::f32);
  };
  Slot* shaped = nullptr;
  if (bias != nullptr) {
    // The bias with extents that broadcast along `axis`.
    shaped = builder.view(bias, [&] {
      Shape shape(x->shape.size() - axis, 1);
      shape[0] = x->shape[axis];
      return shape;
    }());
    inputs.push_back(shaped);
    chain.dtypes.push_back(core::DType::f32);
  }
  chain.inputs = int(inputs.size());
  if (bias != nullptr) add(PointwiseOp::add, 0, 1);
  const int last = int(chain.dtypes.size()) - 1, from = bias != nullptr ? last : 0;
  switch (activation) {
    case Activation::none:
      if (bias == nullptr) add(PointwiseOp::cast, 0, -1);
      break;
    case Activation::relu:
      add(PointwiseOp::relu, from, -1);
      break;
    case Activation::tanh:
      add(PointwiseOp::tanh, from, -1);
      break;
    case Activation::sigmoid:
      add(PointwiseOp::sigmoid, from, -1);
      break;
  }
  chain.outputs = {int(chain.dtypes.size()) - 1};
  return make_step(builder, chain, inputs, {y}, x->shape, x->layout);
}

std::unique_ptr<program::Step> join_pointwise(std::unique_ptr<program::Step>& first,
                                              std::unique_ptr<program::Step>& second) {
  auto* a = dynamic_cast<PointwiseStep*>(first.get());
  auto* b = dynamic_cast<PointwiseStep*>(second.get());
  if (a == nullptr || b == nullptr || !a->joins(*b)) return nullptr;
  a->take(*b);
  return std::move(first);
}

}  // namespace ostrich::cuda
