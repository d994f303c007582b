// Loops over the cores. Either nothing is started (little work: a region costs 2-5 us), or the whole team is. An
// exception of the body leaves the loop after the region; of several, the first.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "cpu/team.h"

namespace ostrich::cpu {

// body(begin, end) over static parts of [0, n), whose borders are multiples of `align`. Up to `grain` elements are done
// by the caller alone.
template <class F>
void parallel_for(int threads, int64_t n, int64_t grain, F&& body, int64_t align = 16) {
  if (threads <= 1 || n <= grain || n <= align) {
    if (n > 0) body(int64_t(0), n);
    return;
  }
  run_team(threads, [&](int64_t id, int64_t count) {
    const int64_t parts = (n + align - 1) / align;
    const int64_t begin = parts * id / count * align, end = std::min(n, parts * (id + 1) / count * align);
    if (begin < end) body(begin, end);
  });
}

// body(task) for each of [0, tasks), handed out as threads become free; serial when `alone`.
template <class F>
void parallel_tasks(int threads, int64_t tasks, bool alone, F&& body) {
  if (threads <= 1 || tasks <= 1 || alone) {
    for (int64_t task = 0; task < tasks; ++task) body(task);
    return;
  }
  std::atomic<int64_t> next{0};
  run_team(threads, [&](int, int) {
    for (int64_t task; (task = next.fetch_add(1)) < tasks;) body(task);
  });
}

}  // namespace ostrich::cpu
