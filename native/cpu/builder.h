// Builds a program for the CPU: factories ask the Builder for their inputs in the layout they want, declare their
// outputs, and return a Step. The Builder inserts reorders, keeps states in their home layout, and plans the arena.
#pragma once

#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <utility>

#include "core/error.h"
#include "cpu/layout.h"
#include "program/placement.h"

namespace ostrich::cpu {

using program::Place;
using program::Storage;

// One physical form of a logical value.
struct Slot : program::Slot {
  Layout layout;
  // oneDNN's description of this slot; a zero desc where only our own kernels know the layout.
  dnnl::memory::desc desc;

  size_t bytes() const override { return size_t(layout.elements()) * core::size_of(dtype); }
  bool lies_like(const program::Slot& other) const override { return layout == static_cast<const Slot&>(other).layout; }
  std::string lies() const override { return layout.to_string(); }
};

// What run() may use besides its slots.
struct RunContext {
  dnnl::stream& stream;
  int threads;
};

class Step : public program::Step {
 public:
  Step() { is_guarded = true; }  // bad data is an exception: no later step runs
  virtual void run(RunContext& context) = 0;
};

class Builder : protected program::Placement {
 public:
  using Placement::add_step;
  using Placement::homeless;
  using Placement::is_used;
  using Placement::joins;
  using Placement::may_fail;
  using Placement::Placement;
  using Placement::shape;
  virtual const dnnl::engine& engine() const = 0;
  virtual int threads() const = 0;

  // Inputs in the element type of the program, in whatever layout they are.
  virtual Slot* input(const program::NodeSpec& node, size_t index) = 0;
  // The same value in another layout: itself where it already has it, else a (cached) reorder. A state that has no home
  // yet takes the layout asked for as its home. `with_desc` converts the element type too, where it differs.
  virtual Slot* row_major(Slot* slot) = 0;
  virtual Slot* with_desc(Slot* slot, const dnnl::memory::desc& desc) = 0;
  virtual Slot* with_layout(Slot* slot, const Layout& layout) = 0;

  // Declares output `index` of the node; the factory's step writes it. `desc` may widen the element type (bf16 computed
  // in f32): readers that ask for the program's type get a converted form.
  virtual Slot* output(const program::NodeSpec& node, size_t index, const dnnl::memory::desc& desc) = 0;
  virtual Slot* output(const program::NodeSpec& node, size_t index, const Layout& layout) = 0;
  Slot* output(const program::NodeSpec& node, size_t index);  // row-major
  // Output `index` looks at the bytes of `source` (row-major both), `byte_offset` further on: no step needed.
  virtual void alias(const program::NodeSpec& node, size_t index, Slot* source, size_t byte_offset = 0) = 0;
  // Arena bytes that live only during the step that lists it in `writes`.
  virtual Slot* scratch(size_t bytes) = 0;
};

// Every kernel of ops.def has one: returns the step to run, or null when the outputs are aliases.
using Factory = std::unique_ptr<Step> (*)(Builder& builder, const program::NodeSpec& node);
#define OSTRICH_KERNEL(name, rule) std::unique_ptr<Step> make_##name(Builder& builder, const program::NodeSpec& node);
#include "program/ops.def"

}  // namespace ostrich::cpu
