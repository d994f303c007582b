// The end of a program on the device: fetches leave row-major, neighbouring small steps share a launch, and every
// storage gets its address.
#include <algorithm>

#include "cuda/cuda_builder.h"

namespace ostrich::cuda {

namespace {

bool touches(const std::vector<program::Slot*>& list, Storage* storage) {
  return std::any_of(list.begin(), list.end(),
                     [&](const program::Slot* slot) { return slot->storage->root() == storage; });
}

bool share(const std::vector<program::Slot*>& a, const std::vector<program::Slot*>& b) {
  return std::any_of(a.begin(), a.end(), [&](const program::Slot* slot) { return touches(b, slot->storage->root()); });
}

// Neither needs or disturbs what the other writes.
bool independent(const program::Step& a, const program::Step& b) {
  return !share(a.writes, b.reads) && !share(a.writes, b.writes) && !share(a.reads, b.writes);
}

std::vector<Storage*> read_by_both(const program::Step& a, const program::Step& b) {
  std::vector<Storage*> roots;
  for (const program::Slot* slot : a.reads) {
    if (touches(b.reads, slot->storage->root())) roots.push_back(slot->storage->root());
  }
  return roots;
}

}  // namespace

void CudaBuilder::add_fetches() {
  for (size_t i = 0; i < fetches.size(); ++i) {
    Slot* source = row_major(forms_[size_t(spec.fetches[i].value)].front());
    // The copy of a state is taken before an assign replaces its contents.
    if (!program::merge_into(steps, source, fetches[i])) add_copy(source, fetches[i], "fetch");
  }
}

void CudaBuilder::join_steps() {
  program::Steps joined;
  for (auto& step : steps) {
    if (!joined.empty() && independent(*joined.back(), *step)) {
      auto& last = joined.back();
      const std::vector<Storage*> shared = read_by_both(*last, *step);
      if (std::unique_ptr<program::Step> both = join_pointwise(last, step)) {
        // What both read may not be overwritten by one part while the other still reads.
        auto& pairs = both->in_place;
        const auto is_shared = [&](const auto& pair) {
          return std::count(shared.begin(), shared.end(), pair.second->storage->root()) > 0;
        };
        pairs.erase(std::remove_if(pairs.begin(), pairs.end(), is_shared), pairs.end());
        last = std::move(both);
        continue;
      }
    }
    joined.push_back(std::move(step));
  }
  steps = std::move(joined);
}

void CudaBuilder::place() {
  program::merge_in_place(steps, fetches);
  const program::Plan plan = program::place_in_arena(steps, fetches);
  arena_floor = plan.lower_bound;
  arena = program::SharedArena::Share(engine_.arena, plan.total, spec.name);
  constants_.allocate(engine_.context, "constants of " + spec.name);
  placed_ = arena.data();
  give_addresses();
}

bool CudaBuilder::follow_arena() {
  char* now = arena.data();
  if (now == placed_) return false;
  placed_ = now;
  give_addresses();
  return true;
}

void CudaBuilder::give_addresses() {
  for (Storage& storage : storages) {
    if (storage.place == Place::arena) storage.data = placed_ + storage.arena_offset;
    if (storage.place == Place::constant) storage.data = constants_.data() + storage.arena_offset;
  }
  for (const auto& step : steps) static_cast<Step&>(*step).prepare();
  const CUstream stream = engine_.compute.get();
  OSTRICH_CU(context(),
             cuMemcpyHtoDAsync(address(constants_.data()), constant_data_.data(), constant_data_.size(), stream));
  OSTRICH_CU(context(), cuStreamSynchronize(stream));
}

}  // namespace ostrich::cuda
