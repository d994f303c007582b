// Where values of a built program lie, whatever the device: storages, folding one into another in place, lifetimes, and
// their places in the arena. `Step` is any type with `reads`, `writes` (pointers to slots with `storage` and `offset`)
// and `in_place`, pairs (write, read) where element i of the write depends on no other element of the read.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "program/planner.h"

namespace ostrich::program {

enum class Place : uint8_t { arena, state, feed, fetch, constant };

// A range of bytes that one or more slots look at. `data` is set when the arena is planned.
struct Storage {
  Place place = Place::arena;
  size_t bytes = 0;
  char* data = nullptr;
  size_t arena_offset = 0;
  Storage* merged = nullptr;  // storage that this one was folded into (in place)

  // Where the bytes really are, after all foldings.
  Storage* root() { return merged == nullptr ? this : merged->root(); }
};

struct Life {
  int first = -1, last = -1;
  void at(int step) {
    if (first < 0) first = step;
    last = step;
  }
};

// By storage, the first and last step that touches it; what `kept` looks at lives to the end.
template <class Steps, class Slots>
std::map<Storage*, Life> lifetimes(const Steps& steps, const Slots& kept) {
  std::map<Storage*, Life> lives;
  for (size_t i = 0; i < steps.size(); ++i) {
    for (const auto* list : {&steps[i]->reads, &steps[i]->writes}) {
      for (const auto* slot : *list) lives[slot->storage->root()].at(int(i));
    }
  }
  for (const auto* slot : kept) lives[slot->storage->root()].at(int(steps.size()));
  return lives;
}

// Folds a step's output into an input that dies there, where the step says that this is safe.
template <class Steps, class Slots>
void merge_in_place(const Steps& steps, const Slots& kept) {
  for (size_t i = 0; i < steps.size(); ++i) {
    for (const auto& [write, read] : steps[i]->in_place) {
      Storage* output = write->storage;
      Storage* input = read->storage->root();
      if (output->merged != nullptr || output->place != Place::arena || input->place != Place::arena || output == input)
        continue;
      if (write->offset != 0 || read->offset != 0 || output->bytes > input->bytes) continue;
      const auto lives = lifetimes(steps, kept);
      if (lives.at(input).last != int(i) || lives.at(output).first != int(i)) continue;
      output->merged = input;
    }
  }
}

// Gives every storage of the arena its offset.
template <class Steps, class Slots>
Plan place_in_arena(const Steps& steps, const Slots& kept) {
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

// Lets the step that produces `value` write straight into the state that it is assigned to, where nobody needs the old
// contents later. Returns the producer, or -1 when it cannot be.
template <class Steps, class Slot>
int merge_into_state(const Steps& steps, const Slot* value, const Slot* target) {
  Storage* storage = value->storage;
  Storage* home = target->storage;
  const auto touches = [](const auto& list, Storage* wanted) {
    return std::any_of(list.begin(), list.end(), [&](const auto* slot) { return slot->storage->root() == wanted; });
  };
  if (storage->place != Place::arena || storage->merged != nullptr || value->offset != 0 ||
      value->layout != target->layout || storage->bytes != home->bytes) {
    return -1;
  }
  int producer = -1;
  for (size_t i = 0; i < steps.size(); ++i) {
    if (!touches(steps[i]->writes, storage)) continue;
    if (producer >= 0) return -1;  // written twice: not a plain producer
    producer = int(i);
  }
  if (producer < 0) return -1;
  for (size_t i = size_t(producer) + 1; i < steps.size(); ++i) {
    if (touches(steps[i]->reads, home)) return -1;
  }
  const auto& step = *steps[size_t(producer)];
  for (const auto* read : step.reads) {
    if (read->storage->root() != home) continue;
    const bool safe = std::any_of(step.in_place.begin(), step.in_place.end(), [&](const auto& pair) {
      return pair.first->storage == storage && pair.second == read;
    });
    if (!safe) return -1;
  }
  storage->merged = home;
  return producer;
}

}  // namespace ostrich::program
