// See cuda_builder.h; how a program ends (fetches, assigns, addresses) is in placement.cc.
#include "cuda/cuda_builder.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "cuda/library_layers.h"

namespace ostrich::cuda {

using core::DType;
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

CudaBuilder::CudaBuilder(const program::ProgramSpec& program, std::vector<std::shared_ptr<CudaBuffer>> buffers,
                         Engine& engine, std::string recurrence)
    : Builder(program),
      state(std::move(buffers)),
      engine_(engine),
      options_{program.tf32, engine.deterministic},
      recurrence_(std::move(recurrence)),
      forms_(program.values.size()) {
  add_sources();
}

void CudaBuilder::add_sources() {
  for (const auto& feed : spec.feeds) {
    const auto& value = spec.values[size_t(feed.value)];
    Storage* storage = add_storage(Place::feed, size_t(core::count(value.shape)) * core::size_of(value.dtype));
    storage->arena_offset = inputs.add(storage->bytes);
    feeds.push_back(add_slot(feed.value, value.dtype, value.shape, {}, storage));
  }
  for (size_t i = 0; i < spec.states.size(); ++i) {
    const auto& buffer = *state[i];
    Storage* storage = add_storage(Place::state, buffer.bytes());
    storage->data = buffer.data();
    states.push_back(
        add_slot(spec.states[i].value, buffer.spec().dtype, buffer.spec().shape, buffer.layout(), storage));
  }
  for (const auto& constant : spec.constants) add_constant(constant);
  results.add(sizeof(Fault));
  for (const auto& fetch : spec.fetches) {
    const auto& value = spec.values[size_t(fetch.value)];
    Storage* storage = add_storage(Place::fetch, size_t(core::count(value.shape)) * core::size_of(value.dtype));
    storage->arena_offset = results.add(storage->bytes);
    fetches.push_back(add_slot(-1, value.dtype, value.shape, {}, storage));
  }
  inputs.allocate(engine_.context, "feeds of " + spec.name);
  results.allocate(engine_.context, "fetches of " + spec.name);
  for (program::Slot* slot : feeds) slot->storage->data = inputs.data() + slot->storage->arena_offset;
  for (program::Slot* slot : fetches) slot->storage->data = results.data() + slot->storage->arena_offset;
}

Slot* CudaBuilder::add_constant_slot(int value, DType dtype, const core::Shape& shape) {
  Storage* storage = add_storage(Place::constant, size_t(core::count(shape)) * core::size_of(dtype));
  storage->arena_offset = constants_.add(storage->bytes);
  constant_data_.resize(constants_.bytes());
  return add_slot(value, dtype, shape, {}, storage);
}

void CudaBuilder::add_constant(const program::Constant& constant) {
  const auto& value = spec.values[size_t(constant.value)];
  const Slot* slot = add_constant_slot(constant.value, value.dtype, value.shape);
  program::write_constant(constant, value, constant_data_.data() + slot->storage->arena_offset);
}

Slot* CudaBuilder::add_slot(int value, DType dtype, const core::Shape& shape, const Layout& layout, Storage* storage) {
  Slot& slot = slots_.emplace_back();
  slot.dtype = dtype;
  slot.shape = shape;
  slot.layout = layout;
  slot.storage = storage;
  slot.value = value;
  if (value >= 0) forms_[size_t(value)].push_back(&slot);
  return &slot;
}

int CudaBuilder::fault_site(const NodeSpec& node, FaultKind kind, int64_t limit) {
  fault_sites.push_back({node.label(), kind, limit});
  return int(fault_sites.size());
}

Slot* CudaBuilder::input(const NodeSpec& node, size_t index) {
  const auto& forms = forms_[size_t(node.inputs[index])];
  OSTRICH_CHECK(!forms.empty());
  return forms.front();
}

Slot* CudaBuilder::with_layout(Slot* slot, const Layout& layout) {
  // The home is settled before anything reads it: a copy that is planned from a state remembers where its elements lie.
  if (homeless(slot)) {
    CudaBuffer* buffer = state[size_t(state_of(slot))].get();
    buffer->set_home(layout.is_padded(slot->shape) ? Layout::channels_last(slot->shape) : layout);
    slot->layout = buffer->layout();
    slot->storage->data = buffer->data();
  }
  if (slot->layout == layout) return slot;
  OSTRICH_CHECK(slot->value >= 0);
  const auto& forms = forms_[size_t(slot->value)];
  const auto known = std::find_if(forms.begin(), forms.end(), [&](const Slot* form) { return form->layout == layout; });
  if (known != forms.end()) return *known;
  Storage* storage = add_storage(Place::arena, size_t(layout.elements(slot->shape)) * core::size_of(slot->dtype));
  Slot* target = add_slot(slot->value, slot->dtype, slot->shape, layout, storage);
  add_copy(slot, target, "reorder");
  return target;
}

Slot* CudaBuilder::output(const NodeSpec& node, size_t index, const Layout& layout) {
  const auto& value = spec.values[size_t(node.outputs[index])];
  const size_t bytes = size_t(layout.elements(value.shape)) * core::size_of(value.dtype);
  return add_slot(node.outputs[index], value.dtype, value.shape, layout, add_storage(Place::arena, bytes));
}

void CudaBuilder::alias(const NodeSpec& node, size_t index, Slot* source, size_t byte_offset) {
  OSTRICH_CHECK(source->layout.is_row_major());
  keep_home_of(source);
  const auto& value = spec.values[size_t(node.outputs[index])];
  Slot* slot = add_slot(node.outputs[index], value.dtype, value.shape, {}, source->storage);
  slot->offset = source->offset + byte_offset;
}

Slot* CudaBuilder::part(Slot* slot, DType dtype, const core::Shape& shape, size_t byte_offset) {
  Slot* other = add_slot(-1, dtype, shape, {}, slot->storage);
  other->offset = slot->offset + byte_offset;
  OSTRICH_CHECK(slot->layout.is_row_major() && byte_offset + other->bytes() <= slot->bytes());
  return other;
}

Slot* CudaBuilder::scratch(size_t bytes) {
  return add_slot(-1, DType::u8, {int64_t(bytes)}, {}, add_storage(Place::arena, bytes));
}

Slot* CudaBuilder::table(size_t bytes) { return add_constant_slot(-1, DType::u8, {int64_t(bytes)}); }

void CudaBuilder::fill_table(Slot* table, const void* contents, size_t bytes) {
  OSTRICH_CHECK(bytes <= table->storage->bytes);
  std::memcpy(constant_data_.data() + table->storage->arena_offset, contents, bytes);
}

std::unique_ptr<program::Step> CudaBuilder::copy_step(program::Slot* source, program::Slot* target) {
  return make_copy(*this, static_cast<Slot*>(source), static_cast<Slot*>(target));
}

Slot* CudaBuilder::scratch_like(const program::Slot* slot) {
  return add_slot(-1, slot->dtype, slot->shape, static_cast<const Slot*>(slot)->layout,
                  add_storage(Place::arena, slot->bytes()));
}

Slot* CudaBuilder::assigned_form(int value, program::Slot* target) {
  auto* home = static_cast<Slot*>(target);
  Slot* source = forms_[size_t(value)].front();
  if (homeless(home)) with_layout(home, source->layout);
  for (Slot* known : forms_[size_t(value)]) {
    if (known->layout == home->layout) source = known;
  }
  return source;
}

void CudaBuilder::build() {
  LibraryLayers layers(spec, engine_, recurrence_);
  for (const NodeSpec& node : spec.nodes) {
    current_ = &node;
    std::unique_ptr<Step> step;
    if (!layers.take(*this, node, step)) step = factories().at(node.op)(*this, node);
    if (step == nullptr) continue;
    step->op = node.op;
    step->path = node.path;
    add_step(std::move(step));
  }
  current_ = nullptr;
  add_fetches();
  add_assigns();
  join_steps();
  place();
  for (const auto& buffer : state) buffer->keep_home();
}

}  // namespace ostrich::cuda
