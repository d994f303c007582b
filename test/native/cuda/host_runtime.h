// What kernels/device.h offers, for g++: every kernel registers itself under its name, and `launch` runs it on the
// host. The threads of a block that work together are fibers with real barriers; blocks and threads run in an order
// drawn from a seed, so that a kernel which needs one particular order gives wrong results. Kernels run one at a time
// in a process (the driver's double holds a lock). Refuses, with a text: a barrier that some threads never reach,
// threads that wait at different barriers, a shuffle without its whole warp, more shared memory than a block has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

#include "cuda/fault.h"

#define OSTRICH_DEVICE static inline __attribute__((always_inline))
#define OSTRICH_GLOBAL(name, Args, threads) OSTRICH_DOUBLE_KERNEL(name, Args, threads, false)
#define OSTRICH_GLOBAL_SYNC(name, Args, threads) OSTRICH_DOUBLE_KERNEL(name, Args, threads, true)
#define OSTRICH_DOUBLE_KERNEL(name, Args, threads, sync)                                 \
  static void name(const Args& args);                                                    \
  [[maybe_unused]] static const bool name##_added = ::ostrich::cuda::host::add_kernel(   \
      ::ostrich::cuda::host::describe<Args, name, sync>(__BASE_FILE__, #name, threads)); \
  static void name([[maybe_unused]] const Args& args)
#define OSTRICH_SHARED(T, name, count) \
  static char name##_key;              \
  T(&name)[count] = ::ostrich::cuda::host::shared<T, count>(&name##_key, #name)

namespace ostrich::cuda::host {

struct Grid3 {
  unsigned x = 1, y = 1, z = 1;
};

// Of the thread that runs now.
struct Position {
  unsigned thread = 0, threads = 1;
  Grid3 block, grid;
};
extern Position position;

struct KernelEntry {
  std::string file, name;  // NAME of NAME.cu, and the kernel's own
  size_t args_bytes;
  unsigned max_threads;
  bool sync;
  void (*run)(const void* args);  // the whole grid, which `position` describes
};

bool add_kernel(const KernelEntry& entry);
const KernelEntry* find_kernel(const std::string& file, const std::string& name);
bool has_file(const std::string& file);
std::string stem(const char* path);

// Runs every block. Returns what the kernel did wrong, or nothing.
std::string launch(const KernelEntry& entry, Grid3 grid, unsigned threads, const void* args);
void seed_order(uint64_t seed);

// Visits 0..n-1 once each, from an arbitrary start with an arbitrary stride.
class Order {
 public:
  explicit Order(uint64_t n);
  uint64_t next() {
    const uint64_t here = at_;
    at_ += stride_;
    if (at_ >= n_) at_ -= n_;
    return here;
  }

 private:
  uint64_t n_, at_ = 0, stride_ = 1;
};

void enter_block(uint64_t index);
void run_fibers(void (*body)(const void*), const void* args);

template <typename Args, void (*kernel)(const Args&)>
void run_plain(const void* args) {
  const Args& typed = *static_cast<const Args*>(args);
  const uint64_t count = uint64_t(position.grid.x) * position.grid.y * position.grid.z;
  Order blocks(count), threads(position.threads);
  for (uint64_t b = 0; b < count; ++b) {
    enter_block(blocks.next());
    for (unsigned t = 0; t < position.threads; ++t) {
      position.thread = unsigned(threads.next());
      kernel(typed);
    }
  }
}

template <typename Args, void (*kernel)(const Args&)>
void run_together(const void* args) {
  run_fibers([](const void* opaque) { kernel(*static_cast<const Args*>(opaque)); }, args);
}

template <typename Args, void (*kernel)(const Args&), bool sync>
KernelEntry describe(const char* file, const char* name, unsigned threads) {
  static_assert(std::is_trivially_copyable_v<Args> && sizeof(Args) <= 4096, "what a launch can carry");
  return {stem(file), name, sizeof(Args), threads, sync, sync ? run_together<Args, kernel> : run_plain<Args, kernel>};
}

// The same `bytes` for every thread of the block; NaN patterns at first.
void* shared_bytes(const void* key, const char* name, size_t bytes);
template <typename T, size_t count>
T (&shared(const void* key, const char* name))
[count] {
  return *static_cast<T(*)[count]>(shared_bytes(key, name, sizeof(T) * count));
}

// `line` tells barriers apart.
void wait_for_block(int line);
uint32_t exchange(uint32_t bits, int mask, int line);

}  // namespace ostrich::cuda::host

namespace ostrich::cuda {

OSTRICH_DEVICE unsigned thread_index() { return host::position.thread; }
OSTRICH_DEVICE unsigned block_threads() { return host::position.threads; }
OSTRICH_DEVICE unsigned block_x() { return host::position.block.x; }
OSTRICH_DEVICE unsigned block_y() { return host::position.block.y; }
OSTRICH_DEVICE unsigned block_z() { return host::position.block.z; }
OSTRICH_DEVICE unsigned grid_x() { return host::position.grid.x; }
OSTRICH_DEVICE void barrier(int line = __builtin_LINE()) { host::wait_for_block(line); }
OSTRICH_DEVICE int32_t shuffle_xor(int32_t value, int mask, int line = __builtin_LINE()) {
  return int32_t(host::exchange(uint32_t(value), mask, line));
}
OSTRICH_DEVICE float shuffle_xor(float value, int mask, int line = __builtin_LINE()) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  bits = host::exchange(bits, mask, line);
  std::memcpy(&value, &bits, 4);
  return value;
}

OSTRICH_DEVICE float load_shared_by_blocks(const float* from) { return *from; }
OSTRICH_DEVICE void add_among_blocks(float* to, float value) { *to += value; }

OSTRICH_DEVICE void report(Fault* fault, int32_t site, int64_t position, int32_t value) {
  if (fault->site != 0) return;
  *fault = {site, value, position};
}

}  // namespace ostrich::cuda
