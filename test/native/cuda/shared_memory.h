// What threads of a block share, by the place of its declaration, each with a zone around it that nobody may write.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace ostrich::cuda::host {

constexpr size_t kSharedLimit = 48 << 10;
constexpr size_t kRedzone = 64;

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

}  // namespace ostrich::cuda::host
