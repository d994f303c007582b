// The threads that compute a program together: the one that runs it, and helpers that wait for it. In the place of
// OpenMP's, whose threads wait for each other by holding on to their cores: where cores are shared with other work,
// each waits for one that is not running (docs/decisions/0023-team.md). A region is cut into parts; part i is computed
// by helper i, or, where that one is late, by whoever is done with his own. So results depend on the parts alone.
#pragma once

#include <atomic>
#include <exception>

namespace ostrich::cpu {

// Which part of a region this thread computes. Outside of one: the only one.
struct Part {
  int id = 0;
  int count = 1;
};

Part own_part();
bool in_region();

// From now on the calling thread computes with so many threads, itself among them. Throws ERR_OUT_OF_MEMORY where the
// process may not start them.
void use_team(int threads);
int team_size();

// Waits until every part of the region has come here. Outside of a region it is none.
void team_barrier();

// A region in three calls: between them the caller computes part 0; the last one does what nobody has begun, and waits
// for the rest. Regions do not nest, and `body` throws nothing.
void begin_region(int parts, void (*body)(void*), void* data);
void end_region();

// body(id, count) for each of `parts` parts, or of as many as there are threads. Inside of a region it is one part. An
// exception of the body leaves the call after the region; of several, the first.
template <class F>
void run_team(int parts, F&& body) {
  if (parts <= 1 || in_region() || team_size() == 1) return body(0, 1);
  struct Call {
    F& body;
    std::atomic_flag failed = ATOMIC_FLAG_INIT;
    std::exception_ptr error;
  } call{body, ATOMIC_FLAG_INIT, nullptr};
  const auto compute = [](void* data) {
    auto& [body, failed, error] = *static_cast<Call*>(data);
    try {
      body(own_part().id, own_part().count);
    } catch (...) {
      if (!failed.test_and_set()) error = std::current_exception();
    }
  };
  begin_region(parts, compute, &call);
  compute(&call);
  end_region();
  if (call.error) std::rethrow_exception(call.error);
}

}  // namespace ostrich::cpu
