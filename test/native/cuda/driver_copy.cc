// Copies and fills, each checked when it is asked for and when it runs: see driver_double.h.
#include <cstring>

#include "driver_state.h"

namespace ostrich::cuda::host {
namespace {

std::string outside_pinned(const void* data, size_t bytes, const std::string& what) {
  if (within(data, bytes, true)) return "";
  return what + ": " + std::to_string(bytes) + " bytes are no longer pinned memory";
}

// Plain memory of the host, as far as one can tell.
bool is_pageable(const void* data) { return holder(data) == nullptr; }

}  // namespace

// From pageable memory the driver takes the bytes before it returns, and writes them some time later.
CUresult cuMemcpyHtoDAsync(CUdeviceptr to, const void* from, size_t bytes, CUstream handle) {
  const Lock lock(state().mutex);
  CUresult result = CUDA_SUCCESS;
  const auto stream = stream_of("cuMemcpyHtoDAsync", handle, result);
  if (stream == nullptr || bytes == 0) return result;
  void* target = reinterpret_cast<void*>(to);
  const std::string wrong = outside(target, bytes, "cuMemcpyHtoDAsync to");
  if (!wrong.empty()) return refuse_locked(CUDA_ERROR_INVALID_VALUE, wrong);
  if (within(from, bytes, true)) {
    return append(*stream, "copy to the device", [=] {
      std::string late = outside(target, bytes, "the target");
      if (late.empty()) late = outside_pinned(from, bytes, "the source");
      if (late.empty()) std::memcpy(target, from, bytes);
      return late;
    });
  }
  if (!is_pageable(from) || stream->capture != nullptr) {
    if (stream->capture != nullptr) spoil(*stream->capture);
    return refuse_locked(CUDA_ERROR_INVALID_VALUE, "cuMemcpyHtoDAsync from: expected pinned memory of this size");
  }
  if ((result = drain_stream(*stream)) || state().idle) return result;
  const char* source = static_cast<const char*>(from);
  return append(*stream, "copy to the device", [=, staged = std::vector<char>(source, source + bytes)] {
    const std::string late = outside(target, bytes, "the target");
    if (late.empty()) std::memcpy(target, staged.data(), bytes);
    return late;
  });
}

// Into pageable memory it returns when the bytes are there.
CUresult cuMemcpyDtoHAsync(void* to, CUdeviceptr from, size_t bytes, CUstream handle) {
  const Lock lock(state().mutex);
  CUresult result = CUDA_SUCCESS;
  const auto stream = stream_of("cuMemcpyDtoHAsync", handle, result);
  if (stream == nullptr || bytes == 0) return result;
  const void* source = reinterpret_cast<const void*>(from);
  const std::string wrong = outside(source, bytes, "cuMemcpyDtoHAsync from");
  if (!wrong.empty()) return refuse_locked(CUDA_ERROR_INVALID_VALUE, wrong);
  if (within(to, bytes, true)) {
    return append(*stream, "copy to the host", [=] {
      std::string late = outside(source, bytes, "the source");
      if (late.empty()) late = outside_pinned(to, bytes, "the target");
      if (late.empty()) std::memcpy(to, source, bytes);
      return late;
    });
  }
  if (!is_pageable(to) || stream->capture != nullptr) {
    if (stream->capture != nullptr) spoil(*stream->capture);
    return refuse_locked(CUDA_ERROR_INVALID_VALUE, "cuMemcpyDtoHAsync to: expected pinned memory of this size");
  }
  if ((result = drain_stream(*stream))) return result;
  std::memcpy(to, source, bytes);
  return CUDA_SUCCESS;
}

CUresult cuMemcpyDtoDAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream handle) {
  const Lock lock(state().mutex);
  CUresult result = CUDA_SUCCESS;
  const auto stream = stream_of("cuMemcpyDtoDAsync", handle, result);
  if (stream == nullptr || bytes == 0) return result;
  const auto check = [=]() -> std::string {
    std::string wrong = outside(reinterpret_cast<void*>(to), bytes, "copy: the target");
    if (wrong.empty()) wrong = outside(reinterpret_cast<void*>(from), bytes, "copy: the source");
    if (wrong.empty() && to < from + bytes && from < to + bytes) wrong = "copy: the target overlaps the source";
    return wrong;
  };
  if (const std::string wrong = check(); !wrong.empty()) return refuse_locked(CUDA_ERROR_INVALID_VALUE, wrong);
  return append(*stream, "copy on the device", [=] {
    const std::string late = check();
    if (late.empty()) std::memcpy(reinterpret_cast<void*>(to), reinterpret_cast<void*>(from), bytes);
    return late;
  });
}

CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t bytes, CUstream handle) {
  const Lock lock(state().mutex);
  CUresult result = CUDA_SUCCESS;
  const auto stream = stream_of("cuMemsetD8Async", handle, result);
  if (stream == nullptr || bytes == 0) return result;
  void* target = reinterpret_cast<void*>(to);
  const std::string wrong = outside(target, bytes, "cuMemsetD8Async");
  if (!wrong.empty()) return refuse_locked(CUDA_ERROR_INVALID_VALUE, wrong);
  return append(*stream, "memset", [=] {
    const std::string late = outside(target, bytes, "the target");
    if (late.empty()) std::memset(target, value, bytes);
    return late;
  });
}

}  // namespace ostrich::cuda::host
