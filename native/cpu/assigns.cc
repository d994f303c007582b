// The end of a program: fetches leave row-major, and assigned values become the new contents of their states, in place
// where no later reader needs the old contents, else by a copy after everything else has run.
#include <algorithm>

#include "cpu/cpu_builder.h"

namespace ostrich::cpu {

namespace {

bool touches(const std::vector<Slot*>& list, const Storage* storage) {
  return std::any_of(list.begin(), list.end(), [&](const Slot* slot) { return slot->storage->root() == storage; });
}

}  // namespace

void CpuBuilder::add_fetches() {
  for (const auto& fetch : spec.fetches) {
    const auto& value = spec.values[size_t(fetch.value)];
    Slot* slot = row_major(form(fetch.value, value.dtype));
    if (slot->storage->place == Place::state) {
      // The caller gets the value from before the run, which an assign may be about to replace.
      Slot* copy = add_slot(-1, slot->dtype, slot->layout, add_storage(Place::arena, slot->storage->bytes));
      add_copy(slot, copy, "snapshot");
      slot = copy;
    }
    fetches.push_back(slot);
  }
}

void CpuBuilder::add_assigns() {
  std::vector<std::pair<Slot*, Slot*>> copies;  // value, state
  for (const auto& assign : spec.assigns) {
    Slot* target = forms_[size_t(assign.state)].front();
    Slot* source = form(assign.value, target->dtype);
    if (homeless(target)) adopt_home(target, source->layout, source->desc);
    for (Slot* slot : forms_[size_t(assign.value)]) {
      if (slot->dtype == target->dtype && slot->layout == target->layout) source = slot;
    }
    if (!merge_into_state(source, target)) copies.emplace_back(source, target);
  }
  // A value that is (or looks into) another state must be saved before any state is overwritten.
  for (auto& [source, target] : copies) {
    if (source->storage->place != Place::state) continue;
    Slot* saved = add_slot(-1, source->dtype, source->layout, add_storage(Place::arena, source->storage->bytes));
    add_copy(source, saved, "snapshot");
    source = saved;
  }
  for (const auto& [source, target] : copies) add_copy(source, target, "assign");
}

// Lets the step that produces `value` write straight into the state.
bool CpuBuilder::merge_into_state(Slot* value, Slot* target) {
  Storage* storage = value->storage;
  const Storage* home = target->storage;
  if (storage->place != Place::arena || storage->merged != nullptr || value->offset != 0 ||
      value->layout != target->layout || storage->bytes != home->bytes) {
    return false;
  }
  size_t producer = steps.size();
  for (size_t i = 0; i < steps.size(); ++i) {
    if (touches(steps[i]->writes, storage)) {
      if (producer != steps.size()) return false;  // written twice: not a plain producer
      producer = i;
    }
  }
  if (producer == steps.size()) return false;
  for (size_t i = producer + 1; i < steps.size(); ++i) {
    if (touches(steps[i]->reads, home)) return false;
  }
  const Step& step = *steps[producer];
  for (const Slot* read : step.reads) {
    if (read->storage->root() != home) continue;
    const bool safe = std::any_of(step.in_place.begin(), step.in_place.end(), [&](const auto& pair) {
      return pair.first->storage == storage && pair.second == read;
    });
    if (!safe) return false;
  }
  storage->merged = target->storage;
  return true;
}

}  // namespace ostrich::cpu
