// Devices, contexts, errors, libraries of kernels and launches: see driver_double.h.
#include "driver_double.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "driver_state.h"

namespace ostrich::cuda::host {
namespace {

constexpr int kOldestCompressed = 12040;
thread_local int current = -1;

size_t setting(const char* name, size_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr || *text == 0 ? fallback : std::strtoull(text, nullptr, 10);
}

const std::pair<CUresult, const char*> kErrors[] = {
#define NAMED(code) \
  { code, #code }
    NAMED(CUDA_SUCCESS),
    NAMED(CUDA_ERROR_INVALID_VALUE),
    NAMED(CUDA_ERROR_OUT_OF_MEMORY),
    NAMED(CUDA_ERROR_INVALID_DEVICE),
    NAMED(CUDA_ERROR_INVALID_CONTEXT),
    NAMED(CUDA_ERROR_INVALID_HANDLE),
    NAMED(CUDA_ERROR_INVALID_IMAGE),
    NAMED(CUDA_ERROR_ILLEGAL_STATE),
    NAMED(CUDA_ERROR_NOT_FOUND),
    NAMED(CUDA_ERROR_NOT_READY),
    NAMED(CUDA_ERROR_NOT_SUPPORTED),
    NAMED(CUDA_ERROR_ILLEGAL_ADDRESS),
    NAMED(CUDA_ERROR_LAUNCH_FAILED),
    NAMED(CUDA_ERROR_LAUNCH_TIMEOUT),
    NAMED(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED),
    NAMED(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED),
    NAMED(CUDA_ERROR_STREAM_CAPTURE_UNMATCHED),
    NAMED(CUDA_ERROR_STREAM_CAPTURE_UNJOINED),
    NAMED(CUDA_ERROR_STREAM_CAPTURE_ISOLATION),
    NAMED(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD),
    NAMED(CUDA_ERROR_CAPTURED_EVENT),
#undef NAMED
};

bool is_device(CUdevice device) { return device >= 0 && size_t(device) < state().devices.size(); }
CUcontext context_of(int device) { return reinterpret_cast<CUcontext>(uintptr_t(device + 1) << 12); }

}  // namespace

State::State()
    : sm(int(setting("OSTRICH_DOUBLE_SM", 90))),
      driver_version(int(setting("OSTRICH_DOUBLE_DRIVER", CUDA_VERSION))),
      memory(setting("OSTRICH_DOUBLE_MEMORY", size_t(4) << 30)),
      idle(setting("OSTRICH_DOUBLE_IDLE", 0) != 0),
      random(setting("OSTRICH_DOUBLE_SEED", 1) * 0x9e3779b97f4a7c15ull | 1),
      devices(setting("OSTRICH_DOUBLE_DEVICES", 2)) {
  seed_order(setting("OSTRICH_DOUBLE_SEED", 1));
}

uint64_t State::draw() {  // xorshift64*
  random ^= random >> 12;
  random ^= random << 25;
  random ^= random >> 27;
  return random * 0x2545f4914f6cdd1dull >> 16;
}

State& state() {
  static State* instance = new State;  // threads of devices may outlive static objects
  return *instance;
}

int current_device() { return current; }

CUresult refuse_locked(CUresult code, const std::string& text) {
  state().refusal = text;
  std::fprintf(stderr, "CUDA double: %s\n", text.c_str());
  return code;
}

CUresult refuse(CUresult code, const std::string& text) {
  const Lock lock(state().mutex);
  return refuse_locked(code, text);
}

std::string last_refusal() {
  const Lock lock(state().mutex);
  return state().refusal;
}

CUresult ready(const char* call) {
  if (current < 0) {
    return refuse_locked(CUDA_ERROR_INVALID_CONTEXT, std::string(call) + ": expected a current context on this thread");
  }
  return state().devices[current].fault;
}

void spoil(Capture& capture) { capture.spoilt = true; }

CUresult unsafe(const char* call) {
  for (const auto& capture : state().captures) {
    const bool mine = capture->thread == std::this_thread::get_id();
    if (capture->mode == CU_STREAM_CAPTURE_MODE_RELAXED) continue;
    if (capture->mode == CU_STREAM_CAPTURE_MODE_THREAD_LOCAL && !mine) continue;
    spoil(*capture);
    return refuse_locked(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,
                         std::string(call) + ": expected no such call while a stream is captured");
  }
  return ready(call);
}

CUresult cuInit(unsigned) { return CUDA_SUCCESS; }

CUresult cuDriverGetVersion(int* version) {
  *version = state().driver_version;
  return CUDA_SUCCESS;
}

CUresult cuGetErrorName(CUresult error, const char** text) {
  for (const auto& [code, name] : kErrors) {
    if (code != error) continue;
    *text = name;
    return CUDA_SUCCESS;
  }
  *text = nullptr;
  return CUDA_ERROR_INVALID_VALUE;
}

CUresult cuGetErrorString(CUresult error, const char** text) {
  const char* name = nullptr;
  const CUresult result = host::cuGetErrorName(error, &name);
  *text = name == nullptr ? nullptr : "the double says more on stderr";
  return result;
}

CUresult cuDeviceGetCount(int* count) {
  *count = int(state().devices.size());
  return CUDA_SUCCESS;
}

CUresult cuDeviceGet(CUdevice* device, int ordinal) {
  *device = ordinal;
  return is_device(ordinal) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

CUresult cuDeviceGetName(char* name, int length, CUdevice device) {
  if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
  std::snprintf(name, size_t(length), "Host double %d", device);
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice device) {
  if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
  switch (attribute) {
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:
      *value = state().sm / 10;
      return CUDA_SUCCESS;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:
      *value = state().sm % 10;
      return CUDA_SUCCESS;
    case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT:
      *value = 3;
      return CUDA_SUCCESS;
    default:
      return refuse(CUDA_ERROR_INVALID_VALUE,
                    "cuDeviceGetAttribute: attribute " + std::to_string(attribute) + " is not doubled");
  }
}

CUresult cuDeviceTotalMem(size_t* bytes, CUdevice device) {
  *bytes = state().memory;
  return is_device(device) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
  const Lock lock(state().mutex);
  if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
  ++state().devices[device].retained;
  *context = context_of(device);
  return CUDA_SUCCESS;
}

// The last release frees all that the context held; a context retained again is a fresh one.
CUresult cuDevicePrimaryCtxRelease(CUdevice device) {
  const Lock lock(state().mutex);
  if (!is_device(device) || state().devices[device].retained == 0) {
    return refuse_locked(CUDA_ERROR_INVALID_CONTEXT, "cuDevicePrimaryCtxRelease: expected a retained context");
  }
  if (--state().devices[device].retained > 0) return CUDA_SUCCESS;
  drain_device(device);
  free_all(device);
  state().devices[device] = {};
  name_leftovers();
  return CUDA_SUCCESS;
}

CUresult cuCtxSetCurrent(CUcontext context) {
  const Lock lock(state().mutex);
  current = -1;
  if (context == nullptr) return CUDA_SUCCESS;
  for (size_t i = 0; i < state().devices.size(); ++i) {
    if (context == context_of(int(i)) && state().devices[i].retained > 0) current = int(i);
  }
  if (current >= 0) return CUDA_SUCCESS;  // also for a device with a fault: only what comes then fails
  return refuse_locked(CUDA_ERROR_INVALID_CONTEXT, "cuCtxSetCurrent: expected a retained context");
}

// The code is the name of a .cu file.
CUresult cuLibraryLoadData(CUlibrary* library, const void* code, CUjit_option*, void**, unsigned, CUlibraryOption*,
                           void**, unsigned) {
  const Lock lock(state().mutex);
  if (const CUresult result = unsafe("cuLibraryLoadData")) return result;
  if (state().driver_version < kOldestCompressed) return CUDA_ERROR_INVALID_IMAGE;
  const std::string file = static_cast<const char*>(code);
  if (!has_file(file)) {
    return refuse_locked(CUDA_ERROR_INVALID_IMAGE, "cuLibraryLoadData: expected a .cu file with kernels, got " + file);
  }
  *library = state().library_handles.add<CUlibrary>(std::make_shared<Library>(Library{file}));
  return CUDA_SUCCESS;
}

CUresult cuLibraryUnload(CUlibrary library) {
  const Lock lock(state().mutex);
  if (state().library_handles.remove(library)) return CUDA_SUCCESS;
  return refuse_locked(CUDA_ERROR_INVALID_HANDLE, "cuLibraryUnload: expected a loaded library");
}

CUresult cuLibraryGetKernel(CUkernel* kernel, CUlibrary library, const char* name) {
  const Lock lock(state().mutex);
  const auto found = state().library_handles.find(library);
  if (found == nullptr) {
    return refuse_locked(CUDA_ERROR_INVALID_HANDLE, "cuLibraryGetKernel: expected a loaded library");
  }
  const KernelEntry* entry = find_kernel(found->file, name);
  if (entry == nullptr) {
    return refuse_locked(CUDA_ERROR_NOT_FOUND,
                         "cuLibraryGetKernel: no kernel " + std::string(name) + " in " + found->file + ".cu");
  }
  *kernel = reinterpret_cast<CUkernel>(const_cast<KernelEntry*>(entry));
  return CUDA_SUCCESS;
}

CUresult cuKernelGetFunction(CUfunction* function, CUkernel kernel) {
  const Lock lock(state().mutex);
  if (const CUresult result = unsafe("cuKernelGetFunction")) return result;
  *function = reinterpret_cast<CUfunction>(kernel);
  return CUDA_SUCCESS;
}

namespace {

// What no device takes, or nothing.
std::string check_launch(const KernelEntry& entry, Grid3 grid, const unsigned (&block)[3], unsigned shared) {
  const auto got = [&](const std::string& what, uint64_t value) {
    return entry.name + ": expected " + what + ", got " + std::to_string(value);
  };
  if (grid.x < 1 || grid.x > 0x7fffffffu) return got("1 to 2147483647 blocks in x", grid.x);
  if (grid.y < 1 || grid.y > 0xffff) return got("1 to 65535 blocks in y", grid.y);
  if (grid.z < 1 || grid.z > 0xffff) return got("1 to 65535 blocks in z", grid.z);
  if (block[0] < 1 || block[0] > entry.max_threads) {
    return got("1 to " + std::to_string(entry.max_threads) + " threads", block[0]);
  }
  if (block[1] != 1 || block[2] != 1) return entry.name + ": expected a block of one axis";
  if (shared != 0) return got("no dynamic shared memory", shared);
  return "";
}

}  // namespace

CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                        unsigned block_y, unsigned block_z, unsigned shared, CUstream handle, void** parameters,
                        void** extra) {
  const Lock lock(state().mutex);
  CUresult result = CUDA_SUCCESS;
  const auto stream = stream_of("cuLaunchKernel", handle, result);
  if (stream == nullptr) return result;
  if (function == nullptr || parameters == nullptr || extra != nullptr) {
    return refuse_locked(CUDA_ERROR_INVALID_VALUE, "cuLaunchKernel: expected a function and its parameters");
  }
  const KernelEntry& entry = *reinterpret_cast<const KernelEntry*>(function);
  const Grid3 grid = {grid_x, grid_y, grid_z};
  const std::string wrong = check_launch(entry, grid, {block_x, block_y, block_z}, shared);
  if (!wrong.empty()) return refuse_locked(CUDA_ERROR_INVALID_VALUE, "cuLaunchKernel: " + wrong);
  // Aligned as the struct is: nothing in one needs more than 16 bytes.
  struct alignas(16) Args {
    char bytes[4096];
  };
  const auto args = std::make_shared<Args>();
  std::memcpy(args->bytes, parameters[0], std::min(entry.args_bytes, sizeof args->bytes));
  return append(*stream, entry.name,
                [&entry, grid, block_x, args] { return launch(entry, grid, block_x, args->bytes); });
}

}  // namespace ostrich::cuda::host
