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

// Opens what the library in `file` is going to open by soname, from its folder where the loader does not look there:
// cuDNN ends the process when it misses a part of itself. Returns why one cannot be opened, or nothing.
std::string open_siblings(const std::string& file, const std::vector<std::string>& sonames);

LibraryQuery driver_library();
// A cuBLASLt of CUDA 13 needs a driver of CUDA 13.
LibraryQuery cublas_lt_library(bool cuda_13);
LibraryQuery cudnn_library();
constexpr const char* kCudnnGraph = "libcudnn_graph.so.9";
inline std::vector<std::string> cudnn_parts() {
  return {kCudnnGraph, "libcudnn_engines_precompiled.so.9", "libcudnn_engines_runtime_compiled.so.9",
          "libcudnn_heuristic.so.9"};
}

// OSTRICH_CUDA_LIBRARIES: folders, separated by colons, that hold libraries, or wheels (nvidia/cudnn/lib), or a Python
// with them (lib/python3.12/site-packages/nvidia/cudnn/lib).
constexpr const char* kLibrariesVariable = "OSTRICH_CUDA_LIBRARIES";

}  // namespace ostrich::cuda
