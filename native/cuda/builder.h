// Builds a program for the device: factories ask the Builder for their inputs in the layout they want, declare their
// outputs, and return a Step. The Builder inserts reorders, keeps states in their home layout, and plans the arena.
// Addresses are known only after planning: `prepare` and `run` may use Slot::data, a factory may not.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/dtype.h"
#include "core/error.h"
#include "cuda/dnn.h"
#include "cuda/fault.h"
#include "cuda/gemm.h"
#include "cuda/kernel_library.h"
#include "cuda/layout.h"
#include "program/placement.h"

namespace ostrich::cuda {

using program::Place;
using program::Storage;

// One physical form of a logical value.
struct Slot : program::Slot {
  Layout layout;

  size_t bytes() const override { return size_t(layout.elements(shape)) * core::size_of(dtype); }
  bool lies_like(const program::Slot& other) const override { return layout == static_cast<const Slot&>(other).layout; }
  std::string lies() const override { return layout.to_string(shape); }
};

// One or a few launches.
class Step : public program::Step {
 public:
  // Once, when all addresses are known and before anything runs: fills tables. Must not launch.
  virtual void prepare() {}
  // Enqueues, and does nothing else: it is called once while the stream is captured (and once before that to warm up,
  // on an arena of arbitrary contents, where `is_library`).
  virtual void run(CUstream stream) = 0;

  bool is_library = false;  // calls cuBLASLt or cuDNN, which load and allocate on first use
};

struct Options {
  bool tf32 = false;           // of the program: f32 products may be rounded to tf32
  bool deterministic = false;  // of the device
};

class Builder : protected program::Placement {
 public:
  using Placement::add_step;
  using Placement::dtype;
  using Placement::homeless;
  using Placement::is_used;
  using Placement::joins;
  using Placement::may_fail;
  using Placement::Placement;
  using Placement::shape;
  virtual Context& context() = 0;
  virtual const Options& options() const = 0;
  virtual Gemm& gemm() = 0;
  virtual Dnn& dnn() = 0;
  virtual Tuner& tuner() = 0;
  // A kernel of `file`.cu.
  virtual Kernel kernel(const char* file, const std::string& name) = 0;
  // Device address of the program's fault word, for kernels that report bad data or honour it. Known from the start.
  virtual Fault* fault() = 0;
  // Number under which a kernel reports bad data of this node; the message is found by it.
  virtual int fault_site(const program::NodeSpec& node, FaultKind kind, int64_t limit) = 0;

  // An input in whatever layout it is.
  virtual Slot* input(const program::NodeSpec& node, size_t index) = 0;
  // The same value in another layout, perhaps behind a reorder. A state that has no home yet takes the layout asked for
  // as its home (without padding).
  virtual Slot* with_layout(Slot* slot, const Layout& layout) = 0;
  Slot* row_major(Slot* slot) { return with_layout(slot, Layout::row_major()); }

  // Declares output `index` of the node; the factory's step writes it. Padding must be written as zeros.
  virtual Slot* output(const program::NodeSpec& node, size_t index, const Layout& layout = {}) = 0;
  // Output `index` looks at the bytes of `source` (row-major both), `byte_offset` further on: no step needed.
  virtual void alias(const program::NodeSpec& node, size_t index, Slot* source, size_t byte_offset = 0) = 0;
  // Row-major elements of `dtype` within the bytes of a row-major slot, from `byte_offset` on.
  virtual Slot* part(Slot* slot, core::DType dtype, const core::Shape& shape, size_t byte_offset) = 0;
  // The same bytes with other extents.
  Slot* view(Slot* slot, const core::Shape& shape) { return part(slot, slot->dtype, shape, 0); }
  // Arena bytes that live only during the step that lists it in `writes`.
  virtual Slot* scratch(size_t bytes) = 0;
  // Device bytes of the program's own that hold `contents` from `fill_table` (called in prepare) on.
  virtual Slot* table(size_t bytes) = 0;
  virtual void fill_table(Slot* table, const void* contents, size_t bytes) = 0;
};

// Every kernel of ops.def has one: returns the step to run, or null when the outputs are aliases.
using Factory = std::unique_ptr<Step> (*)(Builder& builder, const program::NodeSpec& node);
#define OSTRICH_KERNEL(name, rule) std::unique_ptr<Step> make_##name(Builder& builder, const program::NodeSpec& node);
#include "program/ops.def"

// A step that copies a value between two layouts, padding with zeros; guarded. In kernels/reshape.cc.
std::unique_ptr<Step> make_copy(Builder& builder, Slot* source, Slot* target);

// Puts `step`, a pointwise step, and its successor into one launch where both are independent; null when they cannot
// be. In kernels/pointwise.cc.
std::unique_ptr<program::Step> join_pointwise(std::unique_ptr<program::Step>& first,
                                              std::unique_ptr<program::Step>& second);

}  // namespace ostrich::cuda
