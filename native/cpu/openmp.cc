// The functions of GNU OpenMP that libdnnl calls (libgomp's interface, by GCC 4's form of regions), answered by the
// team. The loader looks in the library that was asked for before it looks in those that it needs: so libdnnl finds
// these before libgomp's. native/cmake/onednn.cmake refuses a libdnnl that calls others.
#include "cpu/team.h"

namespace {

using ostrich::cpu::Part;

// A region inside of a region, or of one thread, is computed by the caller alone; so many of them are open.
thread_local int alone = 0;

// Of a loop with chunks that go round: what this thread has yet to compute.
struct Loop {
  long first, last, step, chunk, turn;
};
thread_local Loop loop;

Part here() { return alone > 0 ? Part{} : ostrich::cpu::own_part(); }

// Turns of a loop from `first` to below `last` (above, where steps go down), rounded up.
long turns_of(const Loop& loop) { return (loop.last - loop.first + loop.step - (loop.step > 0 ? 1 : -1)) / loop.step; }

}  // namespace

#define OSTRICH_OPENMP extern "C" __attribute__((visibility("default")))

OSTRICH_OPENMP int omp_get_max_threads() { return ostrich::cpu::team_size(); }
OSTRICH_OPENMP int omp_get_num_threads() { return here().count; }
OSTRICH_OPENMP int omp_get_thread_num() { return here().id; }
OSTRICH_OPENMP int omp_in_parallel() { return ostrich::cpu::in_region(); }

OSTRICH_OPENMP void GOMP_parallel_start(void (*body)(void*), void* data, unsigned threads) {
  const int count = threads == 0 ? ostrich::cpu::team_size() : int(threads);
  if (ostrich::cpu::in_region() || ostrich::cpu::team_size() == 1) {
    ++alone;
  } else {
    ostrich::cpu::begin_region(count, body, data);
  }
}

OSTRICH_OPENMP void GOMP_parallel_end() {
  if (alone > 0) {
    --alone;
  } else {
    ostrich::cpu::end_region();
  }
}

OSTRICH_OPENMP void GOMP_barrier() {
  if (alone == 0) ostrich::cpu::team_barrier();
}

// The thread's next chunk of `chunk` turns; with a chunk of 0 its only one, of equal parts.
OSTRICH_OPENMP bool GOMP_loop_static_next(long* begin, long* end) {
  const auto [id, count] = here();
  const long turns = turns_of(loop);
  long from = (loop.turn * count + id) * loop.chunk, to = from + loop.chunk;
  if (loop.chunk == 0) {
    if (loop.turn > 0) return false;
    const long each = turns / count, more = turns % count;
    from = each * id + (id < more ? id : more);
    to = from + each + (id < more ? 1 : 0);
  }
  ++loop.turn;
  if (to > turns) to = turns;
  if (from >= to) return false;
  *begin = loop.first + from * loop.step;
  *end = loop.first + to * loop.step;
  return true;
}

OSTRICH_OPENMP bool GOMP_loop_static_start(long first, long last, long step, long chunk, long* begin, long* end) {
  loop = {first, last, step, chunk, 0};
  return GOMP_loop_static_next(begin, end);
}

OSTRICH_OPENMP void GOMP_loop_end_nowait() {}
