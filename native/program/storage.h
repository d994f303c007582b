// Which storages share bytes: outputs folded into inputs that die, values into the states that they are assigned to,
// and all others by their lifetimes in the arena.
#pragma once

#include <vector>

#include "program/planner.h"
#include "program/step.h"

namespace ostrich::program {

// Folds a step's output into an input that dies there, where the step says that this is safe. `kept` is looked at after
// the last step.
void merge_in_place(const Steps& steps, const std::vector<Slot*>& kept);

// Lets the step that produces `value` write straight into `target`, which holds a state or a fetch, where nobody needs
// the old contents later: no step from its producer on, nor the producer itself at other elements. The producer is to
// be guarded and at or after step `first`. False, and nothing changed, where that cannot be.
bool merge_into(const Steps& steps, Slot* value, Slot* target, size_t first = 0, bool guarded = false);

// Gives every storage of the arena its offset.
Plan place_in_arena(const Steps& steps, const std::vector<Slot*>& kept);

}  // namespace ostrich::program
