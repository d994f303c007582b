// See kernel_library.h.
#include "cuda/kernel_library.h"

#include <algorithm>
#include <utility>

namespace ostrich::cuda {

void Kernel::launch_raw(CUstream stream, Grid grid, unsigned threads, unsigned shared_bytes, void** pointers) const {
  OSTRICH_CU(*context_,
             cuLaunchKernel(function_, grid.x, grid.y, grid.z, threads, 1, 1, shared_bytes, stream, pointers, nullptr));
}

KernelLibrary::KernelLibrary(std::shared_ptr<Context> context) : context_(std::move(context)) {}

KernelLibrary::~KernelLibrary() {
  for (const auto& [file, library] : libraries_) context_->driver().cuLibraryUnload(library);
}

Kernel KernelLibrary::get(const std::string& file, const std::string& kernel) {
  auto known = libraries_.find(file);
  if (known == libraries_.end()) {
    const Fatbin* end = kFatbins + kFatbinCount;
    const Fatbin* found = std::find_if(kFatbins, end, [&](const Fatbin& fatbin) { return fatbin.name == file; });
    OSTRICH_CHECK(found != end);
    CUlibrary library = nullptr;
    OSTRICH_CU(*context_, cuLibraryLoadData(&library, found->data, nullptr, nullptr, 0, nullptr, nullptr, 0));
    known = libraries_.emplace(file, library).first;
  }
  CUkernel handle = nullptr;
  OSTRICH_CU(*context_, cuLibraryGetKernel(&handle, known->second, kernel.c_str()));
  CUfunction function = nullptr;
  OSTRICH_CU(*context_, cuKernelGetFunction(&function, handle));
  return {context_.get(), function};
}

}  // namespace ostrich::cuda
