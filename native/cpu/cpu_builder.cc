#include "cpu/cpu_builder.h"

#include <algorithm>
#include <unordered_map>

#include "cpu/onednn.h"

namespace ostrich::cpu {

using core::DType;
using dnnl::memory;
using program::NodeSpec;

namespace {

const std::unordered_map<std::string, Factory>& factories() {
  static const std::unordered_map<std::string, Factory> table = {
#define OSTRICH_KERNEL(name, rule) {#name, make_##name},
#include "program/ops.def"
  };
  return table;
}

}  // namespace

Slot* Builder::output(const NodeSpec& node, size_t index) {
  return output(node, index, Layout{});  // an empty layout stands for row-major
}

CpuBuilder::CpuBuilder(const program::ProgramSpec& program, std::vector<std::shared_ptr<CpuBuffer>> buffers,
                       const dnnl::engine& engine, int threads)
    : Builder(program), state(std::move(buffers)), engine_(engine), threads_(threads), forms_(program.values.size()) {
  add_sources();
}

void CpuBuilder::add_sources() {
  for (const auto& feed : spec.feeds) {
    const auto& value = spec.values[size_t(feed.value)];
    const size_t bytes = size_t(core::count(value.shape)) * core::size_of(value.dtype);
    feeds.push_back(add_slot(feed.value, value.dtype, Layout::row_major(value.shape), add_storage(Place::feed, bytes)));
  }
  for (size_t i = 0; i < spec.states.size(); ++i) {
    Storage* storage = add_storage(Place::state, state[i]->bytes());
    states.push_back(add_slot(spec.states[i].value, state[i]->spec().dtype, state[i]->layout(), storage));
  }
  for (const auto& constant : spec.constants) add_constant(constant);
}

void CpuBuilder::add_constant(const program::Constant& constant) {
  const auto& value = spec.values[size_t(constant.value)];
  const size_t bytes = size_t(core::count(value.shape)) * core::size_of(value.dtype);
  const bool zero = constant.data.size() == 1 && constant.data[0] == 0;
  AlignedMemory& data =
      constants_.emplace_back(zero ? AlignedMemory::zeros(bytes, "constant") : AlignedMemory(bytes, "constant"));
  if (!zero) program::write_constant(constant, value, data.data());
  Storage* storage = add_storage(Place::constant, bytes);
  storage->data = data.data();
  add_slot(constant.value, value.dtype, Layout::row_major(value.shape), storage);
}

Slot* CpuBuilder::add_slot(int value, DType dtype, const Layout& layout, Storage* storage) {
  Slot& slot = slots_.emplace_back();
  slot.dtype = dtype;
  slot.shape = layout.dims;
  slot.layout = layout;
  slot.storage = storage;
  slot.value = value;
  if (layout.is_row_major()) slot.desc = row_major_desc(dtype, layout.dims);
  if (value >= 0) forms_[size_t(value)].push_back(&slot);
  return &slot;
}

Slot* CpuBuilder::add_desc_slot(int value, const memory::desc& desc) {
  Slot* slot =
      add_slot(value, core_type(desc.get_data_type()), Layout::of(desc), add_storage(Place::arena, desc.get_size()));
  slot->desc = desc;
  return slot;
}

Slot* CpuBuilder::input(const NodeSpec& node, size_t index) {
  const int value = node.inputs[index];
  return form(value, spec.values[size_t(value)].dtype);
}

Slot* CpuBuilder::form(int value, DType dtype) {
  const auto& forms = forms_[size_t(value)];
  for (Slot* slot : forms) {
    if (slot->dtype == dtype) return slot;
  }
  OSTRICH_CHECK(!forms.empty());
  Slot* source = forms.front();
  return convert(source, dtype, source->layout, {});
}

Slot* CpuBuilder::row_major(Slot* slot) {
  keep_home_of(slot);
  if (slot->layout.is_row_major()) return slot;
  return with_desc(slot, row_major_desc(slot->dtype, slot->shape));
}

Slot* CpuBuilder::with_desc(Slot* slot, const memory::desc& desc) {
  const DType dtype = core_type(desc.get_data_type());
  Layout layout = Layout::of(desc);
  if (slot->shape.empty()) layout = Layout::row_major({});
  // The home is settled before anything reads it: a copy that is planned from a state remembers where its elements lie.
  if (homeless(slot)) adopt_home(slot, layout, slot->dtype == dtype ? desc : find_desc(slot->dtype, layout));
  Slot* form = convert(slot, dtype, layout, desc);
  // A form that a loop made is known by its layout alone.
  if (form->desc.is_zero()) form->desc = desc;
  return form;
}

Slot* CpuBuilder::with_layout(Slot* slot, const Layout& layout) {
  if (homeless(slot)) adopt_home(slot, layout, {});
  return convert(slot, slot->dtype, layout, {});
}

// The form of `source` in this type and layout: an existing one, or a new one behind a copy step.
Slot* CpuBuilder::convert(Slot* source, DType dtype, const Layout& layout, const memory::desc& desc) {
  const auto fits = [&](const Slot* slot) { return slot->dtype == dtype && slot->layout == layout; };
  if (fits(source)) return source;
  OSTRICH_CHECK(source->value >= 0);
  const auto& forms = forms_[size_t(source->value)];
  const auto known = std::find_if(forms.begin(), forms.end(), fits);
  if (known != forms.end()) return *known;
  if (source->dtype != dtype && source->layout != layout && is_copied_slowly(*this, source, desc))
    source = convert(source, dtype, source->layout, {});
  Slot* target = desc.is_zero() ? add_slot(source->value, dtype, layout,
                                           add_storage(Place::arena, size_t(layout.elements()) * core::size_of(dtype)))
                                : add_desc_slot(source->value, desc);
  add_copy(source, target, "reorder");
  return target;
}

void CpuBuilder::adopt_home(Slot* slot, const Layout& layout, const memory::desc& desc) {
  CpuBuffer* buffer = state[size_t(state_of(slot))].get();
  buffer->set_home(layout);
  slot->layout = layout;
  slot->desc = layout.is_row_major() ? row_major_desc(slot->dtype, slot->shape) : desc;
  slot->storage->bytes = buffer->bytes();
}

Slot* CpuBuilder::output(const NodeSpec& node, size_t index, const memory::desc& desc) {
  return add_desc_slot(node.outputs[index], desc);
}

Slot* CpuBuilder::output(const NodeSpec& node, size_t index, const Layout& layout) {
  const auto& value = spec.values[size_t(node.outputs[index])];
  const Layout& chosen = layout.dims.empty() ? Layout::row_major(value.shape) : layout;
  const size_t bytes = size_t(chosen.elements()) * core::size_of(value.dtype);
  return add_slot(node.outputs[index], value.dtype, chosen, add_storage(Place::arena, bytes));
}

void CpuBuilder::alias(const NodeSpec& node, size_t index, Slot* source, size_t byte_offset) {
  OSTRICH_CHECK(source->layout.is_row_major());
  keep_home_of(source);
  const auto& value = spec.values[size_t(node.outputs[index])];
  Slot* slot = add_slot(node.outputs[index], value.dtype, Layout::row_major(value.shape), source->storage);
  slot->offset = source->offset + byte_offset;
}

Slot* CpuBuilder::scratch(size_t bytes) {
  return add_slot(-1, DType::u8, Layout::row_major({int64_t(bytes)}), add_storage(Place::arena, bytes));
}

std::unique_ptr<program::Step> CpuBuilder::copy_step(program::Slot* source, program::Slot* target) {
  return make_copy(*this, static_cast<Slot*>(source), static_cast<Slot*>(target));
}

Slot* CpuBuilder::scratch_like(const program::Slot* slot) {
  const auto* given = static_cast<const Slot*>(slot);
  Slot* copy = add_slot(-1, given->dtype, given->layout, add_storage(Place::arena, given->bytes()));
  copy->desc = given->desc;
  return copy;
}

Slot* CpuBuilder::assigned_form(int value, program::Slot* target) {
  Slot *home = static_cast<Slot*>(target), *source = form(value, home->dtype);
  if (homeless(home)) adopt_home(home, source->layout, source->desc);
  for (Slot* known : forms_[size_t(value)]) {
    if (known->dtype == home->dtype && known->layout == home->layout) source = known;
  }
  return source;
}

// Fetches leave row-major.
void CpuBuilder::add_fetches() {
  for (const auto& fetch : spec.fetches) {
    const auto& value = spec.values[size_t(fetch.value)];
    program::Slot* slot = row_major(form(fetch.value, value.dtype));
    // The caller gets the value from before the run, which an assign may be about to replace.
    fetches.push_back(slot->storage->place == Place::state ? saved(slot) : slot);
  }
}

void CpuBuilder::build() {
  for (const NodeSpec& node : spec.nodes) {
    current_ = &node;
    try {
      std::unique_ptr<Step> step = factories().at(node.op)(*this, node);
      if (step == nullptr) continue;
      step->op = node.op;
      step->path = node.path;
      add_step(std::move(step));
    } catch (const dnnl::error& error) {
      const char* code = error.status == dnnl_out_of_memory ? "ERR_OUT_OF_MEMORY" : "ERR_INTERNAL";
      core::fail(code, node.label(), ": oneDNN refused the primitive: ", error.what());
    }
  }
  current_ = nullptr;
  add_fetches();
  add_assigns();
  for (const auto& buffer : state) buffer->keep_home();
}

void CpuBuilder::place(char* arena) {
  for (Storage& storage : storages) {
    if (storage.place == Place::arena) storage.data = arena + storage.arena_offset;
  }
  for (size_t i = 0; i < state.size(); ++i) states[i]->storage->data = state[i]->data();
}

}  // namespace ostrich::cpu
