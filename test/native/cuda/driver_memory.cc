// Device memory and pinned memory: see driver_double.h. Every allocation starts full of NaNs and lies between
// two guards; freed memory keeps its place for a while, full of NaNs, so that a late write is found and never hits
// something else.
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "driver_state.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace ostrich::cuda::host {
namespace {

// A device aligns to 256 bytes. The double aligns to no more, so that nothing comes to rely on more.
constexpr size_t kAlignment = 256, kGuard = 1024 + kAlignment;
constexpr size_t kQuarantine = size_t(256) << 20;
constexpr uint16_t kPoison = 0x7fc5, kGuardMark = 0x7fd3;

void fill(void* data, size_t bytes, uint16_t mark) {
  char* to = static_cast<char*>(data);
  for (size_t i = 0; i < bytes; ++i) to[i] = char(i % 2 == 0 ? mark & 0xff : mark >> 8);
}

bool is_filled(const char* data, size_t bytes, uint16_t mark) {
  for (size_t i = 0; i < bytes; ++i) {
    if (data[i] != char(i % 2 == 0 ? mark & 0xff : mark >> 8)) return false;
  }
  return true;
}

size_t block_bytes(const Allocation& allocation) {
  return (allocation.bytes + kAlignment - 1) / kAlignment * kAlignment + 2 * kGuard + kAlignment;
}

void hide(void* data, size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  ASAN_POISON_MEMORY_REGION(data, bytes);
#else
  (void)data, (void)bytes;
#endif
}

// Blocks whose memory was freed.
struct Quarantine {
  struct Item {
    char* data;
    Allocation allocation;
  };
  std::deque<Item> items;
  size_t bytes = 0;
};
Quarantine& quarantine() {
  static Quarantine* instance = new Quarantine;
  return *instance;
}

void let_go(const Quarantine::Item& item) {
#if defined(__SANITIZE_ADDRESS__)
  ASAN_UNPOISON_MEMORY_REGION(item.allocation.block, block_bytes(item.allocation));
#endif
  if (!is_filled(item.data, item.allocation.bytes, kPoison)) {
    refuse_locked(CUDA_ERROR_ILLEGAL_ADDRESS,
                  std::to_string(item.allocation.bytes) + " bytes of memory were written to after they had been freed");
    if (!item.allocation.pinned) state().devices[item.allocation.device].fault = CUDA_ERROR_ILLEGAL_ADDRESS;
  }
  std::free(item.allocation.block);
}

// Idle memory is all zeros, and is real only where it is touched.
char* take_block(size_t bytes) {
  if (!state().idle) return static_cast<char*>(std::aligned_alloc(2 * kAlignment, (bytes + 511) / 512 * 512));
  void* block = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return block == MAP_FAILED ? nullptr : static_cast<char*>(block);
}

char* allocate(size_t bytes, bool pinned) {
  Allocation allocation{current_device(), pinned, bytes, nullptr};
  const size_t total = block_bytes(allocation);
  allocation.block = take_block(total);
  if (allocation.block == nullptr) return nullptr;
  // The guard's size makes this an odd multiple of the alignment.
  char* data = allocation.block + kGuard;
  fill(allocation.block, kGuard, kGuardMark);
  if (!state().idle) fill(data, bytes, kPoison);
  fill(data + bytes, total - kGuard - bytes, kGuardMark);
  hide(allocation.block, kGuard);
  hide(data + bytes, total - kGuard - bytes);
  state().allocations[data] = allocation;
  return data;
}

void release(std::map<char*, Allocation>::iterator found) {
  const Quarantine::Item item{found->first, found->second};
  if (!item.allocation.pinned) state().devices[item.allocation.device].used -= item.allocation.bytes;
  state().allocations.erase(found);
  if (state().idle) {
    munmap(item.allocation.block, block_bytes(item.allocation));
    return;
  }
  fill(item.data, item.allocation.bytes, kPoison);
  hide(item.data, item.allocation.bytes);
  Quarantine& kept = quarantine();
  kept.items.push_back(item);
  kept.bytes += item.allocation.bytes;
  while (kept.bytes > kQuarantine || kept.items.size() > 4096) {
    kept.bytes -= kept.items.front().allocation.bytes;
    let_go(kept.items.front());
    kept.items.pop_front();
  }
}

CUresult free_memory(const char* call, char* data, bool pinned) {
  if (const CUresult result = unsafe(call)) return result;
  const auto found = state().allocations.find(data);
  if (found == state().allocations.end() || found->second.pinned != pinned) {
    return refuse_locked(CUDA_ERROR_INVALID_VALUE, std::string(call) + ": expected memory that is allocated");
  }
  // Freeing device memory waits for the device; of pinned memory nothing is promised.
  const CUresult result = pinned ? CUDA_SUCCESS : drain_device(found->second.device);
  const std::string wrong = overrun();
  release(found);
  if (wrong.empty()) return result;
  if (!pinned) state().devices[current_device()].fault = CUDA_ERROR_ILLEGAL_ADDRESS;
  return refuse_locked(CUDA_ERROR_ILLEGAL_ADDRESS, std::string(call) + ": " + wrong);
}

}  // namespace

