// See find_library.h.
#include "cuda/find_library.h"

#include <dlfcn.h>
#include <link.h>

#include <cstdio>
#include <filesystem>

#include "cuda/dnn_cudnn.h"
#include "cuda/library_folders.h"
#include "cuda/user_cache.h"

namespace ostrich::cuda {
namespace {

namespace fs = std::filesystem;

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

// Opens it unless it is refused.
bool take(FoundLibrary& found, const LibraryQuery& query, const std::string& name) {
  if (!open(found, name)) return false;
  const std::string reason = query.refuse ? query.refuse(found.file) : "";
  if (reason.empty()) return true;
  found.tried.push_back(found.file + " " + reason);
  dlclose(found.handle);
  found.handle = nullptr;
  found.file.clear();
  return false;
}

bool take_from(const LibraryFolders& folders, FoundLibrary& found, const LibraryQuery& query) {
  found.tried.insert(found.tried.end(), folders.wrong.begin(), folders.wrong.end());
  std::string absent;
  for (const fs::path& folder : folders.all) {
    bool is_here = false;
    for (const std::string& soname : query.sonames) {
      std::error_code refused;
      if (!fs::exists(folder / soname, refused)) continue;
      is_here = true;
      if (take(found, query, folder / soname)) return true;
    }
    if (!is_here) absent += (absent.empty() ? "not in " : ", ") + folder.string();
  }
  if (!absent.empty()) found.tried.push_back(absent);
  return false;
}

// 9.12.0 of libcudnn.so.9.12.0; of NVIDIA's wheels, whose files have no such name, that of nvidia_cudnn_cu13-9.12.0.46
// beside them, and the version of CUDA that it is for. 0: unknown.
struct CudnnName {
  unsigned major = 0, minor = 0, patch = 0, cuda = 0;
  std::string text() const { return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch); }
};

CudnnName cudnn_name(const std::string& file) {
  CudnnName name;
  std::error_code refused;
  const fs::path real = fs::canonical(file, refused);
  if (std::sscanf(real.filename().c_str(), "libcudnn.so.%u.%u.%u", &name.major, &name.minor, &name.patch) == 3) {
    return name;
  }
  for (const fs::path& entry : inside(real.parent_path() / "../../..")) {
    const int read = std::sscanf(entry.filename().c_str(), "nvidia_cudnn_cu%u-%u.%u.%u", &name.cuda, &name.major,
                                 &name.minor, &name.patch);
    if (read == 4) return name;
  }
  // libcudnn.so.8 says no more.
  name = {};
  std::sscanf(real.filename().c_str(), "libcudnn.so.%u", &name.major);
  return name;
}

std::string refuse_cudnn(const std::string& file, unsigned cuda) {
  const CudnnName name = cudnn_name(file);
  constexpr unsigned oldest = kOldestCudnn / 10000;
  const bool is_known = name.minor != 0 || name.patch != 0;
  const size_t version = name.major * 10000 + name.minor * 100 + name.patch;
  if (name.major != 0 && (name.major != oldest || (is_known && version < kOldestCudnn))) {
    return "is of version " + (is_known ? name.text() : std::to_string(name.major));
  }
  return name.cuda > cuda ? "is for CUDA " + std::to_string(name.cuda) : "";
}

std::vector<std::string> fetched_for(int driver) {
  return driver >= 13000 ? std::vector<std::string>{"13", "12"} : std::vector<std::string>{"12"};
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
  found = find_library({"", {soname}, {}, {}});
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
  const std::string file = environment(query.variable);
  if (!file.empty()) {
    if (!open(found, file)) found.tried.back() = query.variable + "=" + found.tried.back();
    return found;
  }
  const LibraryFolders chosen = chosen_folders();
  if (take_from(chosen, found, query)) return found;
  for (const std::string& soname : query.sonames) {
    if (take(found, query, soname)) return found;
  }
  take_from(known_folders(query.fetched), found, query);
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
  // Of recurrent layers alone; without these they are computed by our own kernels.
  open_beside(cudnn.file, {"libcudnn_ops.so.9", "libcudnn_adv.so.9"});
  return open_beside(cudnn.file, {"libcudnn_engines_precompiled.so.9", "libcudnn_engines_runtime_compiled.so.9",
                                  "libcudnn_heuristic.so.9"});
}

LibraryQuery driver_library() { return {"OSTRICH_CUDA_DRIVER", {"libcuda.so.1"}, {}, {}}; }

LibraryQuery cublas_lt_library(int driver) {
  LibraryQuery query{"OSTRICH_CUBLASLT", {}, fetched_for(driver), {}};
  for (const std::string& version : query.fetched) query.sonames.push_back("libcublasLt.so." + version);
  return query;
}

LibraryQuery cudnn_library(int driver) {
  const auto refuse = [driver](const std::string& file) { return refuse_cudnn(file, unsigned(driver) / 1000); };
  // Version 8 is no use, but it is worth saying that it is there.
  return {"OSTRICH_CUDNN", {"libcudnn.so.9", "libcudnn.so.8"}, fetched_for(driver), refuse};
}

}  // namespace ostrich::cuda
