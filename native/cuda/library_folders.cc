// See library_folders.h.
#include "cuda/library_folders.h"

#include <algorithm>
#include <sstream>

#include "cuda/user_cache.h"

namespace ostrich::cuda {
namespace {

namespace fs = std::filesystem;

class Finder {
 public:
  LibraryFolders found;

  void add(const fs::path& folder) {
    std::error_code refused;
    if (fs::is_directory(folder, refused)) found.all.push_back(folder);
  }
  void add_wheels(const fs::path& packages) {
    for (const fs::path& package : inside(packages / "nvidia")) add(package / "lib");
  }
  void add_python(const fs::path& prefix) {
    for (const fs::path& python : inside(prefix / "lib")) {
      if (python.filename().string().rfind("python3", 0) == 0) add_wheels(python / "site-packages");
    }
  }
  // Whether the variable, or this part of it, names a folder; noted where not.
  bool check(const char* variable, const std::string& folder) {
    if (folder.empty()) return false;
    std::error_code refused;
    if (fs::is_directory(folder, refused)) return true;
    found.wrong.push_back(std::string(variable) + "=" + folder + " is no folder");
    return false;
  }
};

}  // namespace

std::vector<fs::path> inside(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code refused;
  for (fs::directory_iterator entry(folder, refused), end; !refused && entry != end; entry.increment(refused)) {
    entries.push_back(entry->path());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

LibraryFolders chosen_folders() {
  Finder finder;
  std::istringstream named(environment(kLibrariesVariable));
  for (std::string folder; std::getline(named, folder, ':');) {
    if (!finder.check(kLibrariesVariable, folder)) continue;
    finder.add(folder);
    finder.add_wheels(folder);
    finder.add_python(folder);
  }
  return finder.found;
}

LibraryFolders known_folders(const std::vector<std::string>& fetched) {
  Finder finder;
  for (const char* variable : {"CUDA_HOME", "CUDA_PATH"}) {
    const fs::path root = environment(variable);
    if (!finder.check(variable, root.string())) continue;
    for (const char* part : {"lib64", "lib", "targets/x86_64-linux/lib"}) finder.add(root / part);
  }
  finder.add_python(environment("VIRTUAL_ENV"));
  const fs::path cache = user_cache();
  if (cache.empty()) return finder.found;
  for (const std::string& version : fetched) finder.add_wheels(cache / "cuda" / version);
  return finder.found;
}

}  // namespace ostrich::cuda
