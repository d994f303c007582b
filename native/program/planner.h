// Places buffers of known lifetimes into one arena, so that buffers that never live at the same time share bytes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace ostrich::program {

constexpr size_t kArenaAlignment = 256;

// A buffer that lives from step `first` to step `last`, both included.
struct Range {
  size_t bytes;
  int first, last;
};

struct Plan {
  std::vector<size_t> offsets;  // one per range, multiples of kArenaAlignment
  size_t total = 0;             // bytes of the arena
  size_t lower_bound = 0;       // most bytes alive at one step (each rounded up to the alignment): no plan is smaller
};

// Greedy by size: the largest buffer first, each into the tightest gap left by those that it overlaps in time.
Plan plan_arena(const std::vector<Range>& ranges);

// Throws ERR_INTERNAL naming two ranges that live at the same time and overlap in the arena, or one that leaves it.
void check_plan(const std::vector<Range>& ranges, const Plan& plan);

}  // namespace ostrich::program