void poison(void* data, size_t bytes) { fill(data, bytes, kPoison); }

std::pair<char* const, Allocation>* holder(const void* data) {
  auto& all = state().allocations;
  auto found = all.upper_bound(static_cast<char*>(const_cast<void*>(data)));
  if (found == all.begin()) return nullptr;
  --found;
  return static_cast<const char*>(data) < found->first + found->second.bytes ? &*found : nullptr;
}

bool within(const void* data, size_t bytes, bool pinned) {
  const auto* found = holder(data);
  return found != nullptr && found->second.pinned == pinned &&
         bytes <= size_t(found->first + found->second.bytes - static_cast<const char*>(data));
}

std::string outside(const void* data, size_t bytes, const std::string& what) {
  if (bytes == 0 || within(data, bytes, false)) return "";
  const auto* found = holder(data);
  if (found == nullptr) return what + ": expected device memory, got an address that is not allocated";
  if (found->second.pinned) return what + ": expected device memory, got pinned host memory";
  const size_t left = size_t(found->first + found->second.bytes - static_cast<const char*>(data));
  return what + ": " + std::to_string(bytes) + " bytes, but the allocation ends after " + std::to_string(left);
}

std::string overrun() {
#if !defined(__SANITIZE_ADDRESS__)
  for (auto& [data, allocation] : state().allocations) {
    char* end = data + allocation.bytes;
    const size_t behind = size_t(allocation.block + block_bytes(allocation) - end);
    const bool before = !is_filled(allocation.block, kGuard, kGuardMark);
    if (!before && is_filled(end, behind, kGuardMark)) continue;
    fill(allocation.block, kGuard, kGuardMark);  // said once
    fill(end, behind, kGuardMark);
    return std::string("something was written ") + (before ? "before" : "behind") + " an allocation of " +
           std::to_string(allocation.bytes) + " bytes";
  }
#endif
  return "";
}

void free_all(int device) {
  auto& all = state().allocations;
  for (auto at = all.begin(); at != all.end();) {
    const auto here = at++;
    if (here->second.pinned || here->second.device != device) continue;
    refuse_locked(CUDA_SUCCESS, "a context ends that still holds " + std::to_string(here->second.bytes) + " bytes");
    release(here);
  }
  for (const Quarantine::Item& item : quarantine().items) let_go(item);
  quarantine() = {};
}

void name_leftovers() {
  const State& all = state();
  for (const Device& device : all.devices) {
    if (device.retained > 0) return;
  }
  const auto is_pinned = [](const auto& entry) { return entry.second.pinned; };
  const std::pair<const char*, size_t> left[] = {
      {"streams", all.stream_handles.count()},
      {"events", all.event_handles.count()},
      {"graphs", all.graph_handles.count()},
      {"instantiated graphs", all.exec_handles.count()},
      {"libraries", all.library_handles.count()},
      {"blocks of pinned memory", size_t(std::count_if(all.allocations.begin(), all.allocations.end(), is_pinned))}};
  for (const auto& [what, count] : left) {
    if (count > 0)
      refuse_locked(CUDA_SUCCESS, "the last context ends and leaves " + std::to_string(count) + " " + what);
  }
}

CUresult cuMemGetInfo(size_t* free, size_t* total) {
  const Lock lock(state().mutex);
  if (const CUresult result = ready("cuMemGetInfo")) return result;
  *total = state().memory;
  *free = state().memory - state().devices[current_device()].used;
  return CUDA_SUCCESS;
}

CUresult cuMemAlloc(CUdeviceptr* pointer, size_t bytes) {
  const Lock lock(state().mutex);
  if (const CUresult result = unsafe("cuMemAlloc")) return result;
  if (bytes == 0) return refuse_locked(CUDA_ERROR_INVALID_VALUE, "cuMemAlloc: expected at least one byte");
  Device& device = state().devices[current_device()];
  if (bytes > state().memory - device.used) return CUDA_ERROR_OUT_OF_MEMORY;
  char* data = allocate(bytes, false);
  if (data == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  device.used += bytes;
  *pointer = reinterpret_cast<CUdeviceptr>(data);
  return CUDA_SUCCESS;
}

CUresult cuMemFree(CUdeviceptr pointer) {
  const Lock lock(state().mutex);
  return free_memory("cuMemFree", reinterpret_cast<char*>(pointer), false);
}

CUresult cuMemHostAlloc(void** pointer, size_t bytes, unsigned) {
  const Lock lock(state().mutex);
  if (const CUresult result = unsafe("cuMemHostAlloc")) return result;
  *pointer = allocate(bytes, true);
  return *pointer == nullptr ? CUDA_ERROR_OUT_OF_MEMORY : CUDA_SUCCESS;
}

CUresult cuMemFreeHost(void* pointer) {
  const Lock lock(state().mutex);
  return free_memory("cuMemFreeHost", static_cast<char*>(pointer), true);
}

}  // namespace ostrich::cuda::host
