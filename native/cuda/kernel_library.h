// Our own kernels: fatbins that are part of this shared object, loaded into a context and launched by name. A kernel
// takes one plain struct, which its .cu file and its factory share through one header.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "cuda/context.h"

namespace ostrich::cuda {

// The fatbins that are built in, by the name of their .cu file.
struct Fatbin {
  const char* name;
  const void* data;
};
extern const Fatbin kFatbins[];
extern const int kFatbinCount;

struct Grid {
  unsigned x = 1, y = 1, z = 1;
};

class Kernel {
 public:
  Kernel() = default;
  Kernel(const Context* context, CUfunction function) : context_(context), function_(function) {}

  // `args` is copied before this returns.
  template <class Args>
  void launch(CUstream stream, Grid grid, unsigned threads, const Args& args, unsigned shared_bytes = 0) const {
    void* pointers[] = {const_cast<Args*>(&args)};
    launch_raw(stream, grid, threads, shared_bytes, pointers);
  }

 private:
  void launch_raw(CUstream stream, Grid grid, unsigned threads, unsigned shared_bytes, void** pointers) const;
  const Context* context_ = nullptr;
  CUfunction function_ = nullptr;
};

class KernelLibrary {
 public:
  explicit KernelLibrary(std::shared_ptr<Context> context);
  ~KernelLibrary();
  KernelLibrary(const KernelLibrary&) = delete;
  KernelLibrary& operator=(const KernelLibrary&) = delete;

  // The kernel of this name in NAME.cu's fatbin; loaded now, so that nothing is loaded while a stream is captured.
  Kernel get(const std::string& file, const std::string& kernel);

 private:
  std::shared_ptr<Context> context_;
  std::map<std::string, CUlibrary> libraries_;
};

}  // namespace ostrich::cuda
