// The Builder: keeps every physical form of every value, the steps in order, and which storage each step touches.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "cpu/builder.h"
#include "cpu/cpu_buffer.h"

namespace ostrich::cpu {

class CpuBuilder : public Builder {
 public:
  CpuBuilder(const program::ProgramSpec& spec, std::vector<std::shared_ptr<CpuBuffer>> state,
             const dnnl::engine& engine, int threads);

  const dnnl::engine& engine() const override { return engine_; }
  int threads() const override { return threads_; }
  Slot* input(const program::NodeSpec& node, size_t index) override;
  Slot* row_major(Slot* slot) override;
  Slot* with_desc(Slot* slot, const dnnl::memory::desc& desc) override;
  Slot* with_layout(Slot* slot, const Layout& layout) override;
  using Builder::output;
  Slot* output(const program::NodeSpec& node, size_t index, const dnnl::memory::desc& desc) override;
  Slot* output(const program::NodeSpec& node, size_t index, const Layout& layout) override;
  void alias(const program::NodeSpec& node, size_t index, Slot* source, size_t byte_offset) override;
  Slot* scratch(size_t bytes) override;

  // Runs every factory, then plans fetches and assigns. The parts below are complete afterwards.
  void build();
  // Gives every storage of the arena and of the states its address.
  void place(char* arena);

  using Placement::feeds;
  using Placement::fetches;
  using Placement::states;
  using Placement::steps;
  std::vector<std::shared_ptr<CpuBuffer>> state;

 private:
  bool has_home(size_t i) const override { return state[i]->has_home(); }
  void keep_home(size_t i) override { state[i]->keep_home(); }
  std::unique_ptr<program::Step> copy_step(program::Slot* source, program::Slot* target) override;
  Slot* scratch_like(const program::Slot* slot) override;
  Slot* assigned_form(int value, program::Slot* state) override;

  Slot* form(int value, core::DType dtype);  // a form of the value in this element type
  Slot* add_slot(int value, core::DType dtype, const Layout& layout, Storage* storage);
  Slot* add_desc_slot(int value, const dnnl::memory::desc& desc);
  void add_sources();
  void add_constant(const program::Constant& constant);
  void adopt_home(Slot* slot, const Layout& layout, const dnnl::memory::desc& desc);
  Slot* convert(Slot* source, core::DType dtype, const Layout& layout, const dnnl::memory::desc& desc);
  void add_fetches();

  dnnl::engine engine_;
  int threads_;
  std::vector<std::vector<Slot*>> forms_;  // by value id
  std::deque<Slot> slots_;
  std::vector<AlignedMemory> constants_;
};

// A step that copies between two layouts (or two element types) of one value.
std::unique_ptr<Step> make_copy(Builder& builder, Slot* source, Slot* target);
// Whether one step that changes layout and element type at once would go element by element.
bool is_copied_slowly(Builder& builder, const Slot* source, const dnnl::memory::desc& to);

}  // namespace ostrich::cpu
