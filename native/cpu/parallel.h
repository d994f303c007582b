// Loops over the cores. Either nothing is started (little work: a region costs 2-5 us), or the whole team is: a team
// of another size would make OpenMP end threads and start them again. An exception of the body leaves the loop
// after the region; of several, one.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <exception>

namespace ostrich::cpu {

// body(begin, end) over static parts of [0, n), whose borders are multiples of `align`. Up to `grain` elements are done
// by the caller alone.
template <class F>
void parallel_for(int threads, int64_t n, int64_t grain, F&& body, int64_t align = 16) {
  if (threads <= 1 || n <= grain || n <= align) {
    if (n > 0) body(int64_t(0), n);
    return;
  }
  std::exception_ptr error;
#pragma omp parallel num_threads(threads)
  {
    const int64_t count = omp_get_num_threads(), id = omp_get_thread_num();
    const int64_t parts = (n + align - 1) / align;
    const int64_t begin = parts * id / count * align, end = std::min(n, parts * (id + 1) / count * align);
    try {
      if (begin < end) body(begin, end);
    } catch (...) {
#pragma omp critical(ostrich_parallel_error)
      error = std::current_exception();
    }
  }
  if (error) std::rethrow_exception(error);
}

// body(task) for each of [0, tasks), handed out as threads become free; serial when `alone`.
template <class F>
void parallel_tasks(int threads, int64_t tasks, bool alone, F&& body) {
  if (threads <= 1 || tasks <= 1 || alone) {
    for (int64_t task = 0; task < tasks; ++task) body(task);
    return;
  }
  std::exception_ptr error;
#pragma omp parallel for schedule(dynamic) num_threads(threads)
  for (int64_t task = 0; task < tasks; ++task) {
    try {
      body(task);
    } catch (...) {
#pragma omp critical(ostrich_parallel_error)
      error = std::current_exception();
    }
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace ostrich::cpu
