// Opens one of NVIDIA's libraries at run time: the file that an environment variable names; else, in this order, from
// the folders of OSTRICH_CUDA_LIBRARIES, by the system's loader, from a CUDA toolkit, from a Python environment, and
// from what `ostrich cuda get` fetched.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace ostrich::cuda {

struct LibraryQuery {
  std::string variable;              // names the file; where it is set no other is tried
  std::vector<std::string> sonames;  // best first
  std::vector<std::string> fetched;  // versions of CUDA whose fetched libraries will do, best first
  // Why a file, of which nothing was called yet, is passed over, or nothing.
  std::function<std::string(const std::string& file)> refuse;
};

struct FoundLibrary {
  void* handle = nullptr;  // never closed
  std::string file;
  std::vector<std::string> tried;  // what was looked for and why it was not that
  std::string reasons() const;     // all of `tried`, in one line
};

FoundLibrary find_library(const LibraryQuery& query);

// cuDNN opens its parts and other libraries by soname, and ends the process when it misses one. These open them before
// it does, from where the loader would not look; they return why one cannot be opened, or nothing. The first: as much
// as its version takes. The second: all; this takes a while.
std::string open_cudnn_graph(const FoundLibrary& cudnn);
std::string open_cudnn_parts(const FoundLibrary& cudnn);

LibraryQuery driver_library();
// The driver's version, 13000 for 13.0: a library of CUDA 13 needs a driver of CUDA 13.
LibraryQuery cublas_lt_library(int driver);
LibraryQuery cudnn_library(int driver);

}  // namespace ostrich::cuda
