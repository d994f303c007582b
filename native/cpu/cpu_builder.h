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
  bool homeless(const Slot* slot) const override;
  using Builder::output;
  Slot* output(const program::NodeSpec& node, size_t index, const dnnl::memory::desc& desc) override;
  Slot* output(const program::NodeSpec& node, size_t index, const Layout& layout) override;
  Slot* opaque_output(const program::NodeSpec& node, size_t index, const dnnl::memory::desc& desc) override;
  Slot* opaque_input(const program::NodeSpec& node, size_t index) override;
  const core::Shape& shape(const program::NodeSpec& node, size_t index) const override;
  void alias(const program::NodeSpec& node, size_t index, Slot* source, size_t byte_offset) override;
  Slot* scratch(size_t bytes) override;
  bool is_used(const program::NodeSpec& node, size_t index) const override;

  // Runs every factory, then plans assigns and fetches. The parts below are complete afterwards.
  void build();

  const program::ProgramSpec& spec;
  std::vector<std::shared_ptr<CpuBuffer>> state;
  std::deque<Slot> slots;
  std::deque<Storage> storages;
  std::vector<std::unique_ptr<Step>> steps;
  std::vector<Slot*> feeds, states, fetches;  // in program order; feeds and fetches are row-major
  std::vector<AlignedMemory> constants;

 private:
  Slot* form(int value, core::DType dtype);  // a form of the value in this element type
  Slot* add_slot(int value, core::DType dtype, const Layout& layout, Storage* storage);
  Slot* add_desc_slot(int value, const dnnl::memory::desc& desc);
  Storage* add_storage(Place place, size_t bytes);
  void add_sources();
  void add_constant(const program::Constant& constant);
  void adopt_home(Slot* slot, const Layout& layout, const dnnl::memory::desc& desc);
  CpuBuffer* buffer_of(const Slot* slot) const;
  Slot* convert(Slot* source, core::DType dtype, const Layout& layout, const dnnl::memory::desc& desc);
  void add_copy(Slot* source, Slot* target, const char* why);
  void add_fetches();
  void add_assigns();
  bool merge_into_state(Slot* value, Slot* state_slot);

  dnnl::engine engine_;
  int threads_;
  std::vector<std::vector<Slot*>> forms_;  // by value id
  std::vector<bool> used_;                 // by value id
  const program::NodeSpec* current_ = nullptr;
};

// A step that copies between two layouts (or two element types) of one value.
std::unique_ptr<Step> make_copy(Builder& builder, Slot* source, Slot* target);

}  // namespace ostrich::cpu
