#include "cpu/cpu_buffer.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "core/error.h"
#include "cpu/parallel.h"

namespace ostrich::cpu {

namespace {

constexpr int64_t kAlone = 32768;  // elements below which one thread does it all
constexpr size_t kPage = 4096;
constexpr size_t kHugePage = size_t(2) << 20;

// Linux hands out more memory than there is and kills the process later: ask before. 0 when unknown.
size_t available_bytes() {
  std::ifstream meminfo("/proc/meminfo");
  std::string key, unit;
  for (size_t kib; meminfo >> key >> kib >> unit;) {
    if (key == "MemAvailable:") return kib << 10;
  }
  return 0;
}

[[noreturn]] void out_of_memory(size_t bytes, size_t available, const char* what) {
  core::fail("ERR_OUT_OF_MEMORY", what, ": expected ", bytes, " bytes of memory, got none: ", available >> 20,
             " MiB are available");
}

}  // namespace

AlignedMemory::AlignedMemory(size_t bytes, const char* what) {
  const size_t alignment = bytes >= kHugePage ? kHugePage : kPage;
  const size_t rounded = (std::max<size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
  const size_t available = rounded > (size_t(64) << 20) ? available_bytes() : 0;
  if (available > 0 && rounded > available) out_of_memory(bytes, available, what);
  char* data = static_cast<char*>(std::aligned_alloc(alignment, rounded));
  if (data == nullptr) out_of_memory(bytes, available_bytes(), what);
  data_.reset(data);
  if (alignment == kHugePage) madvise(data, rounded, MADV_HUGEPAGE);
  std::memset(data, 0, rounded);
}

AlignedMemory AlignedMemory::zeros(size_t bytes, const char* what) {
  const size_t size = std::max<size_t>(bytes, 1);
  void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) out_of_memory(bytes, available_bytes(), what);
  AlignedMemory memory;
  memory.data_ = std::unique_ptr<char, Free>(static_cast<char*>(data), Free(size));
  return memory;
}

void AlignedMemory::Free::operator()(char* data) const {
  if (mapped > 0) {
    munmap(data, mapped);
  } else {
    std::free(data);
  }
}

CpuBuffer::CpuBuffer(backend::BufferSpec spec)
    : Buffer(std::move(spec)),
      layout_(Layout::row_major(this->spec().shape)),
      memory_(bytes(), this->spec().name.c_str()) {}

void CpuBuffer::set_home(const Layout& layout) {
  OSTRICH_CHECK(!has_home_);
  if (layout != layout_) {
    AlignedMemory next(size_t(layout.elements()) * core::size_of(spec().dtype), spec().name.c_str());
    permute(data(), layout_, next.data(), layout, core::size_of(spec().dtype));
    memory_ = std::move(next);
    layout_ = layout;
  }
  has_home_ = true;
}

void CpuBuffer::upload(const void* host) {
  permute(host, Layout::row_major(spec().shape), data(), layout_, core::size_of(spec().dtype));
}

void CpuBuffer::download(void* host) const {
  permute(data(), layout_, host, Layout::row_major(spec().shape), core::size_of(spec().dtype));
}

namespace {

// Physical offset of each index along one axis: strides and blocks of different axes add up, so one table per axis.
std::vector<std::vector<int64_t>> axis_offsets(const Layout& layout) {
  std::vector<std::vector<int64_t>> tables(layout.dims.size());
  core::Shape index(layout.dims.size(), 0);
  for (size_t axis = 0; axis < layout.dims.size(); ++axis) {
    tables[axis].resize(size_t(layout.dims[axis]));
    for (int64_t i = 0; i < layout.dims[axis]; ++i) {
      index[axis] = i;
      tables[axis][size_t(i)] = layout.offset(index);
    }
    index[axis] = 0;
  }
  return tables;
}

template <typename T>
void permute_elements(const T* source, const Layout& from, T* target, const Layout& to) {
  const auto in = axis_offsets(from), out = axis_offsets(to);
  const size_t rank = from.dims.size();
  const int64_t inner = from.dims[rank - 1], outer = core::count(from.dims) / inner;
  parallel_for(
      team_size(), outer, kAlone / inner,
      [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row) {
          int64_t rest = row, a = 0, b = 0;
          for (size_t axis = rank - 1; axis-- > 0;) {
            const size_t i = size_t(rest % from.dims[axis]);
            rest /= from.dims[axis];
            a += in[axis][i];
            b += out[axis][i];
          }
          for (int64_t i = 0; i < inner; ++i)
            target[b + out[rank - 1][size_t(i)]] = source[a + in[rank - 1][size_t(i)]];
        }
      },
      1);
}

}  // namespace

void permute(const void* source, const Layout& from, void* target, const Layout& to, size_t element_bytes) {
  OSTRICH_CHECK(from.dims == to.dims);
  const size_t bytes = size_t(to.elements()) * element_bytes;
  if (from == to) {
    std::memcpy(target, source, bytes);
    return;
  }
  if (to.has_padding()) std::memset(target, 0, bytes);
  switch (element_bytes) {
    case 4:
      return permute_elements(static_cast<const uint32_t*>(source), from, static_cast<uint32_t*>(target), to);
    case 2:
      return permute_elements(static_cast<const uint16_t*>(source), from, static_cast<uint16_t*>(target), to);
    default:
      return permute_elements(static_cast<const uint8_t*>(source), from, static_cast<uint8_t*>(target), to);
  }
}

}  // namespace ostrich::cpu
