// How many blocks a launch gets.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cuda/kernel_library.h"

namespace ostrich::cuda {

constexpr unsigned kThreads = 256;
// Beyond this a kernel's loop over its items does the rest: some waves of blocks on the largest device.
constexpr int64_t kMaxBlocks = 4096;

// For kernels that loop over `items` by first_item() and item_stride().
inline Grid grid_for(int64_t items, unsigned threads = kThreads) {
  return {unsigned(std::clamp<int64_t>((items + threads - 1) / threads, 1, kMaxBlocks))};
}

}  // namespace ostrich::cuda
