// Builds a program for the CPU: factories ask the Builder for their inputs in the layout they want, declare their
// outputs, and return a Step. The Builder inserts reorders, keeps states in their home layout, and plans the arena.
#pragma once

#include <any>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "cpu/layout.h"
#include "program/program_spec.h"

namespace ostrich::cpu {

enum class Place : uint8_t { arena, state, feed, constant };

// A range of bytes that one or more slots look at. `data` is set when the arena is planned; a feed's is set at each
// run.
struct Storage {
  Place place = Place::arena;
  size_t bytes = 0;
  char* data = nullptr;
  size_t arena_offset = 0;
  Storage* merged = nullptr;  // storage that this one was folded into (in place)

  // Where the bytes really are, after all foldings.
  Storage* root() { return merged == nullptr ? this : merged->root(); }
};

// One physical form of a logical value.
struct Slot {
  core::DType dtype;
  core::Shape shape;
  Layout layout;
  Storage* storage = nullptr;
  size_t offset = 0;  // bytes from the start of the storage

  template <typename T>
  T* data() const {
    return reinterpret_cast<T*>(storage->root()->data + offset);
  }
  // oneDNN's description of this slot; a zero desc where only our own kernels know the layout.
  dnnl::memory::desc desc;
  int value = -1;  // the logical value that this is a form of; -1 for scratch
  std::any hint;   // what the producer leaves for its gradient's factory (a forward primitive descriptor)
};

// What run() may use besides its slots.
struct RunContext {
  dnnl::stream& stream;
  int threads;
};

// One launch. `reads` and `writes` decide lifetimes in the arena; scratch lives only while the step runs.
class Step {
 public:
  virtual ~Step() = default;
  virtual void run(RunContext& context) = 0;

  std::vector<Slot*> reads, writes;
  // Pairs (write, read) where writing over the read is safe: element i of the write depends on no other element of the
  // read.
  std::vector<std::pair<Slot*, Slot*>> in_place;
  std::string op, path, detail;  // for explain and profile; detail names the implementation chosen
};

class Builder {
 public:
  virtual ~Builder() = default;
  virtual const dnnl::engine& engine() const = 0;
  virtual int threads() const = 0;

  // Inputs in the element type of the program, in whatever layout they are.
  virtual Slot* input(const program::NodeSpec& node, size_t index) = 0;
  // The same value in another layout: itself where it already has it, else a (cached) reorder. A state that has no home
  // yet takes the layout asked for as its home. `with_desc` converts the element type too, where it differs.
  virtual Slot* row_major(Slot* slot) = 0;
  virtual Slot* with_desc(Slot* slot, const dnnl::memory::desc& desc) = 0;
  virtual Slot* with_layout(Slot* slot, const Layout& layout) = 0;
  // True for a state whose home layout is still open (so `any` may choose it).
  virtual bool homeless(const Slot* slot) const = 0;

  // Declares output `index` of the node; the factory's step writes it. `desc` may widen the element type (bf16 computed
  // in f32): readers that ask for the program's type get a converted form.
  virtual Slot* output(const program::NodeSpec& node, size_t index, const dnnl::memory::desc& desc) = 0;
  virtual Slot* output(const program::NodeSpec& node, size_t index, const Layout& layout) = 0;
  Slot* output(const program::NodeSpec& node, size_t index);  // row-major
  // An output that only its own gradient reads (a pooling's index): bytes as the primitive lays them out, never
  // converted.
  virtual Slot* opaque_output(const program::NodeSpec& node, size_t index, const dnnl::memory::desc& desc) = 0;
  virtual Slot* opaque_input(const program::NodeSpec& node, size_t index) = 0;
  // Extents of output `index`.
  virtual const core::Shape& shape(const program::NodeSpec& node, size_t index) const = 0;
  // Output `index` looks at the bytes of `source` (row-major both), `byte_offset` further on: no step needed.
  virtual void alias(const program::NodeSpec& node, size_t index, Slot* source, size_t byte_offset = 0) = 0;
  // Arena bytes that live only during the step that lists it in `writes`.
  virtual Slot* scratch(size_t bytes) = 0;
  // False when nothing reads output `index` (no node, assign or fetch), so that a factory may skip computing it.
  virtual bool is_used(const program::NodeSpec& node, size_t index) const = 0;
};

// Every kernel of ops.def has one: returns the step to run, or null when the outputs are aliases.
using Factory = std::unique_ptr<Step> (*)(Builder& builder, const program::NodeSpec& node);
#define OSTRICH_KERNEL(name, rule) std::unique_ptr<Step> make_##name(Builder& builder, const program::NodeSpec& node);
#include "program/ops.def"

}  // namespace ostrich::cpu
