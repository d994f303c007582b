// Device memory of one variable, in the layout that the first program to bind it chose.
#pragma once

#include <memory>

#include "backend/backend.h"
#include "cuda/context.h"
#include "cuda/layout.h"

namespace ostrich::cuda {

class CudaBuffer : public backend::Buffer {
 public:
  CudaBuffer(std::shared_ptr<Context> context, CUstream stream, backend::BufferSpec spec);

  const Layout& layout() const { return layout_; }
  char* data() const { return memory_.data(); }
  size_t bytes() const { return memory_.bytes(); }
  // False until a program has bound it: then its layout is fixed.
  bool has_home() const { return has_home_; }
  void keep_home() { has_home_ = true; }
  // Moves the contents to `layout`, which is not padded. Only while it has no home.
  void set_home(const Layout& layout);

  // Row-major host data; both return when it is done.
  void upload(const void* host);
  void download(void* host) const;

 private:
  std::shared_ptr<Context> context_;
  CUstream stream_;
  Layout layout_;
  DeviceMemory memory_;
  bool has_home_ = false;
};

}  // namespace ostrich::cuda
