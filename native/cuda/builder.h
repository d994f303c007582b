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
#include "program/program_spec.h"
#include "program/storage.h"

namespace ostrich::cuda {

using program::Place;
using program::Storage;

// One physical form of a logical value.
struct Slot {
  core::DType dtype;
  core::Shape shape;
  Layout layout;
  Storage* storage = nullptr;
  size_t offset = 0;  // bytes from the start of the storage
  int value = -1;     // the logical value that this is a form of; -1 for scratch

  template <typename T>
  T* data() const {
    return reinterpret_cast<T*>(storage->root()->data + offset);
  }
  size_t bytes() const { return size_t(layout.elements(shape)) * core::size_of(dtype); }
};

// One or a few launches. `reads` and `writes` decide lifetimes in the arena; scratch lives only while the step runs.
class Step {
 public:
  virtual ~Step() = default;
  // Once, when all addresses are known and before anything runs: fills tables. Must not launch.
  virtual void prepare() {}
  // Enqueues, and does nothing else: it is called once while the stream is captured (and once before that to warm up,
  // on an arena of arbitrary contents, where `is_library`).
  virtual void run(CUstream stream) = 0;

  std::vector<Slot*> reads, writes;
  // Pairs (write, read) where writing over the read is safe: element i of the write depends on no other element of the
  // read.
  std::vector<std::pair<Slot*, Slot*>> in_place;
  std::string op, path, detail;  // for explain and profile; detail names the implementation chosen
  bool is_library = false;       // calls cuBLASLt or cuDNN, which load and allocate on first use
  // Every write is skipped once the program's fault word is set (fault.h): only such steps may write into a state.
  bool is_guarded = false;
};

struct Options {
  bool tf32 = false;           // of the program: f32 products may be rounded to tf32
  bool deterministic = false;  // of the device
};

class Builder {
 public:
  virtual ~Builder() = default;
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
  // True for a state whose home layout is still open.
  virtual bool homeless(const Slot* slot) const = 0;

  // Declares output `index` of the node; the factory's step writes it. Padding must be written as zeros.
  virtual Slot* output(const program::NodeSpec& node, size_t index, const Layout& layout = {}) = 0;
  // Extents of output `index`.
  virtual const core::Shape& shape(const program::NodeSpec& node, size_t index) const = 0;
  virtual core::DType dtype(const program::NodeSpec& node, size_t index) const = 0;
  // Output `index` looks at the bytes of `source` (row-major both), `byte_offset` further on: no step needed.
  virtual void alias(const program::NodeSpec& node, size_t index, Slot* source, size_t byte_offset = 0) = 0;
  // The same bytes with other extents of the same count, both row-major.
  virtual Slot* view(Slot* slot, const core::Shape& shape) = 0;
  // Arena bytes that live only during the step that lists it in `writes`.
  virtual Slot* scratch(size_t bytes) = 0;
  // Device bytes of the program's own that hold `contents` from `fill_table` (called in prepare) on.
  virtual Slot* table(size_t bytes) = 0;
  virtual void fill_table(Slot* table, const void* contents, size_t bytes) = 0;
  // False when nothing reads output `index` (no node, assign or fetch), so that a factory may skip computing it.
  virtual bool is_used(const program::NodeSpec& node, size_t index) const = 0;
};

// Every kernel of ops.def has one: returns the step to run, or null when the outputs are aliases.
using Factory = std::unique_ptr<Step> (*)(Builder& builder, const program::NodeSpec& node);
#define OSTRICH_KERNEL(name, rule) std::unique_ptr<Step> make_##name(Builder& builder, const program::NodeSpec& node);
#include "program/ops.def"

// A step that copies a value between two layouts, padding with zeros; guarded. In kernels/reshape.cc.
std::unique_ptr<Step> make_copy(Builder& builder, Slot* source, Slot* target);

// Puts `step`, a pointwise step, and its successor into one launch where both are independent; null when they cannot
// be. In kernels/pointwise.cc.
std::unique_ptr<Step> join_pointwise(Builder& builder, std::unique_ptr<Step>& first, std::unique_ptr<Step>& second);

}  // namespace ostrich::cuda
