// See libraries.h: what is there, and one sentence with the reason and the remedy for what is not.
#include "cuda/libraries.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

#include "cuda/dnn_cudnn.h"
#include "cuda/find_library.h"
#include "cuda/library_folders.h"

// The name after cuda.h's macros: cuMemAlloc is cuMemAlloc_v2.
#define OSTRICH_TEXT(name) #name
#define OSTRICH_NAME(name) OSTRICH_TEXT(name)

namespace ostrich::cuda {
namespace {

// The first that reads kernels as they are compressed (../cmake/cuda.cmake).
constexpr int kOldestDriver = 12040;

const std::string kFetch = "; run `npx ostrich cuda get`, which fetches it, or ";

struct Cudnn {
  FoundLibrary found;
  std::string unavailable;  // empty, or the reason and the remedy
};

struct Opened {
  Libraries table;
  Cudnn cudnn;
};

const Opened& opened();

// 13000 as "13.0", where a driver counts; 130002 and 92801 as "13.0.2" and "9.28.1", where cuBLASLt and cuDNN do.
std::string driver_version(int v) { return std::to_string(v / 1000) + "." + std::to_string(v % 1000 / 10); }
std::string library_version(size_t v) {
  // cuDNN 8 counted in other steps.
  const size_t major = v < 10000 ? 1000 : 10000;
  return std::to_string(v / major) + "." + std::to_string(v % major / 100) + "." + std::to_string(v % 100);
}

// With the file, and what was passed over before it.
std::string at(const std::string& version, const FoundLibrary& found) {
  return version + " (" + found.file + (found.tried.empty() ? "" : "; before it " + found.reasons()) + ")";
}

template <typename Function>
bool load(Function& function, void* library, const std::string& name) {
  void* symbol = dlsym(library, name.c_str());
  // New in 12.8, with the signature of the one before it.
  if (symbol == nullptr && name == "cuEventElapsedTime_v2") symbol = dlsym(library, "cuEventElapsedTime");
  function = reinterpret_cast<Function>(symbol);
  return symbol != nullptr;
}

std::string no_device() {
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  if (visible != nullptr) {
    return std::string("no CUDA device: CUDA_VISIBLE_DEVICES is '") + visible +
           "', which leaves none visible; unset it, or name a device that is there (nvidia-smi -L lists them)";
  }
  return "no CUDA device: the driver finds no NVIDIA GPU; see whether nvidia-smi lists one, and in a container run it "
         "with --gpus all";
}

std::string refused(const Driver& driver, CUresult result) {
  if (result == CUDA_ERROR_NO_DEVICE) return no_device();
  const char* name = nullptr;
  driver.cuGetErrorName(result, &name);
  std::string text = "the NVIDIA driver does not start: cuInit failed with ";
  text += name != nullptr ? name : std::to_string(int(result)).c_str();
  switch (result) {
    case CUDA_ERROR_STUB_LIBRARY:
      return text + ": libcuda.so.1 is the stub of a CUDA toolkit; take its folder out of LD_LIBRARY_PATH";
    case CUDA_ERROR_SYSTEM_DRIVER_MISMATCH:
      return text + ": the library and the kernel module are of different versions; restart the machine";
    case CUDA_ERROR_DEVICE_UNAVAILABLE:
      return text + ": another process holds the device in exclusive mode; end it, or choose another device";
    default:
      return text + "; see whether nvidia-smi works, and restart the machine or reinstall the driver if it does not";
  }
}

// Each of these two returns why the backend cannot be used, or nothing.
std::string open_driver(Libraries& table, int& version) {
  const LibraryQuery query = driver_library();
  const FoundLibrary found = find_library(query);
  if (found.handle == nullptr) {
    const bool chosen = found.tried.front().rfind(query.variable, 0) == 0;
    const bool is_absent = found.tried.front().rfind("libcuda.so.1: cannot open shared object file", 0) == 0;
    std::string text = "no NVIDIA driver: ";
    if (chosen) return text + found.reasons() + "; correct " + query.variable + " or unset it";
    text += is_absent ? "libcuda.so.1 was not found" : "libcuda.so.1 could not be opened (" + found.reasons() + ")";
    return text + "; install the driver, or in a container run it with --gpus all";
  }
  table.versions.emplace_back("CUDA driver", at("unknown", found));
  if (load(table.driver.cuDriverGetVersion, found.handle, "cuDriverGetVersion") &&
      table.driver.cuDriverGetVersion(&version) == CUDA_SUCCESS) {
    table.versions.back().second = at(driver_version(version), found);
  }
  if (version < kOldestDriver) {
    return "the NVIDIA driver is too old: " + found.file + " supports CUDA " + driver_version(version) + ", and CUDA " +
           driver_version(kOldestDriver) + " is needed; update the driver";
  }
  std::string missing;
#define OSTRICH_DRIVER(name) \
  if (!load(table.driver.name, found.handle, OSTRICH_NAME(name))) missing = OSTRICH_NAME(name);
#include "cuda/driver.def"
  if (!missing.empty()) {
    return "the NVIDIA driver lacks a function: " + found.file + " has no " + missing + "; update the driver";
  }
  const CUresult result = table.driver.cuInit(0);
  if (result != CUDA_SUCCESS) return refused(table.driver, result);
  int count = 0;
  if (table.driver.cuDeviceGetCount(&count) != CUDA_SUCCESS || count == 0) return no_device();
  return "";
}

std::string open_cublas_lt(Libraries& table, int driver) {
  const LibraryQuery query = cublas_lt_library(driver);
  const FoundLibrary found = find_library(query);
  const std::string remedy = kFetch + "install cuBLAS for CUDA " + std::to_string(driver / 1000) +
                             " (with the CUDA toolkit, or as a Python wheel), and where the loader does not find it "
                             "name its folder in " +
                             kLibrariesVariable + " or the file in " + query.variable;
  if (found.handle == nullptr) return "no cuBLASLt: " + found.reasons() + remedy;
  std::string missing;
#define OSTRICH_CUBLASLT(name) \
  if (!load(table.cublas_lt.name, found.handle, OSTRICH_NAME(name))) missing = OSTRICH_NAME(name);
#include "cuda/cublaslt.def"
  if (!missing.empty()) return "cuBLASLt lacks a function: " + found.file + " has no " + missing + remedy;
  table.versions.emplace_back("cuBLASLt", at(library_version(table.cublas_lt.cublasLtGetVersion()), found));
  return "";
}

// Its file is libcudnn.so.9 or libcudnn.so.9.28.1. Asked before any of its functions are called: one of another version
// may end the process for want of its other parts.
bool is_cudnn_9(const std::string& file) {
  std::error_code refused;
  const std::string name = std::filesystem::canonical(file, refused).filename().string();
  return name.rfind("libcudnn.so.", 0) != 0 || name.rfind("libcudnn.so.9", 0) == 0;
}

// Why it is no use, or nothing; `version` as far as it is known.
std::string examine_cudnn(const FoundLibrary& found, int driver, std::string& version) {
  const std::string oldest = ", and cuDNN " + library_version(kOldestCudnn) + " is needed";
  if (found.handle == nullptr) return "no cuDNN: " + found.reasons() + oldest;
  version = at("unknown", found);
  if (!is_cudnn_9(found.file)) return "cuDNN is too old: " + found.file + " is not of version 9" + oldest;
  const std::string missing = open_cudnn_graph(found);
  if (!missing.empty()) return "cuDNN is not whole: " + found.file + " is there, but " + missing;
  size_t (*version_of)() = nullptr;
  size_t (*cudart_of)() = nullptr;
  if (!load(version_of, found.handle, "cudnnGetVersion") || !load(cudart_of, found.handle, "cudnnGetCudartVersion")) {
    return "no cuDNN: " + found.file + " has no cudnnGetVersion";
  }
  version = at(library_version(version_of()), found);
  if (version_of() < kOldestCudnn) return "cuDNN is too old: it is version " + version + oldest;
  const int built_for = int(cudart_of());
  if (built_for / 1000 > driver / 1000) {
    return "cuDNN does not fit the driver: " + found.file + " is built for CUDA " + driver_version(built_for) +
           ", and the driver supports CUDA " + driver_version(driver);
  }
  return "";
}

std::string cudnn_remedy(int driver) {
  const std::string cuda = std::to_string(driver / 1000);
  return kFetch + "install cuDNN 9 for CUDA " + cuda + " (pip install nvidia-cudnn-cu" + cuda +
         "), and where the loader does not find it name its folder in " + kLibrariesVariable + " or the file in " +
         cudnn_library(driver).variable;
}

// Programs without convolutions need none, so that a reason is kept until one is asked for.
Cudnn find_cudnn(Libraries& table, int driver) {
  Cudnn cudnn{find_library(cudnn_library(driver)), ""};
  std::string version = "not found";
  cudnn.unavailable = examine_cudnn(cudnn.found, driver, version);
  if (!cudnn.unavailable.empty()) cudnn.unavailable += cudnn_remedy(driver);
  table.versions.emplace_back("cuDNN", cudnn.unavailable.empty() ? version : cudnn.unavailable);
  return cudnn;
}

std::unique_ptr<Dnn> open_dnn(Context& context) {
  const Cudnn& cudnn = opened().cudnn;
  std::string unavailable = cudnn.unavailable;
  if (unavailable.empty()) {
    const std::string missing = open_cudnn_parts(cudnn.found);
    if (!missing.empty())
      unavailable = "cuDNN without what it opens itself: " + missing + cudnn_remedy(context.facts().driver_version);
  }
  if (!unavailable.empty()) core::fail("ERR_NO_DEVICE", "cuda: expected cuDNN, got ", unavailable);
  return open_cudnn(context, cudnn.found.handle);
}

const Opened& opened() {
  // Never destroyed: buffers may be freed while the process ends.
  static const Opened* filled = [] {
    auto* all = new Opened;
    int driver = 0;
    all->table.open_dnn = open_dnn;
    all->table.unavailable = open_driver(all->table, driver);
    if (all->table.unavailable.empty()) all->table.unavailable = open_cublas_lt(all->table, driver);
    if (all->table.unavailable.empty()) all->cudnn = find_cudnn(all->table, driver);
    return all;
  }();
  return *filled;
}

}  // namespace

const Libraries& libraries() { return opened().table; }

}  // namespace ostrich::cuda
