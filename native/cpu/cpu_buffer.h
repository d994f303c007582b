// Memory of one variable on the CPU, in the layout that the first program to bind it chose.
#pragma once

#include <memory>

#include "backend/backend.h"
#include "cpu/layout.h"

namespace ostrich::cpu {

// Zeroed memory on whole cache lines. Throws ERR_OUT_OF_MEMORY saying what was asked for and what is available.
class AlignedMemory {
 public:
  AlignedMemory() = default;
  AlignedMemory(size_t bytes, const char* what);
  // Zeros that are only read: they take no memory until somebody writes there.
  static AlignedMemory zeros(size_t bytes, const char* what);
  char* data() const { return data_.get(); }

 private:
  struct Free {
    Free() : mapped(0) {}
    explicit Free(size_t bytes) : mapped(bytes) {}
    size_t mapped;  // bytes; 0 for memory of the heap
    void operator()(char* data) const;
  };
  std::unique_ptr<char, Free> data_;
};

class CpuBuffer : public backend::Buffer {
 public:
  explicit CpuBuffer(backend::BufferSpec spec);

  const Layout& layout() const { return layout_; }
  char* data() const { return memory_.data(); }
  size_t bytes() const { return size_t(layout_.elements()) * core::size_of(spec().dtype); }
  // False until a program has bound it: then its layout is fixed.
  bool has_home() const { return has_home_; }
  void keep_home() { has_home_ = true; }
  // Moves the contents to `layout`. Only while it has no home.
  void set_home(const Layout& layout);

  void upload(const void* host);
  void download(void* host) const;

 private:
  Layout layout_;
  AlignedMemory memory_;
  bool has_home_ = false;
};

// Copies every logical element from one layout to another; padding of the target is zero. Any layout, any element size.
void permute(const void* source, const Layout& from, void* target, const Layout& to, size_t element_bytes);

}  // namespace ostrich::cpu
