// The Builder: keeps every physical form of every value, the steps in order, and which storage each step touches; then
// gives every storage its address.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "cuda/builder.h"
#include "cuda/cuda_buffer.h"
#include "cuda/engine.h"

namespace ostrich::cuda {

// Where a kernel may find bad data: the node and what the number should have been below.
struct FaultSite {
  std::string label;
  FaultKind kind;
  int64_t limit;
};

// Storages that lie behind each other in one piece of device memory: 256-byte aligned places in the order of adding.
class Block {
 public:
  // Offset of `bytes` more.
  size_t add(size_t bytes) {
    const size_t offset = bytes_;
    bytes_ = (bytes_ + bytes + program::kArenaAlignment - 1) / program::kArenaAlignment * program::kArenaAlignment;
    return offset;
  }
  void allocate(std::shared_ptr<Context> context, const std::string& owner) {
    memory_ = DeviceMemory(std::move(context), bytes_, owner);
  }
  char* data() const { return memory_.data(); }
  size_t bytes() const { return bytes_; }

 private:
  size_t bytes_ = 0;
  DeviceMemory memory_;
};

class CudaBuilder : public Builder {
 public:
  // `recurrence`: see LibraryLayers.
  CudaBuilder(const program::ProgramSpec& spec, std::vector<std::shared_ptr<CudaBuffer>> state, Engine& engine,
              std::string recurrence = "");

  Context& context() override { return *engine_.context; }
  const Options& options() const override { return options_; }
  Gemm& gemm() override { return engine_.gemm; }
  Dnn& dnn() override { return engine_.dnn(); }
  Tuner& tuner() override { return engine_.tuner; }
  Kernel kernel(const char* file, const std::string& name) override { return engine_.kernels.get(file, name); }
  Fault* fault() override { return reinterpret_cast<Fault*>(results.data()); }
  int fault_site(const program::NodeSpec& node, FaultKind kind, int64_t limit) override;
  Slot* input(const program::NodeSpec& node, size_t index) override;
  Slot* with_layout(Slot* slot, const Layout& layout) override;
  Slot* output(const program::NodeSpec& node, size_t index, const Layout& layout) override;
  void alias(const program::NodeSpec& node, size_t index, Slot* source, size_t byte_offset) override;
  Slot* part(Slot* slot, core::DType dtype, const core::Shape& shape, size_t byte_offset) override;
  Slot* scratch(size_t bytes) override;
  Slot* table(size_t bytes) override;
  void fill_table(Slot* table, const void* contents, size_t bytes) override;

  // Runs every factory, plans fetches and assigns, joins small steps, and gives every storage its address. The parts
  // below are complete afterwards.
  void build();
  // Gives every storage of the arena its address there, and whatever holds addresses the new ones. To call before a
  // run: false where nothing has changed since the last call.
  bool follow_arena();

  using Placement::feeds;
  using Placement::fetches;
  using Placement::steps;
  std::vector<std::shared_ptr<CudaBuffer>> state;
  std::vector<FaultSite> fault_sites;
  Block inputs;   // all feeds
  Block results;  // the fault word, and all fetches behind it
  program::SharedArena::Share arena;
  size_t arena_floor = 0;

 private:
  bool has_home(size_t i) const override { return state[i]->has_home(); }
  void keep_home(size_t i) override { state[i]->keep_home(); }
  std::unique_ptr<program::Step> copy_step(program::Slot* source, program::Slot* target) override;
  Slot* scratch_like(const program::Slot* slot) override;
  Slot* assigned_form(int value, program::Slot* state) override;

  Slot* add_slot(int value, core::DType dtype, const core::Shape& shape, const Layout& layout, Storage* storage);
  Slot* add_constant_slot(int value, core::DType dtype, const core::Shape& shape);
  void add_sources();
  void add_constant(const program::Constant& constant);
  void add_fetches();
  void join_steps();
  void place();
  void give_addresses();

  Engine& engine_;
  Options options_;
  std::string recurrence_;
  std::deque<Slot> slots_;
  std::vector<std::vector<Slot*>> forms_;  // by value id
  char* placed_ = nullptr;                 // where the arena lay when the storages got their addresses
  Block constants_;                        // constants and tables
  std::vector<char> constant_data_;        // what goes there
};

}  // namespace ostrich::cuda
