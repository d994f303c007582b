// Runs kernels on the host: see host_runtime.h.
#include "host_runtime.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "fibers.h"
#include "shared_memory.h"

namespace ostrich::cuda::host {

Position position;

namespace {

constexpr unsigned kWarp = 32;
SharedMemory shared_memory;

std::vector<KernelEntry>& kernels() {
  static std::vector<KernelEntry> entries;
  return entries;
}

uint64_t order_state = 1;
uint64_t draw() {  // xorshift64*
  order_state ^= order_state >> 12;
  order_state ^= order_state << 25;
  order_state ^= order_state >> 27;
  return order_state * 0x2545f4914f6cdd1dull >> 16;
}

// What the kernel that runs now did wrong.
std::string wrong;
bool in_fibers = false;

}  // namespace

bool add_kernel(const KernelEntry& entry) {
  kernels().push_back(entry);
  return true;
}

const KernelEntry* find_kernel(const std::string& file, const std::string& name) {
  for (const KernelEntry& entry : kernels()) {
    if (entry.file == file && entry.name == name) return &entry;
  }
  return nullptr;
}

bool has_file(const std::string& file) {
  return std::any_of(kernels().begin(), kernels().end(), [&](const KernelEntry& entry) { return entry.file == file; });
}

std::string stem(const char* path) {
  std::string name = path;
  name = name.substr(name.rfind('/') + 1);
  return name.substr(0, name.find('.'));
}

void seed_order(uint64_t seed) { order_state = seed * 0x9e3779b97f4a7c15ull | 1; }

Order::Order(uint64_t n) : n_(n) {
  if (n < 2) return;
  at_ = draw() % n;
  do stride_ = 1 + draw() % (n - 1);
  while (std::gcd(stride_, n) != 1);
}

void enter_block(uint64_t index) {
  const Grid3& grid = position.grid;
  position.block = {unsigned(index % grid.x), unsigned(index / grid.x % grid.y), unsigned(index / grid.x / grid.y)};
}

namespace {

std::string place(unsigned thread) {
  const Grid3& block = position.block;
  return "thread " + std::to_string(thread) + " of block (" + std::to_string(block.x) + ", " + std::to_string(block.y) +
         ", " + std::to_string(block.z) + ")";
}

// Lets the threads of one warp run until each waits for the block or is done.
void run_warp(unsigned first, unsigned count) {
  Fiber* fibers = pool().fibers + first;
  while (true) {
    Order order(count);
    for (unsigned i = 0; i < count; ++i) {
      const unsigned lane = unsigned(order.next());
      if (fibers[lane].state == State::ready) enter(fibers[lane], first + lane);
      if (!wrong.empty()) return;
    }
    unsigned waiting = 0;
    for (unsigned lane = 0; lane < count; ++lane) waiting += fibers[lane].state == State::shuffle;
    if (waiting == 0) return;
    for (unsigned lane = 0; lane < count; ++lane) {
      if (waiting < kWarp || fibers[lane].line != fibers[0].line) {
        wrong = place(first + lane) + " does not take part in the same shuffle as its warp (" +
                std::to_string(waiting) + " of " + std::to_string(count) + " threads do)";
        return;
      }
    }
    for (unsigned lane = 0; lane < count; ++lane) fibers[lane].state = State::ready;
  }
}

// All threads wait at one barrier, or all are done: true when there is more to run.
bool release_barrier() {
  const Fiber* fibers = pool().fibers;
  for (unsigned t = 1; t < position.threads; ++t) {
    if (fibers[t].state != fibers[0].state) {
      const bool first = fibers[0].state == State::done;
      wrong = place(first ? 0 : t) + " returned while thread " + std::to_string(first ? t : 0) +
              " waits at the barrier of line " + std::to_string(fibers[first ? t : 0].line);
    } else if (fibers[0].state == State::barrier && fibers[t].line != fibers[0].line) {
      wrong = place(t) + " waits at the barrier of line " + std::to_string(fibers[t].line) +
              " while thread 0 waits at that of line " + std::to_string(fibers[0].line);
    }
    if (!wrong.empty()) return false;
  }
  if (fibers[0].state == State::done) return false;
  for (unsigned t = 0; t < position.threads; ++t) pool().fibers[t].state = State::ready;
  return true;
}

void run_block() {
  const unsigned threads = position.threads, warps = (threads + kWarp - 1) / kWarp;
  shared_memory.clear();
  for (unsigned t = 0; t < threads; ++t) {
    pool().fibers[t].state = State::ready;
    pool().fibers[t].shuffles = 0;
  }
  do {
    Order order(warps);
    for (unsigned i = 0; i < warps && wrong.empty(); ++i) {
      const unsigned first = unsigned(order.next()) * kWarp;
      run_warp(first, std::min(kWarp, threads - first));
    }
  } while (wrong.empty() && release_barrier());
  if (const char* name = shared_memory.overrun(); name != nullptr && wrong.empty()) {
    wrong = place(0) + " and its like wrote outside the shared array " + name;
  }
}

}  // namespace

void run_fibers(void (*body)(const void*), const void* args) {
  pool().body = body;
  pool().args = args;
  make_fibers(position.threads);
  in_fibers = true;
  const uint64_t count = uint64_t(position.grid.x) * position.grid.y * position.grid.z;
  Order blocks(count);
  for (uint64_t b = 0; b < count && wrong.empty(); ++b) {
    enter_block(blocks.next());
    run_block();
  }
  in_fibers = false;
  if (!wrong.empty()) pool().made = 0;  // threads that never returned
}

namespace {

// Ends the thread that runs, and with it the launch.
void fail_thread(const std::string& text) {
  if (wrong.empty()) wrong = place(position.thread) + " " + text;
  while (in_fibers) leave();
}

}  // namespace

void* shared_bytes(const void* key, const char* name, size_t bytes) {
  void* data = in_fibers ? shared_memory.find(key, name, bytes) : nullptr;
  if (data != nullptr) return data;
  if (in_fibers) {
    fail_thread(std::string("declares shared array ") + name + ": more than " + std::to_string(kSharedLimit) +
                " bytes in all");
  }
  fail_thread(std::string("declares shared array ") + name + " in a kernel that is not OSTRICH_GLOBAL_SYNC");
  return shared_memory.data;
}

void wait_for_block(int line) {
  if (!in_fibers) return fail_thread("reaches a barrier in a kernel that is not OSTRICH_GLOBAL_SYNC");
  Fiber& self = *pool().current;
  self.state = State::barrier;
  self.line = line;
  leave();
}

uint32_t exchange(uint32_t bits, int mask, int line) {
  if (!in_fibers || mask < 0 || unsigned(mask) >= kWarp) {
    fail_thread(in_fibers ? "shuffles with mask " + std::to_string(mask)
                          : std::string("shuffles in a kernel that is not OSTRICH_GLOBAL_SYNC"));
    return bits;
  }
  Fiber& self = *pool().current;
  const unsigned turn = self.shuffles++ & 1, thread = position.thread;
  self.lanes[turn] = bits;
  self.state = State::shuffle;
  self.line = line;
  leave();
  return pool().fibers[thread ^ unsigned(mask)].lanes[turn];
}

std::string launch(const KernelEntry& entry, Grid3 grid, unsigned threads, const void* args) {
  wrong.clear();
  position = {0, threads, {}, grid};
  entry.run(args);
  return wrong.empty() ? "" : entry.name + ": " + wrong;
}

}  // namespace ostrich::cuda::host
