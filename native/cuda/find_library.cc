// See find_library.h.
#include "cuda/find_library.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace ostrich::cuda {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// In order of name, so that what is found does not depend on the file system.
std::vector<fs::path> inside(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code refused;
  for (fs::directory_iterator entry(folder, refused), end; !refused && entry != end; entry.increment(refused)) {
    entries.push_back(entry->path());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

struct Folders {
  std::vector<fs::path> all;
  std::vector<std::string> wrong;  // variables that name no folder

  void add(const fs::path& folder) {
    std::error_code refused;
    if (fs::is_directory(folder, refused)) all.push_back(folder);
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
    wrong.push_back(std::string(variable) + "=" + folder + " is no folder");
    return false;
  }
};

Folders folders() {
  Folders found;
  for (const char* variable : {"CUDA_HOME", "CUDA_PATH"}) {
    const fs::path root = environment(variable);
    if (!found.check(variable, root.string())) continue;
    for (const char* part : {"lib64", "lib", "targets/x86_64-linux/lib"}) found.add(root / part);
  }
  std::istringstream named(environment(kLibrariesVariable));
  for (std::string folder; std::getline(named, folder, ':');) {
    if (!found.check(kLibrariesVariable, folder)) continue;
    found.add(folder);
    found.add_wheels(folder);
    found.add_python(folder);
  }
  found.add_python(environment("VIRTUAL_ENV"));
  return found;
}

std::string file_of(void* handle, const std::string& name) {
  link_map* map = nullptr;
  if (dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0 || map == nullptr || map->l_name[0] == '\0') return name;
  return map->l_name;
}

// Under RTLD_LOCAL: Node.js may hold another CUDA beside ours.
bool open(FoundLibrary& found, const std::string& name) {
  found.handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (found.handle != nullptr) {
    found.file = file_of(found.handle, name);
    return true;
  }
  const char* reason = dlerror();
  found.tried.push_back(reason != nullptr ? reason : name + ": could not be opened");
  return false;
}

// What is loaded already answers to its soname, wherever it came from.
std::string open_beside(const std::string& file, const std::vector<std::string>& sonames) {
  const fs::path folder = fs::path(file).parent_path();
  for (const std::string& soname : sonames) {
    FoundLibrary found;
    if (!open(found, soname) && !open(found, folder / soname)) return found.reasons();
  }
  return "";
}

// Also from the wheels beside cuDNN's, nvidia/cublas/lib beside nvidia/cudnn/lib.
std::string open_library_of_cudnn(const std::string& file, const std::string& soname) {
  FoundLibrary found;
  if (open(found, soname)) return "";
  for (const fs::path& wheel : inside(fs::path(file).parent_path() / "../..")) {
    std::error_code refused;
    if (fs::exists(wheel / "lib" / soname, refused) && open(found, wheel / "lib" / soname)) return "";
  }
  found = find_library({"", {soname}});
  return found.handle != nullptr ? "" : found.reasons();
}

}  // namespace

std::string FoundLibrary::reasons() const {
  std::string text;
  for (const std::string& reason : tried) text += (text.empty() ? "" : "; ") + reason;
  return text;
}

FoundLibrary find_library(const LibraryQuery& query) {
  FoundLibrary found;
  const std::string file = environment(query.variable.c_str());
  if (!file.empty()) {
    if (!open(found, file)) found.tried.back() = query.variable + "=" + found.tried.back();
    return found;
  }
  for (const std::string& soname : query.sonames) {
    if (open(found, soname)) return found;
  }
  const Folders places = folders();
  std::string absent;
  for (const fs::path& folder : places.all) {
    bool is_here = false;
    for (const std::string& soname : query.sonames) {
      std::error_code refused;
      if (!fs::exists(folder / soname, refused)) continue;
      is_here = true;
      if (open(found, folder / soname)) return found;
    }
    if (!is_here) absent += (absent.empty() ? "not in " : ", ") + folder.string();
  }
  found.tried.insert(found.tried.end(), places.wrong.begin(), places.wrong.end());
  if (!absent.empty()) found.tried.push_back(absent);
  return found;
}

std::string open_cudnn_graph(const FoundLibrary& cudnn) { return open_beside(cudnn.file, {"libcudnn_graph.so.9"}); }

std::string open_cudnn_parts(const FoundLibrary& cudnn) {
  std::string missing = open_cudnn_graph(cudnn);
  if (!missing.empty()) return missing;
  const auto built_for = reinterpret_cast<size_t (*)()>(dlsym(cudnn.handle, "cudnnGetCudartVersion"));
  const std::string cuda = std::to_string(built_for == nullptr ? 0 : built_for() / 1000);
  // Not of the CUDA that the rest of the backend may have chosen, but of its own.
  missing = open_library_of_cudnn(cudnn.file, "libcublasLt.so." + cuda);
  if (!missing.empty()) return missing;
  // Without this one it has fewer engines.
  open_library_of_cudnn(cudnn.file, "libnvrtc.so." + cuda);
  return open_beside(cudnn.file, {"libcudnn_engines_precompiled.so.9", "libcudnn_engines_runtime_compiled.so.9",
                                  "libcudnn_heuristic.so.9"});
}

LibraryQuery driver_library() { return {"OSTRICH_CUDA_DRIVER", {"libcuda.so.1"}}; }

LibraryQuery cublas_lt_library(bool cuda_13) {
  LibraryQuery query{"OSTRICH_CUBLASLT", {"libcublasLt.so.12"}};
  if (cuda_13) query.sonames.insert(query.sonames.begin(), "libcublasLt.so.13");
  return query;
}

LibraryQuery cudnn_library() {
  // Version 8 is no use, but it is worth saying that it is there.
  return {"OSTRICH_CUDNN", {"libcudnn.so.9", "libcudnn.so.8"}};
}

}  // namespace ostrich::cuda
