#include "cpu/bell.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <climits>

namespace ostrich::cpu {
namespace {

constexpr int64_t kPatience = 50'000;  // ns

int64_t now() { return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1); }

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t), "a futex is a plain word");
void futex(std::atomic<uint32_t>& word, int operation, uint32_t value) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), operation | FUTEX_PRIVATE_FLAG, value, nullptr, nullptr, 0);
}

}  // namespace

Bell::Patience::Patience() : end_(now() + kPatience) {}

bool Bell::Patience::left() const { return now() < end_; }

void Bell::ring() {
  ++rings_;
  if (sleepers_.load() > 0) futex(rings_, FUTEX_WAKE, INT_MAX);
}

void Bell::sleep(uint32_t heard) { futex(rings_, FUTEX_WAIT, heard); }

}  // namespace ostrich::cpu
