// pointwise: a chain of instructions in one sweep over memory. Inputs and outputs have one physical layout, and the
// sweep is over its elements in physical order; or all are row-major, and inputs of fewer elements are broadcast.
#include <algorithm>
#include <optional>

#include "core/error.h"
#include "cpu/builder.h"
#include "cpu/denormals.h"
#include "cpu/kernels/broadcast.h"
#include "cpu/kernels/chain_plan.h"
#include "cpu/parallel.h"

namespace ostrich::cpu {
namespace {

using program::Chain;
using program::NodeSpec;
using program::PointwiseOp;

constexpr int kMaxPlaces = 1024;

class PointwiseStep : public Step {
 public:
  PointwiseStep(ChainPlan plan, int64_t elements, const std::vector<Slot*>& inputs, const std::vector<Slot*>& outputs,
                const std::vector<Access>& access, std::optional<Broadcast> broadcast)
      : plan_(std::move(plan)), elements_(elements), broadcast_(std::move(broadcast)) {
    OSTRICH_CHECK(plan_.places() <= kMaxPlaces && plan_.block >= 16);
    reads.assign(inputs.begin(), inputs.end());
    writes.assign(outputs.begin(), outputs.end());
    for (size_t i = 0; i < reads.size(); ++i) {
      size_of_.push_back(access[i] == Access::linear ? core::size_of(reads[i]->dtype) : 0);
    }
    for (const program::Slot* slot : writes) size_of_.push_back(core::size_of(slot->dtype));
    for (const auto& [k, i] : plan_.in_place) in_place.push_back({writes[size_t(k)], reads[size_t(i)]});
    // Functions cost about as much as six plain instructions.
    int64_t cost = int64_t(plan_.loads.size()) + 2;
    for (const BlockOp& op : plan_.body) cost += is_function(op.fn) ? 6 : 1;
    grain_ = std::max<int64_t>(4096, 131072 / cost);
    detail = std::to_string(plan_.prologue.size()) + "+" + std::to_string(plan_.body.size()) + " loops, " +
             std::to_string(plan_.buffers) + " buffers, " + simd::table().isa;
  }

  void run(RunContext& context) override {
    char* places[kMaxPlaces];
    size_t place = 0;
    for (const program::Slot* slot : reads) places[place++] = slot->data<char>();
    for (const program::Slot* slot : writes) places[place++] = slot->data<char>();
    for (uint32_t& bits : plan_.uniforms) places[place++] = reinterpret_cast<char*>(&bits);
    run_prologue(places);
    if (plan_.body.empty()) return;
    parallel_for(context.threads, elements_, grain_, [&](int64_t begin, int64_t end) { sweep(places, begin, end); });
  }

 private:
  static bool is_function(simd::BlockFn fn) {
    for (PointwiseOp op :
         {PointwiseOp::exp, PointwiseOp::expm1, PointwiseOp::log, PointwiseOp::tanh, PointwiseOp::sigmoid,
          PointwiseOp::pow, PointwiseOp::sin, PointwiseOp::cos, PointwiseOp::rsqrt, PointwiseOp::sqrt, PointwiseOp::div,
          PointwiseOp::erf, PointwiseOp::gelu, PointwiseOp::geluTanh, PointwiseOp::silu, PointwiseOp::softplus}) {
      const simd::BlockFn* row = simd::table().pointwise[1][int(op)];
      if (std::find(row, row + 4, fn) != row + 4) return true;
    }
    return false;
  }

  // Apart from the loop over the cores: threads that it starts would inherit what is set here.
  void run_prologue(char* const* places) const {
    const FlushDenormals flush;
    for (const BlockOp& op : plan_.prologue) op.fn(places[op.y], places[op.a], places[op.b], places[op.c], 1);
  }

  void sweep(char* const* shared_places, int64_t begin, int64_t end) const {
    const FlushDenormals flush;
    alignas(64) float buffers[kBufferFloats];
    char* places[kMaxPlaces];
    const size_t moving = size_of_.size(), fixed = size_t(plan_.buffer_place(0));
    for (size_t i = 0; i < moving; ++i) places[i] = shared_places[i] + size_t(begin) * size_of_[i];
    std::copy(shared_places + moving, shared_places + fixed, places + moving);
    for (int i = 0; i < plan_.buffers; ++i) {
      places[fixed + size_t(i)] = reinterpret_cast<char*>(buffers + int64_t(i) * plan_.block);
    }
    for (int64_t at = begin; at < end; at += plan_.block) {
      const int64_t n = std::min(plan_.block, end - at);
      for (size_t i = 0; i < plan_.loads.size(); ++i) load(i, shared_places, places, at, n);
      for (const BlockOp& op : plan_.body) op.fn(places[op.y], places[op.a], places[op.b], places[op.c], n);
      for (size_t i = 0; i < moving; ++i) places[i] += size_t(n) * size_of_[i];
    }
  }

