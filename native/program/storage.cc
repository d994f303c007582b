// See storage.h.
#include "program/storage.h"

#include <algorithm>
#include <map>

namespace ostrich::program {

namespace {

struct Life {
  int first = -1, last = -1;
  void at(int step) {
    if (first < 0) first = step;
    last = std::max(last, step);
  }
};

using Lives = std::map<Storage*, Life>;

// By storage, the first and last step that touches it.
Lives lifetimes(const Steps& steps, const std::vector<Slot*>& kept) {
  Lives lives;
  for (size_t i = 0; i < steps.size(); ++i) {
    for (const auto* list : {&steps[i]->reads, &steps[i]->writes}) {
      for (const Slot* slot : *list) lives[slot->storage->root()].at(int(i));
    }
  }
  for (const Slot* slot : kept) lives[slot->storage->root()].at(int(steps.size()));
  return lives;
}

bool touches(const std::vector<Slot*>& list, Storage* storage) {
  return std::any_of(list.begin(), list.end(), [&](const Slot* slot) { return slot->storage->root() == storage; });
}

// Whether `write`, laid at the start of `storage`, overwrites nothing that the step still needs there: each of its
// reads from those bytes is of the element that is written.
bool may_overwrite(const Step& step, const Slot* write, Storage* storage) {
  const auto is_safe = [&](const Slot* read) {
    return std::any_of(step.in_place.begin(), step.in_place.end(), [&](const auto& pair) {
      const Slot* known = pair.second;
      return pair.first->storage == write->storage && pair.first->offset == 0 && known->storage->root() == storage &&
             known->offset == 0 && read->offset == 0 && core::count(known->shape) == core::count(read->shape) &&
             core::size_of(known->dtype) == core::size_of(read->dtype);
    });
  };
  return std::all_of(step.reads.begin(), step.reads.end(),
                     [&](const Slot* read) { return read->storage->root() != storage || is_safe(read); });
}

}  // namespace

void merge_in_place(const Steps& steps, const std::vector<Slot*>& kept) {
  Lives lives = lifetimes(steps, kept);
  for (size_t i = 0; i < steps.size(); ++i) {
    std::vector<Storage*> taken;  // by an output of this step
    for (const auto& [write, read] : steps[i]->in_place) {
      Storage *output = write->storage, *input = read->storage->root();
      if (output->merged != nullptr || output->place != Place::arena || input->place != Place::arena || output == input)
        continue;
      if (write->offset != 0 || read->offset != 0 || output->bytes > input->bytes) continue;
      if (std::count(taken.begin(), taken.end(), input) > 0) continue;
      Life &life = lives.at(input), &next = lives.at(output);
      if (life.last != int(i) || next.first != int(i) || !may_overwrite(*steps[i], write, input)) continue;
      output->merged = input;
      taken.push_back(input);
      life.last = next.last;
      lives.erase(output);
    }
  }
}

bool merge_into(const Steps& steps, Slot* value, Slot* target, size_t first, bool guarded) {
  Storage *storage = value->storage, *home = target->storage;
  if (storage->place != Place::arena || storage->merged != nullptr || value->offset != 0 || target->offset != 0 ||
      !value->lies_like(*target) || storage->bytes != home->bytes) {
    return false;
  }
  size_t producer = steps.size();
  for (size_t i = 0; i < steps.size(); ++i) {
    if (!touches(steps[i]->writes, storage)) continue;
    if (producer != steps.size()) return false;  // written twice: not a plain producer
    producer = i;
  }
  if (producer == steps.size() || producer < first) return false;
  for (size_t i = producer + 1; i < steps.size(); ++i) {
    if (touches(steps[i]->reads, home)) return false;
  }
  const Step& step = *steps[producer];
  if (guarded && !step.is_guarded) return false;
  // Another output of the same step may lie there already.
  if (touches(step.writes, home) || !may_overwrite(step, value, home)) return false;
  storage->merged = home;
  return true;
}

Plan place_in_arena(const Steps& steps, const std::vector<Slot*>& kept) {
  std::vector<Range> ranges;
  std::vector<Storage*> owners;
  for (const auto& [storage, life] : lifetimes(steps, kept)) {
    if (storage->place != Place::arena) continue;
    ranges.push_back({storage->bytes, life.first, life.last});
    owners.push_back(storage);
  }
  Plan plan = plan_arena(ranges);
  for (size_t i = 0; i < owners.size(); ++i) owners[i]->arena_offset = plan.offsets[i];
  return plan;
}

}  // namespace ostrich::program
