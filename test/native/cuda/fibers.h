// Threads of a block that work together: each is a fiber with a stack of its own, entered and left by a few
// instructions. The fibers are made once and serve every block of every kernel. One at a time runs; `main` is the loop
// that chooses the next one.
#pragma once

#include <cstddef>
#include <cstdint>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace ostrich::cuda::host {

constexpr unsigned kMaxThreads = 1024;

#if defined(__x86_64__)
using Point = void*;
#else
using Point = ucontext_t;
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

Pool& pool();
void make_fibers(unsigned count);
// Runs the fiber as this thread of the block until it leaves; called from the loop.
void enter(Fiber& fiber, unsigned thread);
// Back to the loop; called from a fiber.
void leave();

}  // namespace ostrich::cuda::host
