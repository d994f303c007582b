// Opens one of NVIDIA's libraries at run time: the file that an environment variable names; else by the system's
// loader; else in the folders of a CUDA toolkit; else in the layout of NVIDIA's Python wheels.
#pragma once

#include <string>
#include <vector>

namespace ostrich::cuda {

struct LibraryQuery {
  std::string variable;              // names the file; where it is set no other is tried
  std::vector<std::string> sonames;  // best first
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
// A cuBLASLt of CUDA 13 needs a driver of CUDA 13.
LibraryQuery cublas_lt_library(bool cuda_13);
LibraryQuery cudnn_library();

// OSTRICH_CUDA_LIBRARIES: folders, separated by colons, that hold libraries, or wheels (nvidia/cudnn/lib), or a Python
// with them (lib/python3.12/site-packages/nvidia/cudnn/lib).
constexpr const char* kLibrariesVariable = "OSTRICH_CUDA_LIBRARIES";

}  // namespace ostrich::cuda
