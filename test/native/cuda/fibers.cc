// See fibers.h.
#include "fibers.h"

#include <sys/mman.h>

#include <cstdlib>

#include "host_runtime.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace ostrich::cuda::host {

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr size_t kStack = 256 << 10;
#else
constexpr size_t kStack = 64 << 10;
#endif

#if defined(__x86_64__)
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
void swap_points(Point& from, Point& to) { swapcontext(&from, &to); }
void make_point(Point& point, char* stack, void (*entry)()) {
  getcontext(&point);
  point.uc_stack.ss_sp = stack;
  point.uc_stack.ss_size = kStack;
  makecontext(&point, entry, 0);
}
#endif

}  // namespace

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

static void fiber_main() {
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

}  // namespace ostrich::cuda::host
