// See placement.h.
#include "program/placement.h"

#include <algorithm>
#include <utility>

#include "core/bf16.h"

namespace ostrich::program {

using core::DType;

Placement::Placement(const ProgramSpec& program) : spec(program), used_(program.values.size(), false) {
  for (const NodeSpec& node : spec.nodes) {
    for (int id : node.inputs) used_[size_t(id)] = true;
  }
  for (const auto& assign : spec.assigns) used_[size_t(assign.value)] = true;
  for (const auto& fetch : spec.fetches) used_[size_t(fetch.value)] = true;
}

const core::Shape& Placement::shape(const NodeSpec& node, size_t index) const {
  return spec.values[size_t(node.outputs[index])].shape;
}

DType Placement::dtype(const NodeSpec& node, size_t index) const {
  return spec.values[size_t(node.outputs[index])].dtype;
}

int64_t Placement::limit_of(const Slot* index) const {
  int64_t limit = -1;
  for (const Checked& known : checked_) {
    const bool same =
        known.storage == index->storage && known.offset == index->offset && known.count == core::count(index->shape);
    if (same && (limit < 0 || known.limit < limit)) limit = known.limit;
  }
  return limit;
}

bool Placement::may_fail(const Slot* index, int64_t limit) {
  const int64_t known = limit_of(index);
  if (known >= 0 && known <= limit) return false;
  checked_.push_back({index->storage, index->offset, core::count(index->shape), limit});
  return true;
}

void Placement::joins(const std::vector<Slot*>& parts, const Slot* whole) {
  int64_t limit = -1;
  for (const Slot* part : parts) {
    const int64_t known = limit_of(part);
    if (known < 0) return;
    limit = std::max(limit, known);
  }
  checked_.push_back({whole->storage, whole->offset, core::count(whole->shape), limit});
}

Storage* Placement::add_storage(Place place, size_t bytes) {
  Storage& storage = storages.emplace_back();
  storage.place = place;
  storage.bytes = bytes;
  return &storage;
}

int Placement::state_of(const Slot* slot) const {
  if (slot->storage->place != Place::state) return -1;
  const auto known =
      std::find_if(states.begin(), states.end(), [&](const Slot* state) { return state->storage == slot->storage; });
  return known == states.end() ? -1 : int(known - states.begin());
}

bool Placement::homeless(const Slot* slot) const {
  const int state = state_of(slot);
  return state >= 0 && !has_home(size_t(state));
}

void Placement::keep_home_of(const Slot* slot) {
  if (homeless(slot)) keep_home(size_t(state_of(slot)));
}

void Placement::add_step(std::unique_ptr<Step> step) {
  for (const Slot* slot : step->reads) keep_home_of(slot);
  steps.push_back(std::move(step));
}

void Placement::add_copy(Slot* source, Slot* target, const char* why) {
  std::unique_ptr<Step> step = copy_step(source, target);
  step->op = why;
  if (current_ != nullptr) step->path = current_->path;
  add_step(std::move(step));
}

Slot* Placement::saved(Slot* slot) {
  Slot* copy = scratch_like(slot);
  add_copy(slot, copy, "snapshot");
  return copy;
}

// Then every other step has read the old contents and nothing is refused any more: such a step can write in place.
void Placement::let_updates_wait() {
  const auto is_read = [&](const Slot* made) {
    return std::any_of(steps.begin(), steps.end(), [&](const auto& step) {
      return std::any_of(step->reads.begin(), step->reads.end(),
                         [&](const Slot* read) { return read->storage->root() == made->storage->root(); });
    });
  };
  const auto waits = [&](const auto& step) {
    return step->may_wait && std::none_of(step->writes.begin(), step->writes.end(), is_read);
  };
  std::vector<bool> last;
  for (const auto& step : steps) last.push_back(waits(step));
  Steps ordered;
  for (const bool is_last : {false, true}) {
    for (size_t i = 0; i < steps.size(); ++i) {
      if (last[i] == is_last) ordered.push_back(std::move(steps[i]));
    }
  }
  steps = std::move(ordered);
}

void Placement::add_assigns() {
  // First all that reads a state, so that no assigned value is laid over what a later step still needs.
  std::vector<std::pair<Slot*, Slot*>> values;  // value, state
  for (const auto& assign : spec.assigns) {
    const auto is_target = [&](const Slot* state) { return state->value == assign.state; };
    Slot* target = *std::find_if(states.begin(), states.end(), is_target);
    Slot* source = assigned_form(assign.value, target);
    if (source != target) values.emplace_back(source, target);
  }
  for (auto& [source, target] : values) {
    const Storage* read = source->storage;
    const auto replaces = [&](const auto& pair) { return pair.second->storage == read; };
    if (read->place == Place::state && std::any_of(values.begin(), values.end(), replaces)) source = saved(source);
  }
  let_updates_wait();
  // A run that meets bad data leaves every state as it was.
  size_t first = 0;
  for (size_t i = 0; i < steps.size(); ++i) {
    if (steps[i]->can_fail) first = i + 1;
  }
  std::vector<std::pair<Slot*, Slot*>> copies;
  for (const auto& [source, target] : values) {
    if (!merge_into(steps, source, target, first, true)) copies.emplace_back(source, target);
  }
  for (const auto& [source, target] : copies) add_copy(source, target, "assign");
}

void write_constant(const Constant& constant, const ValueSpec& value, char* to) {
  const int64_t n = core::count(value.shape);
  for (int64_t i = 0; i < n; ++i) {
    const double number = constant.data[constant.data.size() == 1 ? 0 : size_t(i)];
    switch (value.dtype) {
      case DType::f32:
        reinterpret_cast<float*>(to)[i] = float(number);
        break;
      case DType::bf16:
        reinterpret_cast<uint16_t*>(to)[i] = core::float_to_bf16(float(number));
        break;
      case DType::i32:
        reinterpret_cast<int32_t*>(to)[i] = int32_t(number);
        break;
      case DType::u8:
        reinterpret_cast<uint8_t*>(to)[i] = uint8_t(number);
        break;
    }
  }
}

}  // namespace ostrich::program
