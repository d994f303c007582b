// Runs kernels on the host: see host_runtime.h. A fiber has a stack of its own and is entered and left by a few
// instructions; the fibers are made once and serve every block of every kernel.
#include "host_runtime.h"

#include <sys/mman.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "cuda/fault.h"

#if !defined(__x86_64__)
#include <ucontext.h>
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace ostrich::cuda::host {

Position position;

namespace {

constexpr unsigned kWarp = 32, kMaxThreads = 1024;
constexpr size_t kSharedLimit = 48 << 10;
constexpr size_t kRedzone = 64;
#if defined(__SANITIZE_ADDRESS__)
constexpr size_t kStack = 256 << 10;
#else
constexpr size_t kStack = 64 << 10;
#endif

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

// One at a time runs; `main` is the loop that chooses the next one.
#if defined(__x86_64__)
using Point = void*;
extern "C" void ostrich_double_switch(Point* from, Point to);
asm(R"(
.text
.p2align 4
.type ostrich_double_switch, @function
ostrich_double_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size ostrich_double_switch, .-ostrich_double_switch
)");
void swap_points(Point& from, Point& to) { ostrich_double_switch(&from, to); }
void make_point(Point& point, char* stack, void (*entry)()) {
  void** top = reinterpret_cast<void**>(stack + kStack) - 2;
  *top = reinterpret_cast<void*>(entry);  // popped by ret, after which the stack is aligned as after a call
  point = top - 6;
}
#else
using Point = ucontext_t;
void swap_points(Point& from, Point& to) { swapcontext(&from, &to); }
void make_point(Point& point, char* stack, void (*entry)()) {
  getcontext(&point);
  point.uc_stack.ss_sp = stack;
  point.uc_stack.ss_size = kStack;
  makecontext(&point, entry, 0);
}
#endif

enum class State : uint8_t { ready, barrier, shuffle, done };

struct Fiber {
  Point point;
  char* stack = nullptr;
  State state = State::done;
  int line = 0;  // where it waits
  unsigned shuffles = 0;
  uint32_t lanes[2];  // what it offers in a shuffle, and in the next
  void* fake_stack = nullptr;
};

struct Pool {
  Fiber fibers[kMaxThreads];
  unsigned made = 0;
  Point main;
  void* main_fake = nullptr;
  const void* main_bottom = nullptr;
  size_t main_size = 0;
  Fiber* current = nullptr;
  void (*body)(const void*) = nullptr;
  const void* args = nullptr;
};
Pool& pool() {
  static Pool* instance = new Pool;  // outlives every static destructor
  return *instance;
}

void leave() {
  Pool& p = pool();
  Fiber& self = *p.current;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&self.fake_stack, p.main_bottom, p.main_size);
#endif
  swap_points(self.point, p.main);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(pool().current->fake_stack, &pool().main_bottom, &pool().main_size);
#endif
}

void enter(Fiber& fiber, unsigned thread) {
  Pool& p = pool();
  p.current = &fiber;
  position.thread = thread;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&p.main_fake, fiber.stack, kStack);
#endif
  swap_points(p.main, fiber.point);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(p.main_fake, nullptr, nullptr);
#endif
}

void fiber_main() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &pool().main_bottom, &pool().main_size);
#endif
  while (true) {
    pool().body(pool().args);
    pool().current->state = State::done;
    leave();
  }
}

void make_fibers(unsigned count) {
  Pool& p = pool();
  for (; p.made < count; ++p.made) {
    Fiber& fiber = p.fibers[p.made];
    if (fiber.stack == nullptr) {
      void* memory = mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (memory == MAP_FAILED) std::abort();
      fiber.stack = static_cast<char*>(memory);
    }
#if defined(__SANITIZE_ADDRESS__)
    ASAN_UNPOISON_MEMORY_REGION(fiber.stack, kStack);  // of frames that were abandoned
#endif
    fiber.fake_stack = nullptr;
    make_point(fiber.point, fiber.stack, fiber_main);
  }
}

// What threads of a block share, by the place of its declaration, each with a zone around it that nobody may write.
struct SharedMemory {
  struct Array {
    const void* key;
    const char* name;
    size_t offset, bytes;
  };
  alignas(256) unsigned char data[kSharedLimit + 64 * kRedzone];
  std::vector<Array> arrays;
  size_t used = 0, declared = 0;

  void clear() {
    arrays.clear();
    used = kRedzone;
    declared = 0;
#if defined(__SANITIZE_ADDRESS__)
    ASAN_POISON_MEMORY_REGION(data, sizeof data);
#else
    std::memset(data, 0xa5, kRedzone);
#endif
  }

  void* find(const void* key, const char* name, size_t bytes) {
    for (const Array& array : arrays) {
      if (array.key == key) return data + array.offset;
    }
    declared += bytes;
    const size_t padded = (bytes + 15) / 16 * 16 + kRedzone;
    if (declared > kSharedLimit || used + padded > sizeof data) return nullptr;
    arrays.push_back({key, name, used, bytes});
    unsigned char* place = data + used;
    used += padded;
#if defined(__SANITIZE_ADDRESS__)
    ASAN_UNPOISON_MEMORY_REGION(place, bytes);
#else
    std::memset(place + bytes, 0xa5, padded - bytes);
#endif
    std::memset(place, 0xff, bytes);
    return place;
  }

  // The array beside which something was written, or null.
  const char* overrun() const {
#if !defined(__SANITIZE_ADDRESS__)
    const auto clean = [&](size_t from, size_t to) {
      return std::all_of(data + from, data + to, [](unsigned char byte) { return byte == 0xa5; });
    };
    for (size_t i = 0; i < arrays.size(); ++i) {
      const size_t end = arrays[i].offset + arrays[i].bytes;
      if ((i == 0 && !clean(0, arrays[i].offset)) || !clean(end, i + 1 < arrays.size() ? arrays[i + 1].offset : used)) {
        return arrays[i].name;
      }
    }
#endif
    return nullptr;
  }
};
SharedMemory shared_memory;

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
