// Where NVIDIA's libraries may lie outside of the folders that the system's loader knows.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ostrich::cuda {

struct LibraryFolders {
  std::vector<std::filesystem::path> all;  // that are there, best first
  std::vector<std::string> wrong;          // variables that name no folder
};

// OSTRICH_CUDA_LIBRARIES: folders, separated by colons, that hold libraries, or wheels (nvidia/cudnn/lib), or a Python
// with them (lib/python3.12/site-packages/nvidia/cudnn/lib).
constexpr const char* kLibrariesVariable = "OSTRICH_CUDA_LIBRARIES";
LibraryFolders chosen_folders();

// Those of CUDA_HOME and CUDA_PATH, of the Python environment, and of what `ostrich cuda get` fetched for these
// versions of CUDA, "13" or "12".
LibraryFolders known_folders(const std::vector<std::string>& fetched);

// In order of name, so that what is found does not depend on the file system.
std::vector<std::filesystem::path> inside(const std::filesystem::path& folder);

}  // namespace ostrich::cuda