  void load(size_t i, char* const* shared_places, char* const* places, int64_t at, int64_t n) const {
    const auto& [input, place] = plan_.loads[i];
    const core::DType dtype = reads[size_t(input)]->dtype;
    const simd::Table& table = simd::table();
    broadcast_->load(i, loader_of(dtype, table), table.fill4, shared_places[input], core::size_of(dtype), places[place],
                     at, n);
  }

  ChainPlan plan_;
  const int64_t elements_;
  const std::optional<Broadcast> broadcast_;
  std::vector<size_t> size_of_;  // bytes that an input's or output's place moves for each element
  int64_t grain_;
};

// The layout that all inputs of the output's shape share: that of the first one that is not row-major, states first, so
// that an optimiser runs on its weights as they lie. Row-major where anything else is broadcast, where padding would
// not stay zero, and where most inputs are, none of them a state: fewer are then copied.
Layout choose_layout(Builder& builder, const Chain& chain, const std::vector<Slot*>& inputs, const core::Shape& shape) {
  const Layout plain = Layout::row_major(shape);
  const Slot* leader = nullptr;
  size_t plain_inputs = 0, other_inputs = 0;
  std::vector<bool> uniform;
  for (const Slot* slot : inputs) {
    uniform.push_back(slot->shape != shape);
    if (slot->shape != shape) {
      if (core::count(slot->shape) != 1) return plain;
      continue;
    }
    if (builder.homeless(slot)) continue;
    ++(slot->layout.is_row_major() ? plain_inputs : other_inputs);
    if (slot->layout.is_row_major()) continue;
    const bool is_state = slot->storage->place == Place::state;
    if (leader == nullptr || (is_state && leader->storage->place != Place::state)) leader = slot;
  }
  if (leader == nullptr) return plain;
  if (plain_inputs > other_inputs && leader->storage->place != Place::state) return plain;
  if (leader->layout.has_padding() && !keeps_zero(chain, uniform, simd::table())) return plain;
  return leader->layout;
}

// Row-major inputs of fewer elements than the output, for the broadcasting loader; in the order of plan.loads.
std::optional<Broadcast> make_broadcast(const std::vector<Slot*>& inputs, const std::vector<Access>& access,
                                        const core::Shape& shape) {
  std::vector<core::Shape> shapes;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (access[i] == Access::broadcast) shapes.push_back(inputs[i]->shape);
  }
  if (shapes.empty()) return std::nullopt;
  return Broadcast(shape, shapes);
}

// By input: the first one that lies in the same memory; -1 where an output must not be written over the input, because
// another input reads that memory at other elements.
std::vector<int> lenders(const std::vector<Slot*>& inputs, const std::vector<Access>& access) {
  std::vector<int> first;
  for (const Slot* slot : inputs) {
    int group = -1;
    for (size_t j = inputs.size(); j-- > 0;) {
      if (inputs[j]->storage != slot->storage) continue;
      const bool together = access[j] == Access::linear && inputs[j]->offset == slot->offset;
      group = together ? int(j) : -1;
      if (!together) break;
    }
    first.push_back(group);
  }
  return first;
}

}  // namespace

std::unique_ptr<Step> make_pointwise(Builder& builder, const NodeSpec& node) {
  std::vector<Slot*> inputs;
  std::vector<core::DType> dtypes;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    inputs.push_back(builder.input(node, i));
    dtypes.push_back(inputs[i]->dtype);
  }
  const Chain chain = program::parse_chain(node, dtypes);
  const core::Shape& shape = builder.shape(node, 0);
  const Layout layout = choose_layout(builder, chain, inputs, shape);
  const bool row_major = layout.is_row_major();
  const int64_t elements = layout.elements();

  std::vector<Access> access;
  for (Slot*& slot : inputs) {
    const int64_t count = core::count(slot->shape);
    slot = row_major || slot->shape != shape ? builder.row_major(slot) : builder.with_layout(slot, layout);
    const bool full = count == core::count(shape);
    access.push_back(full ? Access::linear : count == 1 ? Access::uniform : Access::broadcast);
  }
  std::vector<Slot*> outputs;
  for (size_t k = 0; k < node.outputs.size(); ++k) outputs.push_back(builder.output(node, k, layout));

  ChainPlan plan = plan_chain(chain, access, lenders(inputs, access), elements == 1, simd::table());
  return std::make_unique<PointwiseStep>(std::move(plan), elements, inputs, outputs, access,
                                         make_broadcast(inputs, access, shape));
}

}  // namespace ostrich::cpu
